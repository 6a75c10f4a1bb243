"""Provenance of an evaluation: hashes of the code and of the images, and versions of libraries."""

import hashlib
import platform
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

from cxrmodel.errors import DataError
from cxrmodel.evaluation.schema import Provenance
from cxrmodel.imaging.radiograph import MAX_BYTES
from cxrmodel.paths import BUNDLE, PACKAGE
from cxrmodel.training.archive import Image

_LIBRARIES = ("numpy", "onnxruntime", "opencv-python-headless", "pillow", "scikit-learn")


def provenance(images: Mapping[str, Sequence[Image]]) -> Provenance:
    """Describe the code, images and libraries of an evaluation.

    Parameters
    ----------
    images : mapping of str to sequence of Image
        By split.

    Raises
    ------
    DataError
        When an image cannot be read.
    """
    return provenance_of({split: images_sha256(members) for split, members in images.items()})


def provenance_of(hashes: Mapping[str, str]) -> Provenance:
    """Describe the code and libraries of an evaluation of images with these hashes, by split."""
    return Provenance(
        code_sha256=code_sha256(),
        images_sha256=dict(hashes),
        python=platform.python_version(),
        libraries={name: version(name) for name in _LIBRARIES},
    )


def code_sha256(package: Path = PACKAGE) -> str:
    """Hash of the program's own source: name and content of every Python file, in order of their names.

    A checkout and an installed package have the same hash.
    """
    digest = hashlib.sha256()
    for path in sorted(path for path in package.rglob("*.py") if BUNDLE not in path.parents):
        digest.update(f"{path.relative_to(package).as_posix()}\n".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def images_sha256(images: Sequence[Image]) -> str:
    """Hash of a set of images: name, label and content of each, in order of their names.

    Raises
    ------
    DataError
        When an image cannot be read.
    """
    return set_sha256((image.name, image.label, hashlib.sha256(read_image(image.path)).digest()) for image in images)


def set_sha256(images: Iterable[tuple[str, int, bytes]]) -> str:
    """Hash of a set of images by name, label and SHA-256 of the content of each."""
    digest = hashlib.sha256()
    for name, label, content in sorted(images):
        digest.update(f"{name}\n{label}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def read_image(path: Path) -> bytes:
    """Read the bytes of an image; of one that is too large, no more than show that it is.

    Raises
    ------
    DataError
        When that fails.
    """
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise DataError("evaluation.error.image", file=str(path), reason=error.strerror) from error
