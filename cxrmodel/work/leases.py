"""Leases of this worker: extended for as long as the work takes, given back when it stops."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Lock

from cxrmodel.errors import StoreUnavailable
from cxrmodel.store.records import Delivery, Job
from cxrmodel.store.store import Store
from cxrmodel.work.waiting import Bell

STOPPED = "work.stopped"
"""Code of a job or delivery that a worker gave back when it stopped."""


@dataclass
class _Held:
    item: Job | Delivery
    extended: float


class Leases:
    """Jobs and deliveries in progress.

    Parameters
    ----------
    store : Store
    seconds : float
        Of a lease. It is extended after a third of that.
    """

    def __init__(self, store: Store, seconds: float) -> None:
        self._store, self.seconds = store, seconds
        self._held: dict[int, _Held] = {}
        self._lock = Lock()

    @property
    def number(self) -> int:
        """How many are in progress."""
        return len(self._held)

    @contextmanager
    def held(self, item: Job | Delivery) -> Iterator[None]:
        """Hold a lease that was just given, for the time of a ``with`` block."""
        entry = _Held(item, time.monotonic())
        with self._lock:
            self._held[id(entry)] = entry
        try:
            yield
        finally:
            with self._lock:
                self._held.pop(id(entry), None)

    def run(self, bell: Bell, seconds: float | None = None) -> None:
        """Extend leases until the bell stops, and while work goes on after that; on a thread of its own."""
        while not bell.stopped or self._held:
            time.sleep(min(1.0, self.seconds / 10) if seconds is None else seconds)
            self.extend()

    def extend(self) -> None:
        """Extend the leases of which a third is over. One that was lost is no longer held."""
        now = time.monotonic()
        with self._lock:
            due = [(key, entry) for key, entry in self._held.items() if now - entry.extended >= self.seconds / 3]
        for key, entry in due:
            with suppress(StoreUnavailable):  # the next round tries again
                kept = self._extend(entry.item)
                entry.extended = now
                if not kept:
                    with self._lock:
                        self._held.pop(key, None)

    def _extend(self, item: Job | Delivery) -> bool:
        if isinstance(item, Job):
            return self._store.extend(item, self.seconds)
        return self._store.extend_delivery(item, self.seconds)

    def give_back(self) -> int:
        """Let others take what is still in progress, at once; give how many there were."""
        with self._lock:
            entries = [entry.item for entry in self._held.values()]
            self._held.clear()
        for item in entries:
            with suppress(StoreUnavailable):  # the lease ends by itself
                if isinstance(item, Job):
                    self._store.retry(item, STOPPED, 0.0, counted=False)
                else:
                    self._store.redeliver(item, STOPPED, 0.0, counted=False)
        return len(entries)
