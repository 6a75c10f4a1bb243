"""Test images as audits use them: decoded, with their lungs and logits, and scored again after a change."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cxrmodel.errors import DataError, ImageRefused
from cxrmodel.imaging.canonical import canonical_image
from cxrmodel.imaging.radiograph import Radiograph, read_radiograph
from cxrmodel.metrics.discrimination import auc
from cxrmodel.metrics.estimate import Estimate
from cxrmodel.training.archive import Image

if TYPE_CHECKING:
    from cxrmodel.pipeline import Unchecked
    from cxrmodel.reading import Reader


BATCH = 32
DECODERS = 4

Step = Callable[[int], object]
"""Progress: gets the number of images read since the last call."""


@dataclass(frozen=True, eq=False)
class Panel:
    """Test images that can be decoded.

    Attributes
    ----------
    images : tuple of Image, length N
    pixels : ndarray of uint8, shape (N, 224, 224)
    lungs : ndarray of bool, shape (N, 224, 224)
        Of the segmenter on the intact image; they decide the crop.
    logits : ndarray of float64, shape (N,)
        Of the intact image.
    """

    images: tuple[Image, ...]
    pixels: np.ndarray
    lungs: np.ndarray
    logits: np.ndarray

    @property
    def labels(self) -> np.ndarray:
        """0 normal, 1 pneumonia: ndarray of int, shape (N,)."""
        return np.array([image.label for image in self.images])

    @property
    def patients(self) -> np.ndarray:
        """Grouping keys: ndarray of str, shape (N,)."""
        return np.array([image.patient for image in self.images], str)

    @property
    def auc(self) -> Estimate:
        """AUC of the intact images."""
        return auc(self.labels, self.logits, self.patients)

    def part(self, places: Sequence[int] | np.ndarray) -> "Panel":
        """The images at some places."""
        chosen = np.asarray(places, np.intp)
        return Panel(
            tuple(self.images[i] for i in chosen), self.pixels[chosen], self.lungs[chosen], self.logits[chosen]
        )


def open_image(path: Path) -> Radiograph | None:
    """Decode an image without any check of its content; None where it cannot be decoded."""
    try:
        return read_radiograph(path.read_bytes(), "image")
    except (OSError, ImageRefused):
        return None


def _canonical(path: Path) -> np.ndarray | None:
    image = open_image(path)
    return None if image is None else canonical_image(image.pixels)


def load_panel(reader: "Reader", images: Sequence[Image], step: Step) -> tuple[Panel, int]:
    """Decode images and read them intact, checks off.

    Returns
    -------
    panel : Panel
    unreadable : int
        Images that cannot be decoded and are left out.

    Raises
    ------
    DataError
        When none can be.
    """
    with ThreadPoolExecutor(DECODERS) as pool:
        decoded = list(pool.map(lambda image: _canonical(image.path), images))
    kept = [(image, item) for image, item in zip(images, decoded, strict=True) if item is not None]
    if not kept:
        raise DataError("evaluation.error.undecodable")
    pixels = np.stack([item for _, item in kept])
    found = [(part.lungs, part.logits) for part in _batches(reader, pixels.__getitem__, len(pixels), step)]
    lungs, logits = (np.concatenate(column) for column in zip(*found, strict=True))
    return Panel(tuple(image for image, _ in kept), pixels, lungs, logits), len(images) - len(kept)


def score(
    reader: "Reader", make: Callable[[int], np.ndarray], count: int, step: Step, lungs: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Run the network on generated canonical images, a batch at a time, checks off.

    Parameters
    ----------
    make : callable (place) -> ndarray of uint8, shape (224, 224)
        Makes each image; only one batch is held in memory.
    count : int
        How many; at least one.
    lungs : ndarray of bool, shape (count, 224, 224), or None
        Where to crop; None asks the segmenter.

    Returns
    -------
    logits : ndarray of float64, shape (count,)
    plausible : ndarray of bool, shape (count,)
        Whether a reading would accept the crop as lungs.
    """
    found = [(part.logits, part.plausible) for part in _batches(reader, make, count, step, lungs)]
    logits, plausible = (np.concatenate(column) for column in zip(*found, strict=True))
    return logits, plausible


def _batches(
    reader: "Reader", make: Callable[[int], np.ndarray], count: int, step: Step, lungs: np.ndarray | None = None
) -> "Iterator[Unchecked]":
    for start in range(0, count, BATCH):
        images = np.stack([make(place) for place in range(start, min(start + BATCH, count))])
        yield reader.unchecked(images, None if lungs is None else lungs[start : start + BATCH])
        step(len(images))
