"""Waiting: back-off between attempts, and a bell that wakes who waits for work."""

import random
import threading
import time
from collections.abc import Callable
from logging import WARNING

from cxrmodel import logs

Draw = Callable[[], float]
"""A random number from 0 to 1."""


class BackOff:
    """Waits that double from attempt to attempt, each shortened at random so that many never come back at once.

    Parameters
    ----------
    first, longest : float
        Seconds.
    draw : callable
    """

    def __init__(self, first: float, longest: float, draw: Draw = random.random) -> None:
        self._first, self._longest, self._draw = first, max(first, longest), draw

    def seconds(self, attempt: int) -> float:
        """Wait after an attempt.

        Parameters
        ----------
        attempt : int
            From 1.

        Returns
        -------
        float
            Between half of the doubled wait and all of it.
        """
        whole = min(self._longest, self._first * 2.0 ** min(attempt - 1, 60))
        return whole * (1 - 0.5 * self._draw())


class Bell:
    """Wakes threads that wait for work, and tells them when to stop."""

    def __init__(self) -> None:
        self._rung, self._stopped, self._changed = 0, False, threading.Condition()

    @property
    def stopped(self) -> bool:
        """Whether everybody is to stop."""
        return self._stopped

    @property
    def rung(self) -> int:
        """How often it has rung; to be asked for before one looks for work."""
        return self._rung

    def ring(self) -> None:
        """Wake everybody: there is work."""
        with self._changed:
            self._rung += 1
            self._changed.notify_all()

    def stop(self) -> None:
        """Wake everybody for the last time."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def wait(self, seconds: float, rung: int) -> None:
        """Wait until it has rung more often than ``rung``, it stops, or the time is over."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopped or self._rung > rung, seconds)

    def rest(self, seconds: float) -> None:
        """Wait for some time, whoever rings; a stop ends it."""
        until = time.monotonic() + seconds
        with self._changed:
            self._changed.wait_for(lambda: self._stopped, max(0.0, until - time.monotonic()))


class Outage:
    """Notes when something stops working, with the cause, and when it works again, once each, for the log.

    Parameters
    ----------
    note : callable
        Called with the code of the cause when it stops working, with None when it works again.
    """

    def __init__(self, note: Callable[[str | None], None]) -> None:
        self._note, self._lock = note, threading.Lock()
        self._cause: str | None = None

    def begins(self, cause: str) -> None:
        """Say that it did not work just now, and why."""
        self._change(cause)

    def ends(self) -> None:
        """Say that it worked just now."""
        self._change(None)

    def _change(self, cause: str | None) -> None:
        with self._lock:
            changed = cause != self._cause
            self._cause = cause
        if changed:
            self._note(cause)


def note_store(cause: str | None) -> None:
    """Log that the store is down or back, for an `Outage`."""
    if cause is None:
        logs.event("logs.store_back")
    else:
        logs.event("logs.store_down", WARNING, cause=cause)
