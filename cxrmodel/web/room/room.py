"""The images of one session, in the order in which they were given."""

import secrets
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cxrmodel.imaging.radiograph import MAX_BYTES
from cxrmodel.imaging.repairs import Repairs
from cxrmodel.messages import Message
from cxrmodel.prevalence import site_prevalence
from cxrmodel.reading import Reader, Reading
from cxrmodel.scheduling import Client
from cxrmodel.web.room import worker
from cxrmodel.web.room.changes import Changes
from cxrmodel.web.room.maps import Maps
from cxrmodel.web.room.memory import MOST_IMAGES, MOST_MEGABYTES, SHELF, WAITING
from cxrmodel.web.room.row import Mark, Row
from cxrmodel.web.room.worker import Job, Outcome, Work

if TYPE_CHECKING:
    from cxrmodel.web.keeping.keeper import Keeper

MOST_ROWS = 2000
"""Files of one session; further ones are refused."""
UNDO_SECONDS = 300.0
"""For which removed rows can be brought back."""


@dataclass(frozen=True)
class Announced:
    """A file that the browser is going to send.

    Attributes
    ----------
    id, name : str
    size : int
        Bytes.
    """

    id: str
    name: str
    size: int


@dataclass(eq=False)
class Undo:
    """What was removed last, and can come back.

    Attributes
    ----------
    rows : list of Row
    order : list of str
        Of all rows before.
    timer : Timer
        Forgets it after a while.
    """

    rows: list[Row]
    order: list[str]
    timer: threading.Timer


@dataclass(frozen=True)
class Snapshot:
    """A room at one moment.

    Attributes
    ----------
    version : int
    changed : tuple of Row
        Copies of the rows that have changed after an earlier version.
    order : tuple of str
        Of all rows.
    selected : str or None
    prevalence : float
    """

    version: int
    changed: tuple[Row, ...]
    order: tuple[str, ...]
    selected: str | None
    prevalence: float


