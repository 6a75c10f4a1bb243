"""Films of the official test with what the network says of them intact, and of anything made from them."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cxrmodel.errors import DataError, FilmRefused
from cxrmodel.evaluation import intervals
from cxrmodel.imaging.canonical import canonical_film
from cxrmodel.imaging.radiograph import Radiograph, read_radiograph
from cxrmodel.training.dataset import Film

if TYPE_CHECKING:
    from cxrmodel.reading import Reader

__all__ = ["Panel", "Step", "load_panel", "open_film", "score"]

BATCH = 32
DECODERS = 4

Step = Callable[[int], object]
"""Told of the films that have been read since it was last called."""


@dataclass(frozen=True, eq=False)
class Panel:
    """Test films that can be decoded.

    Attributes
    ----------
    films : tuple of Film, length N
    pixels : ndarray of uint8, shape (N, 224, 224)
    lungs : ndarray of bool, shape (N, 224, 224)
        As the segmenter finds them on the intact film: where it is cropped.
    logits : ndarray of float64, shape (N,)
        Of the intact film.
    """

    films: tuple[Film, ...]
    pixels: np.ndarray
    lungs: np.ndarray
    logits: np.ndarray

    @property
    def labels(self) -> np.ndarray:
        """0 normal, 1 pneumonia: ndarray of int, shape (N,)."""
        return np.array([film.label for film in self.films])

    @property
    def patients(self) -> np.ndarray:
        """Grouping keys: ndarray of str, shape (N,)."""
        return np.array([film.patient for film in self.films], str)

    @property
    def auc(self) -> intervals.Interval:
        """AUC of the intact films."""
        return intervals.auc(self.labels, self.logits, self.patients)

    def part(self, places: Sequence[int] | np.ndarray) -> "Panel":
        """The films at some places."""
        chosen = np.asarray(places, np.intp)
        return Panel(tuple(self.films[i] for i in chosen), self.pixels[chosen], self.lungs[chosen], self.logits[chosen])


def open_film(path: Path) -> Radiograph | None:
    """Decode a film, whatever it shows; None where that cannot be done."""
    try:
        return read_radiograph(path.read_bytes(), "film")
    except (OSError, FilmRefused):
        return None


def _canonical(path: Path) -> np.ndarray | None:
    film = open_film(path)
    return None if film is None else canonical_film(film.pixels)


def load_panel(reader: "Reader", films: Sequence[Film], step: Step) -> tuple[Panel, int]:
    """Decode films and read them intact, gates off.

    Returns
    -------
    panel : Panel
    unreadable : int
        Films that cannot be decoded and are left out.

    Raises
    ------
    DataError
        When none can be.
    """
    with ThreadPoolExecutor(DECODERS) as pool:
        decoded = list(pool.map(lambda film: _canonical(film.path), films))
    kept = [(film, item) for film, item in zip(films, decoded, strict=True) if item is not None]
    if not kept:
        raise DataError("Not one of the test films can be decoded. Unpack the public archive again.")
    pixels = np.stack([item for _, item in kept])
    lungs, logits = [], []
    for start in range(0, len(pixels), BATCH):
        found = reader.ungated(pixels[start : start + BATCH])
        lungs.append(found.lungs)
        logits.append(found.logits)
        step(len(found.logits))
    panel = Panel(tuple(film for film, _ in kept), pixels, np.concatenate(lungs), np.concatenate(logits))
    return panel, len(films) - len(kept)


def score(
    reader: "Reader", make: Callable[[int], np.ndarray], count: int, step: Step, lungs: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Run the network on canonical films as they are made, a batch at a time, gates off.

    Parameters
    ----------
    make : callable (place) -> ndarray of uint8, shape (224, 224)
        Makes each film; they are never held all at once.
    count : int
        How many; at least one.
    lungs : ndarray of bool, shape (count, 224, 224), or None
        Where to crop; None asks the segmenter.

    Returns
    -------
    logits : ndarray of float64, shape (count,)
    plausible : ndarray of bool, shape (count,)
        Whether reading would take what was cropped to for lungs.
    """
    logits, plausible = [], []
    for start in range(0, count, BATCH):
        films = np.stack([make(place) for place in range(start, min(start + BATCH, count))])
        found = reader.ungated(films, None if lungs is None else lungs[start : start + BATCH])
        logits.append(found.logits)
        plausible.append(found.plausible)
        step(len(films))
    return np.concatenate(logits), np.concatenate(plausible)
