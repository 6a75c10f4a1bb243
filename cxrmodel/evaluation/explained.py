"""The films on which explanations are tested: chosen, read, and cut to what the network sees."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cxrmodel.errors import DataError, FilmRefused
from cxrmodel.model.preprocess import ModelInput
from cxrmodel.reading import Reader, Reading
from cxrmodel.training.dataset import Film

__all__ = ["Case", "adult_films", "box_mask", "cases", "stratified"]

SIDE = 224
Boxes = tuple[tuple[float, float, float, float], ...]


@dataclass(frozen=True, eq=False)
class Case:
    """One film that was read.

    Attributes
    ----------
    name, patient : str
    ready : ModelInput
    lungs : ndarray of bool, shape (224, 224)
    probability : float
    boxes : ndarray of bool, shape (224, 224), or None
        Where radiologists marked opacities.
    """

    name: str
    patient: str
    ready: ModelInput
    lungs: np.ndarray
    probability: float
    boxes: np.ndarray | None = None


def stratified(films: Sequence[Film], seed: int) -> list[Film]:
    """Put films in an order of which every beginning has each stratum in its share, as nearly as may be.

    Parameters
    ----------
    films : sequence of Film
    seed : int
        Decides which film of a stratum comes first.

    Returns
    -------
    list of Film
    """
    rng, places = np.random.default_rng(seed), []
    for stratum in sorted({film.stratum for film in films}):
        members = [film for film in films if film.stratum == stratum]
        order = rng.permutation(len(members))
        places += [((place + 0.5) / len(members), members[index]) for place, index in enumerate(order)]
    return [film for _, film in sorted(places, key=lambda item: (item[0], item[1].name))]


def cases(reader: Reader, films: Sequence[Film]) -> list[Case]:
    """Read films of the archive; those that are refused are left out.

    Raises
    ------
    DataError
        When a file cannot be opened, or none is read.
    """
    found = []
    for film, reading in zip(films, _readings(reader, [film.path for film in films]), strict=True):
        if reading is not None:
            found.append(_case(reader, film.name, film.patient, reading))
    if not found:
        raise DataError("None of the films for the explanations is read. Check the archive.")
    return found


def adult_films(reader: Reader, root: Path) -> tuple[list[Case], int]:
    """Read the films of ``adult_rsna`` on which radiologists drew boxes.

    Returns
    -------
    cases : list of Case
        Empty where there is no such folder. Names are left empty.
    refused : int
    """
    table = root / "adult_rsna.csv"
    if not table.is_file():
        return [], 0
    with table.open(encoding="utf-8", newline="") as rows:
        boxed = [row for row in csv.DictReader(rows) if row["boxes_x_y_w_h"]]
    readings = _readings(reader, [root / row["file"] for row in boxed])
    found = [
        _case(reader, "", row["patient"], reading, _boxes(row["boxes_x_y_w_h"]))
        for row, reading in zip(boxed, readings, strict=True)
        if reading is not None
    ]
    return found, len(boxed) - len(found)


def box_mask(boxes: Boxes, height: int, width: int, side: int = SIDE) -> np.ndarray:
    """Boxes of a film as a mask of its canonical form.

    Parameters
    ----------
    boxes : tuple of (x, y, width, height)
        In the film's own pixels.
    height, width : int
        Of the film.

    Returns
    -------
    ndarray of bool, shape (side, side)
        True where the middle of a pixel lies in a box.
    """
    y = (np.arange(side)[:, None] + 0.5) * height / side
    x = (np.arange(side)[None, :] + 0.5) * width / side
    mask = np.zeros((side, side), bool)
    for left, top, wide, high in boxes:
        mask |= (x >= left) & (x < left + wide) & (y >= top) & (y < top + high)
    return mask


def _boxes(text: str) -> Boxes:
    return tuple(tuple(float(number) for number in box.split()) for box in text.split(";"))


def _readings(reader: Reader, paths: Sequence[Path]) -> list[Reading | None]:
    found: list[Reading | None] = []
    for path, item in zip(paths, reader.read_many((path.read_bytes, path.name) for path in paths), strict=True):
        if isinstance(item, OSError):
            raise DataError(f"{path} cannot be read ({item.strerror}). Unpack the archive again.") from item
        if isinstance(item, Exception) and not isinstance(item, FilmRefused):
            raise item
        found.append(None if isinstance(item, Exception) else item)
    return found


def _case(reader: Reader, name: str, patient: str, reading: Reading, boxes: Boxes | None = None) -> Case:
    marked = box_mask(boxes, *reading.radiograph.pixels.shape) if boxes else None
    return Case(name, patient, reader.model_input(reading), reading.lungs.mask, reading.probability, marked)
