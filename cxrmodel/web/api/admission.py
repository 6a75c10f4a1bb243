"""How many requests the interface holds at one time, and how much memory their files take."""

import threading
from collections.abc import Callable

from cxrmodel.web.room.memory import WAITING, Waiting
from cxrmodel.web.server.content import Refused


class Admission:
    """The places for requests. Files of requests count like those that wait in the app.

    Parameters
    ----------
    places : int
    tell : callable
        Called with the number of places that are taken, whenever it changes.
    waiting : Waiting
    """

    def __init__(self, places: int, tell: Callable[[int], None], waiting: Waiting = WAITING) -> None:
        self._places, self._tell, self._waiting = places, tell, waiting
        self._sizes: dict[str, int] = {}
        self._lock = threading.Lock()

    def waiting_bytes(self) -> int:
        """Bytes of the files that are held."""
        return sum(list(self._sizes.values()))

    def take(self, request: str, size: int) -> int:
        """Take a place before a file is received.

        Parameters
        ----------
        request : str
            Identifier of the request.
        size : int
            Bytes of its file.

        Returns
        -------
        int
            How many places others held.

        Raises
        ------
        Refused
            When none is free, or memory is short.
        """
        with self._lock:
            others = len(self._sizes)
            if others >= self._places or not self._waiting.has_room(self, size):
                raise Refused(503, "api.busy", {"Retry-After": "1"})
            self._sizes[request] = size
            self._tell(len(self._sizes))
        return others

    def leave(self, request: str) -> None:
        """Give a place back, once nothing holds its file any more."""
        with self._lock:
            del self._sizes[request]
            self._tell(len(self._sizes))
