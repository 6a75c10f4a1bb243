"""Secrets: each in a file of its own, which nobody but its owner may open."""

import os
import stat
from pathlib import Path

from cxrmodel.errors import SettingError

_MOST_BYTES = 4096


def check_secret(path: Path) -> None:
    """Refuse a secret's file that others may read or change, or that is none.

    Raises
    ------
    SettingError
        With the way to repair it.
    """
    try:
        found = path.stat()
    except OSError as error:
        raise _unusable(path, error) from error
    if not stat.S_ISREG(found.st_mode):
        raise SettingError("configuration.secret.no_file", file=str(path))
    if stat.S_IMODE(found.st_mode) & 0o077:
        raise SettingError("configuration.secret.open", file=str(path), mode=f"{stat.S_IMODE(found.st_mode):03o}")
    if found.st_uid not in (os.geteuid(), 0):
        raise SettingError("configuration.secret.owner", file=str(path))


def read_secret(path: Path) -> str:
    """Read a password or token: the whole file without the line end at its end.

    Parameters
    ----------
    path : Path

    Raises
    ------
    SettingError
        When the file cannot be read, is empty, is no text, or others may read or change it.
    """
    check_secret(path)
    try:
        with path.open("rb") as file:
            secret = file.read(_MOST_BYTES + 1).decode().rstrip("\r\n")
    except OSError as error:
        raise _unusable(path, error) from error
    except UnicodeDecodeError:
        secret = ""
    if not secret or len(secret) > _MOST_BYTES or "\n" in secret or "\0" in secret:
        raise SettingError("configuration.secret.not_one_line", file=str(path))
    return secret


def _unusable(path: Path, error: OSError) -> SettingError:
    return SettingError("configuration.secret.unreadable", file=str(path), reason=error.strerror or str(error))
