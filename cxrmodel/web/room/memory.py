"""Memory that the images of all sessions may take together."""

import threading
import weakref
from typing import TYPE_CHECKING, Protocol

from cxrmodel.imaging.radiograph import MAX_BYTES
from cxrmodel.memory import half_of_memory

if TYPE_CHECKING:
    from cxrmodel.web.room.room import Room

MOST_IMAGES = 50
MOST_MEGABYTES = 600
"""Of images of one session; the oldest are released."""


class Shelf:
    """The pixels of all rooms, and the bound on what they take together.

    Parameters
    ----------
    limit : int
        Bytes of pixels.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._rooms: weakref.WeakSet[Room] = weakref.WeakSet()
        self._lock = threading.Lock()

    def make_room(self, latest: "Room") -> None:
        """Release pixels, of the room that has most of them first, until all rooms together are within the limit."""
        with self._lock:
            self._rooms.add(latest)
            full = set()
            while True:
                sizes = {room: room.image_bytes() for room in self._rooms}
                able = [room for room in sizes if room not in full]
                if sum(sizes.values()) <= self.limit or not able:
                    return
                largest = max(able, key=sizes.__getitem__)
                if not largest.release_oldest():
                    full.add(largest)


class Holder(Protocol):
    """Something that holds files until they are read."""

    def waiting_bytes(self) -> int:
        """Bytes of the files that wait."""
        ...


class Waiting:
    """The files of all rooms and of the HTTP interface that wait to be read, and the bounds on what they take.

    Parameters
    ----------
    limit : int
        Bytes of all rooms together.
    of_one : int
        Bytes of one room.
    """

    def __init__(self, limit: int, of_one: int) -> None:
        self.limit, self.of_one = limit, of_one
        self._rooms: weakref.WeakSet[Holder] = weakref.WeakSet()
        self._lock = threading.Lock()

    def has_room(self, room: Holder, size: int) -> bool:
        """Tell whether another file of a room fits. One file always does where none waits."""
        with self._lock:
            self._rooms.add(room)
            own = room.waiting_bytes()
            together = sum(other.waiting_bytes() for other in list(self._rooms))
        fits = own + size <= self.of_one and together + size <= self.limit
        return fits or not together


SHELF = Shelf(half_of_memory())
WAITING = Waiting(half_of_memory() // 2, 4 * MAX_BYTES)
