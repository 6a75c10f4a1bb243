"""Images beside the archive that the checks learn from: unlabelled adults, and real images of other kinds.

``adult_unlabelled/*.jpg`` with ``adult_unlabelled.csv`` (columns ``file`` and ``patient``), and
``not_chest/{abdomenct,breastmri,chestct,hand,headct}/*``, 64 px images of MedNIST. Both may be missing.
"""

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cxrmodel.errors import DataError
from cxrmodel.records import read_rows
from cxrmodel.training.archive import load_files

ADULTS, TESTED = "adult_unlabelled.csv", "adult_rsna.csv"
"""Tables beside the archive: images of adults to learn from, and those that are for testing only."""
KIND_OF_FOLDER = {"abdomenct": "ct", "breastmri": "mr", "chestct": "ct", "hand": "hand", "headct": "ct"}
"""Kind of image in each folder of ``not_chest``."""

Images = NDArray[np.uint8]


def adults(root: Path, *, held_out: bool | None = None) -> Images:
    """Canonical images of the unlabelled adults: all, or four fifths of the patients, or the fifth that is held out.

    Patients of the panel of adults (``adult_rsna.csv``) are left out, because that panel is for testing.

    Returns
    -------
    ndarray of uint8, shape (N, 224, 224)

    Raises
    ------
    DataError
        When a table or an image is damaged.
    """
    tested = {row["patient"] for row in _rows(root / TESTED)}
    rows = [row for row in _rows(root / ADULTS) if row["patient"] not in tested]
    if held_out is not None:
        rows = [row for row in rows if (_digest(row["patient"].encode())[0] % 5 == 0) == held_out]
    return load_files(root / row["file"] for row in rows)


def other_kinds(root: Path, kind: str, *, held_out: bool) -> Images:
    """Canonical images of one kind: half of each folder, or the half that is held out, by checksum.

    Parameters
    ----------
    kind : str
        ``ct``, ``mr`` or ``hand``.

    Returns
    -------
    ndarray of uint8, shape (N, 224, 224)

    Raises
    ------
    DataError
        When an image is damaged.
    """
    folders = [root / "not_chest" / folder for folder, named in KIND_OF_FOLDER.items() if named == kind]
    return load_files(path for folder in folders for path in _halves(folder)[held_out])


def held_out_kinds(root: Path) -> dict[str, list[Path]]:
    """Files of each kind that the network has not learnt from."""
    kinds: dict[str, list[Path]] = {}
    for folder, kind in KIND_OF_FOLDER.items():
        kinds.setdefault(kind, []).extend(_halves(root / "not_chest" / folder)[1])
    return kinds


def _halves(folder: Path) -> tuple[list[Path], list[Path]]:
    paths = sorted((path for path in folder.glob("*") if path.is_file()), key=lambda path: _digest(path.read_bytes()))
    return paths[::2], paths[1::2]


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _rows(path: Path) -> list[dict[str, str]]:
    try:
        rows = read_rows(path) if path.is_file() else []
    except ValueError as error:
        raise DataError("training.damaged_table", path=str(path)) from error
    if rows and not {"file", "patient"} <= rows[0].keys():
        raise DataError("training.damaged_table", path=str(path))
    return rows
