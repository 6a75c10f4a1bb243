"""What keeps the work list of one browser: every change is stored at once, on a thread of its own."""

import threading
import time
import weakref
from typing import TYPE_CHECKING

from cxrmodel.errors import StoreError, StoreUnavailable
from cxrmodel.logs import log_failure
from cxrmodel.store.records import KeptList
from cxrmodel.web.keeping.codec import entry_of, row_of
from cxrmodel.web.room.row import Row

if TYPE_CHECKING:
    from cxrmodel.store.lists import Lists
    from cxrmodel.web.room.room import Room, Snapshot

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0
"""Seconds between two tries where the store does not answer."""


class Keeper:
    """Keeps one list. Safe to use from several threads.

    Parameters
    ----------
    lists : Lists
    browser : str
        Cookie of the browser that the list belongs to.
    with_images : bool
        Whether files and small pictures are kept too.

    Attributes
    ----------
    failed : bool
        Whether the list cannot be kept at the moment.
    """

    def __init__(self, lists: "Lists", browser: str, with_images: bool) -> None:
        self._lists, self._browser, self._with_images = lists, browser, with_images
        self.failed = False
        self._able = True
        self._version = 0
        self._positions: dict[str, int] = {}
        self._chosen: tuple[str | None, float] | None = None
        self._dirty = self._working = False
        self._lock, self._saving = threading.Lock(), threading.Lock()

    def restore(self, room: "Room") -> None:
        """Give a new room the list that was kept. Where the store does not answer, this session's is not kept."""
        try:
            kept = self._lists.load(self._browser)
        except StoreUnavailable:
            self.failed, self._able = True, False
            return
        if kept is None:
            return
        rows: list[Row] = []
        for entry in kept.entries:
            try:
                rows.append(row_of(entry))
            except Exception as error:  # of another version of the program: it stays where it is
                log_failure(error)
        with self._saving:
            self._positions = {row.id: position for position, row in enumerate(rows)}
            room.restore(rows, kept.prevalence, kept.selected)
            self._version, self._chosen = room.version, (kept.selected, kept.prevalence)

    def changed(self, room: "Room") -> None:
        """Note that a room has changed; it is stored as soon as may be."""
        with self._lock:
            self._dirty = True
            if self._working or not self._able:
                return
            self._working = True
        threading.Thread(target=_run, args=(self, weakref.ref(room)), name="keeps a list", daemon=True).start()

    def keep_file(self, data: bytes) -> bool:
        """Keep a file that was read; whether it is kept."""
        if not (self._with_images and self._able):
            return False
        try:
            self._lists.files.keep(data)
        except StoreUnavailable:
            return False
        return True

    def file(self, sha256: str) -> bytes | None:
        """Give a file; None where it is not kept any more."""
        try:
            return self._lists.files.read(sha256)
        except StoreError:
            return None

    def forget(self, room: "Room") -> None:
        """Delete all that is kept of this browser; nothing of its room, whose rows are gone, is left to store.

        Raises
        ------
        StoreUnavailable
        """
        with self._saving:
            self._lists.forget(self._browser)
            now = room.snapshot(self._version)
            self._positions, self._chosen = {}, (now.selected, now.prevalence)

    def next(self) -> bool:
        """Whether something has changed since the last call; where not, the thread ends."""
        with self._lock:
            if not self._dirty:
                self._working = False
                return False
            self._dirty = False
            return True

    def again(self) -> None:
        """Note that what has changed is not stored yet."""
        with self._lock:
            self._dirty = True

    def save(self, room: "Room") -> None:
        """Store what has changed of a room.

        Raises
        ------
        StoreUnavailable
        """
        with self._saving:
            if not self._able:
                return
            snapshot = room.snapshot(self._version)
            positions = _moved(snapshot.order, self._positions)
            removed = set(self._positions) - set(snapshot.order)
            chosen = (snapshot.selected, snapshot.prevalence)
            if not (snapshot.changed or positions or removed or chosen != self._chosen):
                self._version = snapshot.version
                return
            gone = self._lists.save(
                self._browser, self._kept(snapshot), positions, set(positions) - set(self._positions), removed
            )
            self._positions = {
                row_id: place for row_id, place in (self._positions | positions).items() if row_id not in removed | gone
            }
            self._version, self._chosen = snapshot.version, chosen
        if gone:
            room.drop(gone)

    def _kept(self, snapshot: "Snapshot") -> KeptList:
        entries = tuple(entry_of(row, self._with_images) for row in snapshot.changed)
        return KeptList(entries, snapshot.prevalence, snapshot.selected)


def _run(keeper: Keeper, reference: "weakref.ref[Room]") -> None:
    pause = _FIRST_PAUSE
    while keeper.next():
        room = reference()
        if room is None:
            keeper.next()
            return
        try:
            keeper.save(room)
            changed, keeper.failed, pause = keeper.failed, False, _FIRST_PAUSE
        except StoreUnavailable:
            changed, keeper.failed = not keeper.failed, True
            keeper.again()
        except Exception as error:
            log_failure(error)
            changed, keeper.failed = not keeper.failed, True
        if changed:
            room.changes.tell()
        del room  # a session may end while the store is down
        if keeper.failed:
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)


def _moved(order: tuple[str, ...], known: dict[str, int]) -> dict[str, int]:
    """Positions of rows that are new or have moved: all, where the others are not in their order any more."""
    last, moved = -1, {}
    for row_id in order:
        place = known.get(row_id)
        if place is None:
            place = moved[row_id] = max(last, max(known.values(), default=-1)) + 1
        if place <= last:
            return {row_id: place for place, row_id in enumerate(order)}
        last = place
    return moved
