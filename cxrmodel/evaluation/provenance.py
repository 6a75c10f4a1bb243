"""Which code and which films an evaluation was made with, as hashes."""

import hashlib
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

from cxrmodel.errors import DataError
from cxrmodel.training.dataset import Film

__all__ = ["code_sha256", "films_sha256", "provenance"]

PACKAGE = Path(__file__).resolve().parents[1]
_LIBRARIES = ("numpy", "onnxruntime", "opencv-python-headless", "pillow", "scikit-learn")


def provenance(films: Mapping[str, Sequence[Film]]) -> dict:
    """Describe what an evaluation is made with.

    Parameters
    ----------
    films : mapping of str to sequence of Film
        By split.

    Returns
    -------
    dict
        ``code_sha256``, ``films_sha256`` by split, ``python`` and ``libraries`` with their versions.

    Raises
    ------
    DataError
        When a film cannot be read.
    """
    return {
        "code_sha256": code_sha256(),
        "films_sha256": {split: films_sha256(members) for split, members in films.items()},
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in _LIBRARIES},
    }


def code_sha256(package: Path = PACKAGE) -> str:
    """Hash of the program's own source: name and content of every Python file, in order of their names."""
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        digest.update(f"{path.relative_to(package).as_posix()}\n".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def films_sha256(films: Sequence[Film]) -> str:
    """Hash of a set of films: name, label and content of each, in order of their names.

    Raises
    ------
    DataError
        When a film cannot be read.
    """
    digest = hashlib.sha256()
    for film in sorted(films, key=lambda film: film.name):
        digest.update(f"{film.name}\n{film.label}\n".encode())
        try:
            digest.update(hashlib.sha256(film.path.read_bytes()).digest())
        except OSError as error:
            raise DataError(f"{film.path} cannot be read ({error.strerror}). Unpack the archive again.") from error
    return digest.hexdigest()
