"""Upkeep: what need not be kept is deleted, and what waits for an earlier version of the model is taken over."""

from cxrmodel import logs
from cxrmodel.configuration.schema import RetentionSection
from cxrmodel.errors import StoreError
from cxrmodel.store.forget import OlderThan, drop_files, forget, sweep
from cxrmodel.store.store import Store
from cxrmodel.work.waiting import Bell

SECONDS = 60.0
"""Between two rounds."""


class Upkeep:
    """The part of a worker that looks after the store; runs on a thread of its own.

    Parameters
    ----------
    store : Store
    model : str
        Version of the model that reads.
    retention : RetentionSection
    bell : Bell
    """

    def __init__(self, store: Store, model: str, retention: RetentionSection, bell: Bell) -> None:
        self._store, self._model, self._retention, self._bell = store, model, retention, bell

    def run(self) -> None:
        """Go on until the bell stops. Errors are logged; the next round tries again."""
        while not self._bell.stopped:
            try:
                self.once()
            except StoreError:
                pass  # who reads and sends says that the store is down
            except Exception as error:
                logs.log_failure(error)
            self._bell.rest(SECONDS)

    def once(self) -> None:
        """Delete what is over its time and files that no image has; take over what earlier versions left.

        Raises
        ------
        StoreUnavailable
        """
        self._store.adopt(self._model)
        count = drop_files(self._store, self._retention.received_days) + sweep(self._store)
        if self._retention.readings_days is not None:
            count += forget(self._store, OlderThan(self._retention.readings_days)).images
        if count:
            logs.event("logs.swept", count=count)
