"""Upkeep: a sign of life, what need not be kept is deleted, what waits for an earlier version is taken over."""

import time

from cxrmodel import logs
from cxrmodel.configuration.schema import RetentionSection
from cxrmodel.errors import StoreError
from cxrmodel.store.forget import OlderThan, drop_files, forget, sweep
from cxrmodel.work.shared import Shared

BEAT_SECONDS = 15.0
"""Between two signs of life."""
ROUND_SECONDS = 60.0
"""Between two rounds."""


class Upkeep:
    """The part of a worker that looks after the store; runs on a thread of its own.

    Parameters
    ----------
    shared : Shared
    model : str
        Version of the model that reads.
    at_once : int
        Images that are read at one time.
    retention : RetentionSection
    """

    def __init__(self, shared: Shared, model: str, at_once: int, retention: RetentionSection) -> None:
        self._store, self._bell, self._worker = shared.store, shared.bell, shared.worker
        self._model, self._at_once, self._retention = model, at_once, retention

    def run(self) -> None:
        """Go on until the bell stops. Errors are logged; the next round tries again."""
        next_round = time.monotonic()
        while not self._bell.stopped:
            try:
                self._store.beat(self._worker, self._model, self._at_once)
                if time.monotonic() >= next_round:
                    self.once()
                    next_round = time.monotonic() + ROUND_SECONDS
            except StoreError:
                pass  # who reads and sends says that the store is down
            except Exception as error:
                logs.log_failure(error)
            self._bell.rest(BEAT_SECONDS)

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
