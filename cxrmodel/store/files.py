"""Files of the images in the data folder: durable before anything is acknowledged, named by their checksum."""

import errno
import hashlib
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cxrmodel.errors import StoreError, StoreUnavailable

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_PART = ".part"


class Files:
    """Files below one folder: the first two digits of the checksum are the folder of each.

    Parameters
    ----------
    folder : Path
        The data folder.
    name : str
        Of the folder in it.
    """

    def __init__(self, folder: Path, name: str = "inbox") -> None:
        self.folder = folder / name

    def path(self, sha256: str) -> Path:
        """Place of a file."""
        return self.folder / sha256[:2] / sha256

    def keep(self, data: bytes) -> str:
        """Write a file; it survives a power cut when this returns.

        Parameters
        ----------
        data : bytes

        Returns
        -------
        str
            Its checksum, SHA-256 as 64 hexadecimal digits.

        Raises
        ------
        StoreUnavailable
            When the disk is full, or the folder cannot be used. Nothing is left of the file.
        """
        sha256 = hashlib.sha256(data).hexdigest()
        path = self.path(sha256)
        with _failures():
            if not path.parent.is_dir():
                for folder in (self.folder, path.parent):
                    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                    _sync(folder.parent)
            if path.exists():
                os.utime(path)  # it is new again: no sweep may take it now
            else:
                _write(path, data)
            _sync(path.parent)
        return sha256

    def read(self, sha256: str) -> bytes:
        """Read a file.

        Raises
        ------
        StoreError
            When it is gone, or is not what was received.
        StoreUnavailable
            When it cannot be read.
        """
        try:
            with _failures():
                data = self.path(sha256).read_bytes()
        except FileNotFoundError:
            raise StoreError("store.file_missing") from None
        if hashlib.sha256(data).hexdigest() != sha256:
            raise StoreError("store.file_damaged")
        return data

    def older_than(self, seconds: float) -> Iterator[str]:
        """Give the names of files, unfinished ones among them, that were written so long ago, or earlier."""
        latest = time.time() - seconds
        for path in self.folder.glob("??/*"):
            with suppress(FileNotFoundError):
                if path.lstat().st_mtime <= latest:
                    yield path.name

    def delete(self, sha256: str) -> None:
        """Delete a file, which may be gone already.

        Raises
        ------
        StoreUnavailable
        """
        with _failures(), suppress(FileNotFoundError):
            self.path(sha256).unlink()
            _sync(self.path(sha256).parent)


def _write(path: Path, data: bytes) -> None:
    part = path.with_name(f"{path.name[:2]}{secrets.token_hex(8)}{_PART}")  # `delete` finds it by its name too
    try:
        opened = os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(opened, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise


def _sync(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


@contextmanager
def _failures() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        if error.errno in _FULL:
            raise StoreUnavailable("store.disk_full") from error
        raise StoreUnavailable("store.unavailable", reason=error.strerror or str(error)) from error
