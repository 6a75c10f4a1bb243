"""A folder with everything in it, or one file."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

from cxrmodel.archive.sources.source import Fetched, Item, SourceKind
from cxrmodel.errors import DataError, SourceUnavailable
from cxrmodel.inputs import InputFile, list_files

_UNREACHABLE = {
    errno.EHOSTDOWN,
    errno.EHOSTUNREACH,
    errno.ENETUNREACH,
    errno.ENODEV,
    errno.ENOTCONN,
    errno.ESTALE,
    errno.ETIMEDOUT,
}
"""Errors of a network share, not of a file."""


class Files:
    """Files below a folder, or one file. The id of an image is its path within the folder; of one file it is its name.

    Parameters
    ----------
    root : Path
        Absolute.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._base = root.parent if root.is_file() else root

    def items(self) -> Iterator[Item]:
        """List the files as ``read`` does: without hidden ones, sorted by the bytes of their names.

        Raises
        ------
        DataError
            When nothing stands there.
        """
        if not os.path.lexists(self.root):
            raise DataError("archive.source.missing", place=str(self.root))
        for file in list_files([self.root]):
            yield Item(as_text(file.path.relative_to(self._base)), *(file.state or (None, None)))

    def fetch(self, item: Item) -> Fetched:
        """Read one file.

        Raises
        ------
        SourceUnavailable
            When the folder itself is gone.
        CxrError, OSError
            As ``InputFile.read``.
        """
        try:
            return fetched(self._base / as_path(item.id))
        except FileNotFoundError:
            if not _holds_something(self._base):  # also where a share is not mounted
                raise SourceUnavailable("archive.source.gone", place=str(self.root)) from None
            raise


def fetched(path: Path) -> Fetched:
    """Read a file, and tell when it was last changed.

    Raises
    ------
    SourceUnavailable
        When the machine that holds it cannot be reached.
    CxrError, OSError
        As ``InputFile.read``.
    """
    file = InputFile(path, Path(path.name))
    try:
        data = file.read()
    except OSError as error:
        if error.errno in _UNREACHABLE:
            raise SourceUnavailable("archive.source.gone", place=str(path.parent)) from error
        raise
    return Fetched(data, file.state[1] if file.state else None)


def _holds_something(folder: Path) -> bool:
    try:
        with os.scandir(folder) as entries:
            return any(True for _ in entries)
    except OSError:
        return False


def as_text(path: Path) -> str:
    r"""A path as text that can be stored: bytes that are no UTF-8 are ``\xff``, and a backslash is ``\\``."""
    return os.fsencode(path).replace(b"\\", b"\\\\").decode("utf-8", "backslashreplace")


def as_path(text: str) -> Path:
    """The path that ``as_text`` wrote."""
    raw, place = bytearray(), 0
    whole = text.encode()
    while (found := whole.find(b"\\", place)) >= 0:
        raw += whole[place:found]
        if whole[found + 1 : found + 2] == b"x":
            raw.append(int(whole[found + 2 : found + 4], 16))
            place = found + 4
        else:
            raw += b"\\"
            place = found + 2
    return Path(os.fsdecode(bytes(raw + whole[place:])))


FILES = SourceKind(
    "files",
    "a folder, read with its subfolders, or an image",
    takes=lambda argument: True,
    place=lambda argument: as_text(Path(os.path.abspath(argument))),
    open=lambda place: Files(as_path(place)),
)
