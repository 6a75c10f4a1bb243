"""Programs that some tests need beside Python, and the Debian packages that install them."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

PACKAGES = {
    "Orthanc": "orthanc",
    "storescu": "dcmtk",
    "echoscu": "dcmtk",
    "dcmcjpeg": "dcmtk",
    "dsrdump": "dcmtk",
    "dciodvfy": "dicom3tools",
    "initdb": "postgresql",
    "postgres": "postgresql",
    "pg_ctl": "postgresql",
}
"""Package by program."""

PLACES = ("/usr/sbin", *sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")), reverse=True))
"""Folders where Debian puts programs that are not in everyone's search path."""

DICOMWEB_PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")


def find_program(name: str) -> str | None:
    """Path of a program of ``PACKAGES``; None where it is not installed."""
    assert name in PACKAGES
    return shutil.which(name) or shutil.which(name, path=":".join(PLACES))


def require_program(name: str, give_up: Callable[[str], NoReturn]) -> str:
    """Path of a program of ``PACKAGES``; gives up on the test where it is not installed."""
    path = find_program(name)
    if path is None:
        give_up(f"needs the program {name}: install the package {PACKAGES[name]}")
    return path
