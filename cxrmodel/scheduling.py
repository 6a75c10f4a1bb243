"""Scheduling: whose image is read next, and how much memory may be in use at one time."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

Clock = Callable[[], float]
"""Seconds from any start."""
Notify = Callable[[int], None]
"""Takes a place in the queue, 1 for the next. An exception that it raises gives the place up."""

AGEING = 10.0
"""Seconds of waiting that count as much as one turn taken before."""
POLL = 2.0
"""Seconds after which a waiting thread tells its place again."""


class NeverFits(Exception):
    """A claim larger than the whole budget.

    Parameters
    ----------
    limit : int
        Bytes of the budget.
    """

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.limit = limit


@dataclass(frozen=True)
class Ticket:
    """A place in a queue.

    Attributes
    ----------
    number : int
        Of all tickets of the queue, ascending.
    since : float
        When it was drawn, in seconds.
    """

    number: int
    since: float


@dataclass(eq=False)
class Client:
    """Someone who takes turns one after the other, such as a batch of images.

    Attributes
    ----------
    taken : int
        Turns taken before.
    ticket : Ticket or None
        For the next turn, once it was asked for. Who leaves the queue and comes back keeps it.
    """

    taken: int = 0
    ticket: Ticket | None = None


class Queue:
    """Who is next: every client's first turn before anyone's second.

    Within a round, the first to come is the first served. Each ``AGEING`` seconds of waiting count as one turn fewer,
    so that a long batch is served in the end however many new clients come.

    Parameters
    ----------
    clock : callable
    """

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock, self._drawn = clock, 0
        self._waiting: list[Client] = []

    def join(self, client: Client) -> None:
        """Ask for the client's next turn."""
        if client.ticket is None:
            self._drawn += 1
            client.ticket = Ticket(self._drawn, self._clock())
        self._waiting.append(client)

    def leave(self, client: Client) -> None:
        """Stop waiting."""
        self._waiting.remove(client)

    def serve(self, client: Client) -> None:
        """Let a waiting client take its turn."""
        self._waiting.remove(client)
        client.taken, client.ticket = client.taken + 1, None

    def place(self, client: Client) -> int:
        """Place of a waiting client, 1 for the next."""
        now = self._clock()
        own = _rank(client, now)
        return 1 + sum(_rank(other, now) < own for other in self._waiting)


def _rank(client: Client, now: float) -> tuple[int, int]:
    """Turns taken, less those made up for by waiting; then number of the ticket."""
    assert client.ticket is not None
    return max(0, client.taken - int((now - client.ticket.since) / AGEING)), client.ticket.number


class Turns:
    """Turns of threads at something that only a few may use at one time, in the order of a `Queue`.

    Parameters
    ----------
    at_once : int
    clock : callable
    """

    def __init__(self, at_once: int, clock: Clock = time.monotonic) -> None:
        self._free, self._queue, self._changed = at_once, Queue(clock), threading.Condition()

    @contextmanager
    def turn(self, client: Client, notify: Notify | None = None) -> Iterator[None]:
        """Wait for a client's turn, and hold it.

        Parameters
        ----------
        client : Client
            It waits on one thread at a time.
        notify : callable, optional
            Called with the place in the queue from time to time.
        """
        with self._changed:
            self._queue.join(client)
        try:
            while (place := self._place_after_a_while(client)) > 0:
                if notify:
                    notify(place)
        except BaseException:
            with self._changed:
                self._queue.leave(client)
                self._changed.notify_all()
            raise
        try:
            yield
        finally:
            with self._changed:
                self._free += 1
                self._changed.notify_all()

    def _place_after_a_while(self, client: Client) -> int:
        """Take the turn where it comes soon, and give 0; else the client's place."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._queue.place(client) <= self._free, POLL):
                return self._queue.place(client)
            self._free -= 1
            self._queue.serve(client)
            self._changed.notify_all()
            return 0


class Budget:
    """Memory that is claimed before it is used; safe to use from several threads.

    A claim waits until it fits. Claims are granted in the order in which they came, so that small ones never starve a
    large one.

    Parameters
    ----------
    limit : int
        Bytes.

    Attributes
    ----------
    used : int
        Bytes that are held now.
    """

    def __init__(self, limit: int) -> None:
        self.limit, self.used = limit, 0
        self._waiting: deque[object] = deque()
        self._changed = threading.Condition()

    @property
    def waiting(self) -> int:
        """Number of claims that wait."""
        return len(self._waiting)

    @contextmanager
    def claim(self, amount: int) -> Iterator[None]:
        """Wait until so many bytes are free, and hold them.

        Raises
        ------
        NeverFits
            When the whole budget is smaller.
        """
        if amount > self.limit:
            raise NeverFits(self.limit)
        me = object()
        with self._changed:
            self._waiting.append(me)
            try:
                self._changed.wait_for(lambda: self._waiting[0] is me and self.used + amount <= self.limit)
                self.used += amount
            finally:
                self._waiting.remove(me)
                self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self.used -= amount
                self._changed.notify_all()
