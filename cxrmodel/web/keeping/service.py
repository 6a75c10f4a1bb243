"""Whether this server keeps work lists, and for how long; it does so only where the configuration says so."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from cxrmodel.errors import StoreUnavailable
from cxrmodel.logs import log_failure
from cxrmodel.messages import Message
from cxrmodel.web.room.rooms import rooms

if TYPE_CHECKING:
    from cxrmodel.configuration.schema import Configuration, WorklistSection
    from cxrmodel.store.lists import Lists
    from cxrmodel.web.keeping.keeper import Keeper

PERIOD = 600.0
"""Seconds between two looks for what is kept longer than its time."""
SECONDS_OF_DAY = 86400


class Keeping:
    """The lists that this server keeps.

    Parameters
    ----------
    lists : Lists
    section : WorklistSection
        Of the configuration.
    """

    def __init__(self, lists: "Lists", section: "WorklistSection") -> None:
        self.lists, self._section = lists, section

    def keeper(self, browser: str) -> "Keeper":
        """Give what keeps the list of a browser."""
        from cxrmodel.web.keeping.keeper import Keeper

        return Keeper(self.lists, browser, self._section.keep == "images")

    @property
    def cookie_seconds(self) -> int:
        """Seconds for which a browser keeps the cookie that its list belongs to."""
        return int(self._section.list_days * SECONDS_OF_DAY)

    @property
    def words(self) -> Message:
        """What is kept, for the user."""
        if self._section.keep == "list":
            return Message("web.keeping.list", days=self._section.list_days)
        return Message("web.keeping.images", days=self._section.list_days, image_days=self._section.image_days)

    def expire(self) -> None:
        """Delete what is kept longer than its time.

        Raises
        ------
        StoreUnavailable
        """
        self.lists.expire(self._section.image_days, self._section.list_days)

    def close(self) -> None:
        """Store what is not stored yet, and close the store."""
        for room in rooms():
            if room.keeper is not None:
                with suppress(StoreUnavailable):
                    room.keeper.save(room)
        self.lists.store.close()


_current: Keeping | None = None


def keeping() -> Keeping | None:
    """Give what keeps lists; None where this server keeps nothing."""
    return _current


@asynccontextmanager
async def kept_lists(configuration: "Configuration | None" = None) -> AsyncIterator[None]:
    """Keep lists while the server runs, where the configuration says so, and delete by a timer what is too old.

    Parameters
    ----------
    configuration : Configuration, optional
        Instead of that in the file that ``CXR_CONFIG`` names. Without either, nothing is kept.

    Raises
    ------
    SettingError, MissingExtra, StoreError, StoreUnavailable
        The server does not start.
    """
    global _current
    _current = await asyncio.to_thread(open_keeping, configuration)
    if _current is None:
        yield
        return
    task = asyncio.create_task(_expire(_current))
    try:
        yield
    finally:
        task.cancel()
        ended, _current = _current, None
        await asyncio.to_thread(ended.close)


def open_keeping(configuration: "Configuration | None" = None) -> Keeping | None:
    """Open what keeps lists; None where nothing is to be kept. Parameters and errors are those of `kept_lists`."""
    if configuration is None:
        from cxrmodel.configuration.load import configuration_file, load_configuration

        if configuration_file() is None:
            return None
        configuration = load_configuration()
    if configuration.worklist.keep == "nothing":
        return None
    from cxrmodel.store.opening import open_store

    store = open_store(configuration.store.address(), configuration.store.folder)
    from cxrmodel.store.lists import Lists  # needs the libraries that `open_store` has asked for

    return Keeping(Lists(store), configuration.worklist)


async def _expire(kept: Keeping) -> None:
    while True:
        try:
            await asyncio.to_thread(kept.expire)
        except StoreUnavailable as error:
            log_failure(error)
        await asyncio.sleep(PERIOD)
