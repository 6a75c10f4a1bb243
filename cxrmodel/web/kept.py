"""Images that sessions keep, and the memory that all of them may take together."""

import threading
import weakref
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime

from cxrmodel.memory import half_of_memory
from cxrmodel.messages import Message
from cxrmodel.reading import Reading

Key = tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Entry:
    """One file from the user.

    Attributes
    ----------
    key : str
        SHA-256 of the bytes and of the weights, and the name: the same file under the same name, read by the same
        model, is the same entry.
    name : str
        Original file name.
    status : {"read", "refused", "failed"}
        Refused: by a check or a decoder. Failed: any other error.
    reading : Reading or None
        Only where the status is "read".
    reason : Message or None
        Why there is no reading, and what to do next.
    read_at : datetime
        When its bytes were read, in local time with its zone.
    """

    key: str
    name: str
    status: str
    reading: Reading | None
    reason: Message | None
    read_at: datetime


class Kept:
    """The images of one session, the oldest first, and what was computed from them.

    Its images may be dropped on the thread of another session, which needs the memory.

    Attributes
    ----------
    images : dict of str to Entry
        By their keys.
    results : dict
        By the SHA-256 of an image and whatever else they depend on.
    latest : (str, object) or None
        Something large that was computed from the image with that SHA-256.
    discarded : int
        Images that made room for later ones.
    """

    def __init__(self) -> None:
        self.images: OrderedDict[str, Entry] = OrderedDict()
        self.results: dict[Key, object] = {}
        self.latest: tuple[str, object] | None = None
        self.discarded = 0
        self._lock = threading.Lock()

    def add(self, entry: Entry) -> None:
        """Keep an image as the latest one."""
        with self._lock:
            self.images.pop(entry.key, None)
            self.images[entry.key] = entry

    def remove(self, key: str) -> None:
        """Forget an image, and its results unless the session holds it under another name."""
        with self._lock:
            entry = self.images.pop(key, None)
            if entry is None:
                return
            self.latest = None
            held = {other.reading.radiograph.sha256 for other in self.images.values() if other.reading}
            if entry.reading and entry.reading.radiograph.sha256 not in held:
                gone = entry.reading.radiograph.sha256
                self.results = {at: result for at, result in list(self.results.items()) if at[0] != gone}

    def discard_oldest(self) -> None:
        """Forget the oldest image, and count it."""
        with self._lock:
            oldest = next(iter(self.images), None)
        if oldest is not None:
            self.remove(oldest)
            self.discarded += 1

    def bytes(self) -> int:
        """Memory that the images' pixels take; entries of the same bytes share theirs."""
        with self._lock:
            radiographs = [entry.reading.radiograph for entry in self.images.values() if entry.reading]
        return sum({image.sha256: image.pixels.nbytes for image in radiographs}.values())


class Shelf:
    """All sessions that keep images, and the bound on what they keep together.

    Parameters
    ----------
    limit : int
        Bytes of pixels.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._kept: weakref.WeakSet[Kept] = weakref.WeakSet()
        self._lock = threading.Lock()

    def make_room(self, latest: Kept) -> None:
        """Discard images until all sessions together are within the limit.

        The session that keeps the most discards its oldest image first. The latest image of the session that has just
        read one stays.

        Parameters
        ----------
        latest : Kept
            Of the session that has just read an image.
        """
        with self._lock:
            self._kept.add(latest)
            while True:
                sizes = {kept: kept.bytes() for kept in self._kept}
                over = sum(sizes.values()) > self.limit
                able = [kept for kept in sizes if sizes[kept] and (kept is not latest or len(kept.images) > 1)]
                if not over or not able:
                    return
                max(able, key=sizes.__getitem__).discard_oldest()


SHELF = Shelf(half_of_memory())
"""Of this server."""
