"""Calls of many images: cut from the tasks of a run, and kept for another try when a worker ends with them."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from cxrmodel.archive.tasks import Task

ROUNDS = 4
"""Images of a call for each core of its machine."""
LEAST_IMAGES = 16
"""Images of a call, at least."""
CALL_BYTES = 32 * 2**20
"""Of the images of a call, so far as their sizes are known: so much may travel with it."""
SUSPECT = 2
"""Deaths of workers after which a call is tried alone."""
GUILTY = 3
"""Deaths of workers that had nothing but one image, after which that image is given up."""


@dataclass(frozen=True, eq=False)
class Call:
    """Tasks that go to a machine together.

    Attributes
    ----------
    tasks : tuple of Task
    deaths : int
        Workers that ended while they had it.
    alone : int
        Of these, the ones that had nothing else.
    """

    tasks: tuple[Task, ...]
    deaths: int = 0
    alone: int = 0

    @property
    def suspect(self) -> bool:
        """Whether it may be what ends workers, so that nothing else is sent beside it."""
        return self.deaths >= SUSPECT

    @property
    def guilty(self) -> bool:
        """Whether it is one image, which ends every worker."""
        return len(self.tasks) == 1 and self.alone >= GUILTY

    def after_death(self, alone: bool) -> "tuple[Call, ...]":
        """Give what is to be tried again: all of it, or two halves of what has ended a worker alone.

        Parameters
        ----------
        alone : bool
            Whether the worker had nothing else.
        """
        if not (alone and self.suspect and len(self.tasks) > 1):
            return (Call(self.tasks, self.deaths + 1, self.alone + alone),)
        middle = len(self.tasks) // 2
        return tuple(Call(half, self.deaths + 1) for half in (self.tasks[:middle], self.tasks[middle:]))


class Calls:
    """Calls that are still to be made: lost ones first.

    Parameters
    ----------
    tasks : iterator of Task
        Taken one beyond what calls need, at most.
    """

    def __init__(self, tasks: Iterator[Task]) -> None:
        self._tasks, self._next = tasks, next(tasks, None)
        self._lost: deque[Call] = deque()

    @property
    def left(self) -> bool:
        """Whether there are any."""
        return bool(self._lost) or self._next is not None

    def take(self, cores: int, idle: bool) -> Call | None:
        """Take a call for a machine.

        Parameters
        ----------
        cores : int
            Of the machine.
        idle : bool
            Whether it has no call. A suspect call goes to no other.

        Returns
        -------
        Call or None
            None where there is none, or none for this machine now.
        """
        if self._lost:
            return self._lost.popleft() if idle or not self._lost[0].suspect else None
        tasks: list[Task] = []
        images, size = max(LEAST_IMAGES, ROUNDS * cores), 0
        while self._next is not None and len(tasks) < images and size < CALL_BYTES:
            tasks.append(self._next)
            size += self._next.item.size or 0
            self._next = next(self._tasks, None)
        return Call(tuple(tasks)) if tasks else None

    def put_back(self, call: Call) -> None:
        """Keep a call for another try."""
        self._lost.append(call)
