"""Inbox that watches a folder. Names of files, which often are those of patients, leave it nowhere."""

import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cxrmodel.configuration.schema import FolderInbox
from cxrmodel.errors import ImageRefused, ImageTooLarge, TransientFailure
from cxrmodel.exchange.admission import Admission
from cxrmodel.exchange.image_header import refuse_incomplete
from cxrmodel.exchange.inbox.inbox import repeat
from cxrmodel.exchange.probe import Probe
from cxrmodel.imaging.radiograph import MAX_BYTES
from cxrmodel.messages import Message

DONE, REFUSED = "done", "refused"
"""Subfolders to which files are moved. What is in them is not taken again."""
PATIENCE = 60.0
"""Seconds for which a file that is no whole image must have stayed the same before it is refused."""
_UNFINISHED = (".part", ".partial", ".tmp", ".temp", ".filepart", ".crdownload", "~")
"""Ends of names under which programs write files that are not finished."""


@dataclass(frozen=True)
class _Stamp:
    """Tells whether a file has changed."""

    inode: int
    size: int
    modified: int

    @classmethod
    def of(cls, status: os.stat_result) -> "_Stamp":
        return cls(status.st_ino, status.st_size, status.st_mtime_ns)


class WatchedFolder:
    """Takes files in once they have stopped changing and are complete.

    Parameters
    ----------
    settings : FolderInbox
    """

    def __init__(self, settings: FolderInbox) -> None:
        self.name, self._settings = settings.name, settings
        self._seen: dict[Path, tuple[_Stamp, float]] = {}
        self._taken: dict[Path, _Stamp] = {}

    def run(self, stop: threading.Event, admission: Admission) -> None:
        """Take images in until ``stop`` is set; see ``Inbox``."""
        repeat(self.name, admission, stop, self._settings.every_seconds, lambda: self.round(stop, admission))

    def round(self, stop: threading.Event, admission: Admission) -> None:
        """Look once at every file.

        Raises
        ------
        TransientFailure
            When the folder cannot be read, or a file that was taken in can be neither moved nor deleted.
        StoreUnavailable
        """
        found = {}
        try:
            for path, stamp in self._files(self._settings.path):
                found[path] = stamp
        except OSError as error:
            raise TransientFailure("exchange.folder.unreadable", reason=error.strerror or str(error)) from error
        now = time.monotonic()
        self._taken = {path: stamp for path, stamp in self._taken.items() if found.get(path) == stamp}
        self._seen = {
            path: self._seen[path] if path in self._seen and self._seen[path][0] == stamp else (stamp, now)
            for path, stamp in found.items()
            if path not in self._taken
        }
        for path, (stamp, since) in sorted(self._seen.items(), key=lambda item: item[1][0].modified):
            if stop.is_set():
                return
            if now - since >= self._settings.settle_seconds:
                self._take(path, stamp, now - since, admission)

    def check(self) -> Iterator[Probe]:
        """List the folder; where files are moved or deleted, write a file and delete it."""
        try:
            count = sum(1 for _ in self._files(self._settings.path))
            yield Probe(True, Message("exchange.probe.folder", count=count))
            if self._settings.after != "keep":
                trial = self._settings.path / f".cxrmodel-{os.getpid()}"
                trial.touch(exist_ok=False)
                trial.unlink()
                yield Probe(True, Message("exchange.probe.folder_writable"))
        except OSError as error:
            yield Probe(False, Message("exchange.folder.unreadable", reason=error.strerror or str(error)))

    def _files(self, folder: Path) -> Iterator[tuple[Path, _Stamp]]:
        top = folder == self._settings.path
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith(".") or entry.name.casefold().endswith(_UNFINISHED):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    if not (top and entry.name in (DONE, REFUSED)):
                        yield from self._files(Path(entry.path))
                elif entry.is_file(follow_symlinks=False):
                    try:
                        yield Path(entry.path), _Stamp.of(entry.stat(follow_symlinks=False))
                    except FileNotFoundError:
                        continue

    def _take(self, path: Path, stamp: _Stamp, unchanged: float, admission: Admission) -> None:
        """Take one file in. ``unchanged`` is for how many seconds it has stayed the same."""
        try:
            data = _read(path, stamp)
        except OSError as error:
            if isinstance(error, FileNotFoundError):
                return
            raise TransientFailure("exchange.folder.unreadable", reason=error.strerror or str(error)) from error
        if data is None:
            self._seen.pop(path, None)
            return
        place = DONE
        try:
            if len(data) > MAX_BYTES:
                raise ImageTooLarge("imaging.too_many_bytes", limit=MAX_BYTES // 2**20)
            refuse_incomplete(data)
            admission.deliver(data, self.name)
        except ImageRefused as error:
            if unchanged < PATIENCE:
                return
            admission.reject(self.name, error.message)
            place = REFUSED
        self._taken[path] = stamp
        self._seen.pop(path, None)
        self._clear(path, place)

    def _clear(self, path: Path, place: str) -> None:
        try:
            if self._settings.after == "delete" and place == DONE:
                path.unlink(missing_ok=True)
            elif self._settings.after != "keep":
                _move(path, self._settings.path / place / path.relative_to(self._settings.path))
        except OSError as error:
            raise TransientFailure("exchange.folder.not_cleared", reason=error.strerror or str(error)) from error


def _read(path: Path, stamp: _Stamp) -> bytes | None:
    """A whole file; None where it has changed since it was looked at."""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
        data = file.read(MAX_BYTES + 1)
        same = _Stamp.of(os.fstat(file.fileno())) == stamp
    return data if same and len(data) == min(stamp.size, MAX_BYTES + 1) else None


def _move(path: Path, place: Path) -> None:
    """Move a file without replacing another one. Network folders have no hard links, which would be safer still."""
    place.parent.mkdir(parents=True, exist_ok=True)
    number, target = 1, place
    while target.exists():
        number += 1
        target = place.with_name(f"{place.stem}-{number}{place.suffix}")
    path.rename(target)
