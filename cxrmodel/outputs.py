"""Files that are written: whole or not at all, never through a link, over others only when asked, by one run at a time.

A file is written beside its place under a hidden name and then renamed, so that a full disk, an error or a killed
process leaves the earlier file, or none.
"""

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from cxrmodel.errors import OutputFailed, OutputRefused

_NAME_BYTES = 240
"""Of the output's name within the name of its lock; file systems allow 255 in all."""


def refuse_existing(path: Path, *, overwrite: bool = False) -> None:
    """Refuse a place where something stands that is not to be replaced; long work asks before it begins.

    Parameters
    ----------
    path : Path
    overwrite : bool
        Whether a regular file may be replaced. Links, folders and devices never are.

    Raises
    ------
    OutputRefused
    OutputFailed
        When the place cannot be looked at, for example because its name is too long.
    """
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise failed(path, error) from error
    if stat.S_ISLNK(mode):
        raise OutputRefused("outputs.link", file=str(path))
    if not stat.S_ISREG(mode):
        raise OutputRefused("outputs.not_a_file", file=str(path))
    if not overwrite:
        raise OutputRefused("outputs.exists", file=str(path))


@contextmanager
def draft(path: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Give a path to write to, and put what was written in its place, on disk, when the block ends without an error.

    Parameters
    ----------
    path : Path
        Where the file shall stand. Its folder is created if need be.
    overwrite : bool
        Whether an earlier file may be replaced. The new one takes over its permissions.

    Yields
    ------
    Path
        In the same folder, with the same suffix.

    Raises
    ------
    OutputRefused
        As ``refuse_existing``.
    OutputFailed
        When the operating system reports an error, for example that the disk is full.
    """
    refuse_existing(path, overwrite=overwrite)
    part = path.with_name(f".{secrets.token_hex(8)}.part{path.suffix[-8:]}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield part
        with suppress(FileNotFoundError):
            part.chmod(stat.S_IMODE(path.lstat().st_mode))
        _sync(part)
        _place(part, path, overwrite)
        with suppress(OSError):  # some file systems cannot do this for a folder
            _sync(path.parent)
    except OSError as error:
        raise failed(path, error) from error
    finally:
        with suppress(OSError):
            part.unlink()


def write(path: Path, content: bytes | str, *, overwrite: bool = False) -> None:
    """Write a whole file as ``draft`` does; text is UTF-8 with the line ends that it has."""
    with draft(path, overwrite=overwrite) as part:
        part.write_bytes(content.encode() if isinstance(content, str) else content)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an output against other runs for the time of a ``with`` block.

    The operating system releases the lock of a process that was killed.

    Parameters
    ----------
    path : Path
        A folder that exists, or the place of a file.

    Raises
    ------
    OutputRefused
        When another run holds it.
    OutputFailed
        When the folder cannot be written to, or its file system has no locks.
    """
    name = os.fsdecode(os.fsencode(path.name)[:_NAME_BYTES])
    place = path / ".cxrmodel.lock" if path.is_dir() else path.with_name(f".{name}.lock")
    lock = FileLock(place, fallback_to_soft=False)
    try:
        lock.acquire(blocking=False)
    except Timeout as error:
        raise OutputRefused("outputs.locked", output=str(path)) from error
    except (OSError, NotImplementedError) as error:  # the latter where a file system has no locks
        raise failed(path, error) from error
    try:
        yield
    finally:
        with suppress(OSError):
            place.unlink()  # while it is held: FileLock takes no lock on a file without a name
        lock.release()


def _sync(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _place(part: Path, path: Path, overwrite: bool) -> None:
    if not overwrite:
        try:
            os.link(part, path)  # unlike a renaming, this never replaces a file that has come meanwhile
            return
        except OSError:  # it has come, or the file system has no hard links
            refuse_existing(path)
    part.replace(path)


def failed(path: Path, error: Exception) -> OutputFailed:
    """The error of a place that the operating system does not let be written to."""
    return OutputFailed("outputs.not_written", file=str(path), reason=getattr(error, "strerror", None) or str(error))