class Room(Work):
    """The files of one session, and what the user did with them. Safe to use from several threads.

    Parameters
    ----------
    browser : str
        Cookie of the browser that the session belongs to.
    keeper : Keeper, optional
        Keeps the list beyond the session, where the site has switched that on.

    Attributes
    ----------
    token : str
        Secret of the page, which a request shows to reach the room.
    reader : Reader or None
        None until a page has loaded the model; files wait until then.
    version : int
        Counts changes.
    """

    def __init__(self, browser: str, keeper: "Keeper | None" = None) -> None:
        self.browser, self.token, self.keeper = browser, secrets.token_urlsafe(32), keeper
        self.changes, self.place = Changes(), 0
        self.version = 1  # so that a browser that has nothing gets an answer at once
        self.prevalence = site_prevalence()
        self._rows: dict[str, Row] = {}
        self._selected: str | None = None
        self._stamps = {"selected": 0, "prevalence": 0}
        self._order_version = 1
        self._undo: Undo | None = None
        self._arriving: dict[str, int] = {}
        self._client, self._working = Client(), False
        self._lock = threading.RLock()
        self._reader: Reader | None = None
        self.maps = Maps()

    # What the browser sees.

    def state(self, after: int) -> dict[str, Any]:
        """Give what changed after a version, as JSON.

        Parameters
        ----------
        after : int
            Version that the browser has; 0 gives everything.
        """
        with self._lock:
            return {
                "version": self.version,
                "rows": [row.as_json() for row in self._rows.values() if row.version > after],
                "order": list(self._rows) if self._order_version > after else None,
                "selected": self._selected,
                "prevalence": self.prevalence,
                "stamps": dict(self._stamps),
                "undo": len(self._undo.rows) if self._undo else 0,
                "place": self.place,
                "unkept": self.keeper is not None and self.keeper.failed,
            }

    def snapshot(self, after: int) -> Snapshot:
        """Give what has to be kept, with the rows that changed after a version."""
        with self._lock:
            changed = tuple(replace(row) for row in self._rows.values() if row.version > after)
            return Snapshot(self.version, changed, tuple(self._rows), self._selected, self.prevalence)

    def rows(self) -> list[Row]:
        """List all rows, in their order."""
        with self._lock:
            return list(self._rows.values())

    def row(self, row_id: str) -> Row | None:
        """Give a row; None where it is gone."""
        with self._lock:
            return self._rows.get(row_id)

    def standing(self, row_id: str) -> Row | None:
        """Give a row as it is now: a copy, whose image stays although the row's may go meanwhile."""
        with self._lock:
            row = self._rows.get(row_id)
            return None if row is None else replace(row)

    def selected(self) -> Row | None:
        """Give the row that the user looks at."""
        with self._lock:
            return self._rows.get(self._selected or "")

    @property
    def reader(self) -> Reader | None:
        """The model that reads; None until a page has loaded it."""
        with self._lock:
            return self._reader

    # Lists that are kept.

    def restore(self, rows: Iterable[Row], prevalence: float, selected: str | None) -> None:
        """Begin with the list that was kept; files that are at hand are read when they are needed."""
        with self._change():
            self._rows = {row.id: row for row in rows}
            self.prevalence, self._selected = prevalence, selected if selected in self._rows else None
            for row in self._rows.values():
                row.outcome = self.version
                if row.status == "waiting":
                    self._want(row)
            self._touch(*self._rows.values(), order=True)

    def hand_over(self) -> None:
        """Go on with another page of the same browser, which has none of the files."""
        with self._change():
            for row in self._rows.values():
                row.restored = True
            self._touch(*self._rows.values(), order=True)

    def drop(self, ids: Iterable[str]) -> None:
        """Take rows out that were forgotten elsewhere; they do not come back."""
        gone = set(ids)
        with self._change():
            self._rows = {row_id: row for row_id, row in self._rows.items() if row_id not in gone}
            if self._undo is not None and any(row.id in gone for row in self._undo.rows):
                self._forget_undo()
            self.maps.keep({row.identity for row in self._rows.values()})
            if self._selected in gone:
                self._selected = None
            self._touch(order=True)

    def forget(self) -> None:
        """Take all rows out for good, here and where they are kept.

        Raises
        ------
        StoreUnavailable
        """
        self.drop([row.id for row in self._everything()])
        with self._change():
            self._forget_undo()
        if self.keeper is not None:
            self.keeper.forget(self)

    # Files on their way in.

    def use(self, reader: Reader) -> None:
        """Read with a model from now on."""
        with self._lock:
            self._reader = reader
        self._wake()

    def announce(self, files: Iterable[Announced]) -> bool:
        """Make a row of each file that is not known yet, in their order.

        Returns
        -------
        bool
            False where the list holds so many rows that not even a refusal finds a place.
        """
        with self._change():
            for file in files:
                if file.id in self._rows:
                    continue
                if len(self._rows) >= 2 * MOST_ROWS:
                    return False
                row = Row(file.id, file.name, file.size)
                if file.size > MAX_BYTES:
                    row.status, row.wanted = "refused", False
                    row.reason = Message("imaging.too_many_bytes", limit=MAX_BYTES // 2**20)
                elif len(self._rows) >= MOST_ROWS:
                    row.status, row.wanted = "refused", False
                    row.reason = Message("web.room.full", rows=MOST_ROWS)
                self._rows[row.id] = row
                self._touch(row, order=True)
        return True

    def add_demo(self, row_id: str, name: str, path: Path) -> None:
        """Make a row of a demo image."""
        with self._change():
            self.announce([Announced(row_id, name, path.stat().st_size)])
            row = self._rows.get(row_id)
            if row is not None and row.wanted:
                row.demo = path
                self._want(row)
        self._wake()

    def reserve(self, row_id: str, size: int) -> bool | None:
        """Reserve memory for a file that begins to arrive.

        Returns
        -------
        bool or None
            False where it has to wait, also for an earlier try that has not ended; None where no file is wanted.
        """
        has_room = WAITING.has_room(self, size)  # looks at other rooms, so without this one's lock
        with self._lock:
            row = self._rows.get(row_id)
            if row is None or not row.wanted:
                return None
            if not has_room or row_id in self._arriving:
                return False
            self._arriving[row_id] = size
            return True

    def release(self, row_id: str) -> None:
        """Give up the memory reserved for a file that did not arrive."""
        with self._lock:
            self._arriving.pop(row_id, None)

    def fill(self, row_id: str, data: bytes) -> None:
        """Take the bytes of a file."""
        with self._change():
            self._arriving.pop(row_id, None)
            row = self._rows.get(row_id)
            if row is None or not row.wanted:
                return
            row.data, row.wanted = data, False
            self._touch(row)
        self._wake()

    def lose(self, row_id: str) -> None:
        """Note that the browser cannot read a file that it announced."""
        with self._change():
            row = self._rows.get(row_id)
            if row is not None and row.wanted:
                row.wanted = False
                if row.status == "waiting":
                    row.status, row.reason = "failed", Message("web.room.lost")
                self._touch(row)

    def waiting_bytes(self) -> int:
        """Count the bytes of files that wait or arrive."""
        return sum(len(row.data or b"") for row in list(self._rows.values())) + sum(list(self._arriving.values()))

    # What the user does.

    def select(self, row_id: str | None, stamp: int | None = None) -> None:
        """Make a row the one that the user looks at.

        Parameters
        ----------
        row_id : str or None
        stamp : int, optional
            Of the browser, ascending: a late request changes nothing.
        """
        with self._change():
            stamp = self._stamps["selected"] + 1 if stamp is None else stamp
            if stamp >= self._stamps["selected"] and (row_id is None or row_id in self._rows):
                self._selected, self._stamps["selected"] = row_id, stamp
                if row_id is not None:
                    self._rows[row_id].seen = True
                    self._touch(self._rows[row_id])

    def set_prevalence(self, prevalence: float, stamp: int | None = None) -> None:
        """Set the prevalence of every number that the session shows, strictly between 0 and 1."""
        with self._change():
            stamp = self._stamps["prevalence"] + 1 if stamp is None else stamp
            if stamp >= self._stamps["prevalence"]:
                self.prevalence, self._stamps["prevalence"] = prevalence, stamp

    def annotate(
        self, row_id: str, seen: bool | None = None, mark: Mark | str | None = None, note: str | None = None
    ) -> None:
        """Note what the user thinks of a row; None changes nothing, an empty mark takes it away."""
        with self._change():
            row = self._rows.get(row_id)
            if row is None:
                return
            row.seen = row.seen if seen is None else seen
            row.note = row.note if note is None else note
            if mark is not None:
                row.mark = mark or None  # type: ignore[assignment]
            self._touch(row)

    def cancel(self, ids: Iterable[str] | None = None) -> None:
        """Stop waiting for rows; None for all."""
        chosen = None if ids is None else set(ids)
        with self._change():
            for row in self._rows.values():
                queued = row.status == "waiting" or (row.status == "reading" and self.place > 0)
                if queued and (chosen is None or row.id in chosen):
                    row.status, row.data, row.wanted = "cancelled", None, False
                    row.reason = Message("web.room.cancelled")
                    self._touch(row)

    def again(self, row_id: str) -> None:
        """Read a row again that failed, was cancelled, or whose image was released."""
        with self._change():
            row = self._rows.get(row_id)
            if row is None or row.is_gone or not (row.status in ("failed", "cancelled") or row.released):
                return
            if not row.released:
                row.status, row.reason = "waiting", None
            self._want(row)
            self._touch(row)
        self._wake()

    def repair(self, row_id: str, repairs: Repairs) -> None:
        """Read the image of a row again with repairs, which take the place of earlier ones."""
        with self._change():
            row = self._rows.get(row_id)
            if row is None or row.is_gone or row.status not in ("read", "refused", "failed"):
                return
            row.repairs, row.status, row.released = repairs.steps, "waiting", False
            row.reading = row.refused = row.reason = None
            self._want(row)
            self._touch(row)
        self._wake()

    def remove(self, ids: Iterable[str]) -> None:
        """Take rows out of the list; `undo` brings the latest ones back for some minutes."""
        gone = set(ids)
        with self._change():
            order = list(self._rows)
            rows = [self._rows.pop(row_id) for row_id in order if row_id in gone]
            if not rows:
                return
            for row in rows:
                if row.data is not None:
                    row.data, row.wanted = None, True
            self._forget_undo()
            self.maps.keep({row.identity for row in self._rows.values()})
            self._undo = Undo(rows, order, _later(self._expire))
            if self._selected in gone:
                self._selected = _neighbour(order, self._selected, gone)
            self._touch(order=True)

    def clear(self) -> None:
        """Take all rows out of the list."""
        self.remove(list(self._rows))

    def undo(self) -> None:
        """Bring back what was removed last, to where it was."""
        with self._change():
            undo = self._undo
            if undo is None:
                return
            back = {row.id: row for row in undo.rows}
            before = {row_id: back.get(row_id) or self._rows.get(row_id) for row_id in undo.order}
            later = {row_id: row for row_id, row in self._rows.items() if row_id not in before}
            self._rows = {row_id: row for row_id, row in before.items() if row is not None} | later
            for row in back.values():
                if row.wanted:
                    self._want(row)
            self._forget_undo()
            self._touch(*back.values(), order=True)
        self._wake()

    # What the worker does.

    def next_job(self) -> Job | None:
        """Give the next file, and mark its row as being read."""
        with self._change():
            row = next((row for row in self._rows.values() if row.data is not None), None)
            if row is None or self._reader is None:
                self._working, self.place = False, 0
                return None
            data, row.data = row.data or b"", None
            if row.status == "waiting":
                row.status = "reading"
            self._touch(row)
            return Job(row.id, row.name, data, self._reader, self._client, Repairs.parse(row.repairs))

    def known(self, job: Job) -> Outcome | None:
        """Give the outcome of the same image where it was read before; a failure may have been chance."""
        with self._lock:
            for row in self._everything():
                settled = row.status in ("read", "refused") and not row.released
                if settled and row.identity == job.identity and row.read_at is not None:
                    shown = row.thumbnail, row.refused, row.attributes
                    return Outcome(row.status, row.reading, row.reason, row.read_at, *shown)
            return None

    def is_needed(self, job: Job, place: int) -> bool:
        """Take the place in the queue, and tell whether the row still waits."""
        if place != self.place:
            with self._change():
                self.place = place
        row = self.row(job.id)
        return row is not None and row.status != "cancelled"

    def finish(self, job: Job, outcome: Outcome | None) -> None:
        """Take the outcome of a job."""
        kept = outcome is not None and self.keeper is not None and self.keeper.keep_file(job.data)
        with self._change():
            self.place = 0
            row = next((row for row in self._everything() if row.id == job.id), None)
            if row is not None and row.status != "cancelled":
                if job.repairs.steps != row.repairs:  # repaired meanwhile: this is of the image before
                    return
                if outcome is None:
                    row.wanted = True
                    row.status = "waiting" if row.status == "reading" else row.status
                    self._touch(row)
                else:
                    row.has_file = kept and row.demo is None
                    self._settle(row, job.identity, outcome)
        self._make_room()

    def broken(self, reference: str) -> None:
        """Note that the thread has ended by an error: what it read has failed, and the next file starts another."""
        with self._change():
            self._working, self.place = False, 0
            for row in self._everything():
                if row.status == "reading":
                    row.status, row.reason = "failed", Message("web.read.failed", reference=reference)
                    self._touch(row)
        self._wake()

    def _settle(self, row: Row, identity: str, outcome: Outcome) -> None:
        row.identity, row.status, row.reason = identity, outcome.status, outcome.reason
        row.read_at, row.thumbnail, row.attributes = outcome.read_at, outcome.thumbnail, outcome.attributes
        same = [other for other in self._everything() if other.released and other.identity == identity]
        for one in dict.fromkeys([row, *same]):
            one.reading, one.refused, one.released = _named(outcome.reading, one.name), outcome.refused, False
            one.restored = one.restored and one is not row
            one.outcome = self.version
            self._touch(one)

    # Memory.

    def image_bytes(self) -> int:
        """Memory that the images take; rows of the same file share theirs."""
        with self._lock:
            return sum({row.identity: row.bytes for row in self._everything() if row.bytes}.values())

    def release_oldest(self) -> bool:
        """Release the image that was read first, one that was removed before others; never the selected one.

        Returns
        -------
        bool
            False where there is none.
        """
        with self._change():
            selected = self._rows.get(self._selected or "")
            able = [
                row for row in self._everything() if row.bytes and (not selected or row.identity != selected.identity)
            ]
            if not able:
                return False
            gone = min(able, key=lambda row: (row.id in self._rows, row.outcome))
            for row in self._everything():
                if row.bytes and row.identity == gone.identity:
                    row.release()
                    self._touch(row)
            return True

    def _make_room(self) -> None:
        while self._is_over() and self.release_oldest():
            pass
        SHELF.make_room(self)

    def _is_over(self) -> bool:
        with self._lock:
            images = len({row.identity for row in self._everything() if row.bytes})
            return images > MOST_IMAGES or self.image_bytes() > MOST_MEGABYTES * 1e6

    def _everything(self) -> list[Row]:
        return [*(self._undo.rows if self._undo else []), *self._rows.values()]

    def _forget_undo(self) -> None:
        if self._undo is not None:
            self._undo.timer.cancel()
            self._undo = None

    def _expire(self) -> None:
        """Forget what was removed."""
        with self._change():
            self._forget_undo()

    def _want(self, row: Row) -> None:
        """Ask the browser for a file, or the disk for one that is kept or a demo image."""
        row.data = None
        if row.demo is not None:
            row.data = row.demo.read_bytes()
        elif row.has_file and self.keeper is not None:
            row.data = self.keeper.file(row.identity.partition(",")[0])
            row.has_file = row.data is not None
        row.wanted = row.data is None

    def _wake(self) -> None:
        with self._lock:
            if self._working or self._reader is None:
                return
            self._working = any(row.data is not None for row in self._rows.values())
            begin = self._working
        if begin:
            worker.start(self)

    @contextmanager
    def _change(self) -> Iterator[None]:
        with self._lock:
            self.version += 1
            yield
        self.changes.tell()
        if self.keeper is not None:
            self.keeper.changed(self)

    def _touch(self, *rows: Row, order: bool = False) -> None:
        for row in rows:
            row.version = self.version
        if order:
            self._order_version = self.version


def _neighbour(order: list[str], row_id: str, gone: set[str]) -> str | None:
    """The nearest row that stays: the next one, else the one before."""
    at = order.index(row_id)
    return next((other for other in [*order[at:], *reversed(order[:at])] if other not in gone), None)


def _named(reading: Reading | None, name: str) -> Reading | None:
    """The reading of the same file under another name."""
    if reading is None or reading.name == name:
        return reading
    return replace(reading, radiograph=replace(reading.radiograph, name=name))


def _later(act: Callable[[], None]) -> threading.Timer:
    """Call a method in some minutes, unless its object is gone by then."""
    method = weakref.WeakMethod(act)

    def call() -> None:
        if known := method():
            known()

    timer = threading.Timer(UNDO_SECONDS, call)
    timer.daemon = True
    timer.start()
    return timer
