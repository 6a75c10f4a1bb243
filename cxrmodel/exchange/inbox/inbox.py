"""What an inbox is, and the loop that all of them share: it outlives every failure and waits longer after each."""

import logging
import threading
from collections.abc import Callable, Iterator
from typing import Protocol

from cxrmodel import logs
from cxrmodel.errors import CxrError, TransientFailure
from cxrmodel.exchange.admission import Admission
from cxrmodel.exchange.probe import Probe
from cxrmodel.messages import Message

LONGEST_WAIT = 60.0
"""Seconds between two attempts at a server that is down, or at a store that takes nothing."""


class Inbox(Protocol):
    """One place where images come from."""

    @property
    def name(self) -> str:
        """As in the configuration."""
        ...

    def run(self, stop: threading.Event, admission: Admission) -> None:
        """Take images in until ``stop`` is set. Returns soon after that; an image in progress is finished.

        No failure ends it: each is logged and recorded by its code once, until the inbox works again.
        """
        ...

    def check(self) -> Iterator[Probe]:
        """Try the connection by what it is for. Takes nothing in."""
        ...


class Condition:
    """Whether an inbox works. A failure is recorded when it begins, and when it becomes another one.

    Parameters
    ----------
    name : str
        Of the inbox.
    admission : Admission
    """

    def __init__(self, name: str, admission: Admission) -> None:
        self._name, self._admission = name, admission
        self._failure: Message | None = None

    def works(self) -> None:
        """The inbox works."""
        if self._failure is not None:
            logs.event("logs.inbox_works", name=self._name)
        self._failure = None

    def fails(self, reason: Message) -> None:
        """The inbox does not work; the store may not, either."""
        if self._failure is not None and self._failure.code == reason.code:
            return
        self._failure = reason
        logs.event("logs.inbox_failure", logging.WARNING, name=self._name, cause=reason.code)
        try:
            self._admission.reject(self._name, reason)
        except CxrError:
            self._failure = None  # to be recorded once the store is back


def repeat(name: str, admission: Admission, stop: threading.Event, seconds: float, work: Callable[[], None]) -> None:
    """Do the same work again and again until ``stop`` is set.

    Parameters
    ----------
    name : str
        Of the inbox.
    admission : Admission
    stop : threading.Event
    seconds : float
        From the end of one round to the begin of the next; after failures the double of the last wait, at most
        ``LONGEST_WAIT``, and as long as a server asks for.
    work : callable
    """
    condition, wait = Condition(name, admission), seconds
    while not stop.is_set():
        asked = None
        try:
            work()
        except CxrError as error:
            condition.fails(error.message)
            asked = error.retry_after if isinstance(error, TransientFailure) else None
        except Exception as error:  # an inbox outlives defects, too
            logs.log_failure(error)
            condition.fails(Message("exchange.unexpected"))
        else:
            condition.works()
            wait = seconds
            stop.wait(wait)
            continue
        stop.wait(asked or wait)
        wait = max(seconds, min(2 * wait, LONGEST_WAIT))
