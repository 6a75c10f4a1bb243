"""Files that are named to be read: found in folders, and opened so that none stops the others.

Nothing is opened that could block or never end: type and size are asked first, of the name and again of the open file.
"""

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cxrmodel.errors import DataError, ImageTooLarge, UnsupportedFile
from cxrmodel.imaging.radiograph import MAX_BYTES
from cxrmodel.messages import Message

_KINDS = {stat.S_IFDIR: "folder", stat.S_IFIFO: "pipe", stat.S_IFSOCK: "socket"}

Identity = tuple[int, int]
"""Device and number of a file or folder, the same by whatever path it is reached."""


@dataclass(eq=False)
class InputFile:
    """A file to be read.

    Attributes
    ----------
    path : Path
        As given, or the given folder and the path within it. Anything may stand there, or nothing.
    relative : Path
        Path relative to the argument that named it.
    seen : os.stat_result or None
        What stood there when it was last looked at; None before, and for nothing.
    """

    path: Path
    relative: Path
    seen: os.stat_result | None = None

    @property
    def name(self) -> str:
        """The path as text, the same in every locale; bytes that are not UTF-8 are lone surrogates."""
        return os.fsencode(self.path).decode("utf-8", "surrogateescape")

    @property
    def state(self) -> tuple[int, int] | None:
        """Size in bytes, and time of the last change in milliseconds since 1970; None for nothing."""
        return None if self.seen is None else (self.seen.st_size, self.seen.st_mtime_ns // 10**6)

    def look(self) -> None:
        """See what stands there now."""
        try:
            self.seen = self.path.stat()
        except OSError:
            self.seen = None

    def read(self) -> bytes:
        """Read the file.

        Raises
        ------
        OSError
        UnsupportedFile
            When it is no regular file. It is not opened.
        ImageTooLarge
            When it has more than ``MAX_BYTES``. It is not read.
        DataError
            When it changes meanwhile.
        """
        self.seen = None
        self.seen = self.path.stat()
        if stat.S_ISDIR(self.seen.st_mode):
            os.scandir(self.path).close()  # the error that kept it from being listed
        _check(self.seen)
        with open(os.open(self.path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY), "rb") as stream:
            self.seen = before = os.fstat(stream.fileno())
            _check(before)
            data = stream.read(before.st_size + 1) or b""
            after = os.fstat(stream.fileno())
        if len(data) != before.st_size or after.st_mtime_ns != before.st_mtime_ns:
            raise DataError("cli.read.changing")
        return data


def _check(seen: os.stat_result) -> None:
    if not stat.S_ISREG(seen.st_mode):
        kind = _KINDS.get(stat.S_IFMT(seen.st_mode), "device")
        raise UnsupportedFile("cli.read.not_a_file", kind=Message(f"cli.read.kind.{kind}"))
    if seen.st_size > MAX_BYTES:
        raise ImageTooLarge("imaging.too_many_bytes", limit=MAX_BYTES // 2**20)


def list_files(paths: Sequence[Path]) -> Iterator[InputFile]:
    """List the files to be read, in the order of the arguments.

    Folders are walked recursively, without hidden files and folders, and sorted by the bytes of the names, which is the
    same in every locale. Links to folders are followed, each once, and none leads back into a folder on its way.
    Whatever is no file is listed too, to be reported: missing files, broken links, pipes, and folders that cannot be
    listed.
    """
    for path in paths:
        yield from _walk(InputFile(path, Path(path.name)))


def _walk(start: InputFile) -> Iterator[InputFile]:
    followed: set[Identity] = set()
    waiting: list[Iterator[tuple[InputFile, frozenset[Identity]]]] = [iter([(start, frozenset())])]
    while waiting:
        if (entered := next(waiting[-1], None)) is None:
            waiting.pop()
            continue
        file, within = entered
        file.look()
        if file.seen is None or not stat.S_ISDIR(file.seen.st_mode):
            yield file
            continue
        folder = _identity(file.seen)
        try:
            entry = file.path.lstat()
            names = [name for name in os.listdir(file.path) if not name.startswith(".")]
        except OSError:
            yield file
            continue
        if folder in within:
            continue
        if file is not start and stat.S_ISLNK(entry.st_mode):
            if _identity(entry) in followed:
                continue
            followed.add(_identity(entry))
        parent = Path() if file is start else file.relative
        names.sort(key=os.fsencode)
        waiting.append(_within(file.path, parent, names, within | {folder}))


def _within(
    folder: Path, relative: Path, names: Sequence[str], inside: frozenset[Identity]
) -> Iterator[tuple[InputFile, frozenset[Identity]]]:
    """The entries of a folder one by one: of a million, only the names are in memory."""
    for name in names:
        yield InputFile(folder / name, relative / name), inside


def _identity(seen: os.stat_result) -> Identity:
    return seen.st_dev, seen.st_ino
