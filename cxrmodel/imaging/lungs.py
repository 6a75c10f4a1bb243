"""Radiograph -> LungFields: where the lungs are on the image.

A small U-Net of our own (``assets/lungs``), learnt from lung annotations of the training images and run by
ONNX Runtime, so that finding lungs needs no deep-learning framework.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from cxrmodel.artefacts import open_graph, read_checked
from cxrmodel.errors import AlteredWeights, MissingWeights, NoLungsFound
from cxrmodel.imaging.canonical import IMAGE_SIDE, contrast
from cxrmodel.paths import ASSETS

__all__ = ["BOUNDS", "LungFields", "LungSegmenter", "as_input", "balance", "fields_from_scores", "plausibility", "regions"]

LUNGS_FOLDER = ASSETS / "lungs"

BOUNDS = ("area", "balance", "contrast")
"""What ``plausibility`` measures, in its order."""


@dataclass(frozen=True, eq=False)
class LungFields:
    """The lung fields of one image.

    Attributes
    ----------
    mask : ndarray of bool, shape (224, 224)
        True within the lungs, in the frame of the canonical image; at least one pixel is.
    """

    mask: np.ndarray

    @property
    def area(self) -> float:
        """Share of the image that is lung, 0..1."""
        return float(self.mask.mean())

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Smallest box around the lungs: top, left, bottom, right (exclusive), in canonical pixels."""
        rows, columns = np.flatnonzero(self.mask.any(1)), np.flatnonzero(self.mask.any(0))
        return int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1


def as_input(images: np.ndarray, size: int) -> np.ndarray:
    """Shrink canonical images to what the segmenter sees.

    Parameters
    ----------
    images : ndarray of uint8, shape (N, 224, 224)
    size : int
        Side of the result in pixels.

    Returns
    -------
    ndarray of float32, shape (N, size, size, 1)
        0..1.
    """
    small = np.stack([cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA) for image in images])
    return small[..., None].astype(np.float32) / 255.0


def fields_from_scores(scores: np.ndarray, side: int = IMAGE_SIDE) -> np.ndarray:
    """Turn the segmenter's logits into a clean mask: the two largest regions above even odds.

    Parameters
    ----------
    scores : ndarray of float32, shape (S, S)
        Logit of lung.

    Returns
    -------
    ndarray of bool, shape (side, side)
    """
    grown = cv2.resize(np.asarray(scores, np.float32), (side, side), interpolation=cv2.INTER_LINEAR)
    count, regions = cv2.connectedComponents((grown > 0).view(np.uint8), connectivity=4)
    areas = np.bincount(regions.ravel(), minlength=count)
    kept = np.zeros(count, bool)
    kept[1 + np.argsort(areas[1:], kind="stable")[::-1][:2]] = True
    return kept[regions]


def regions(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Areas and middles of a mask's regions, the largest first.

    Parameters
    ----------
    mask : ndarray of bool, shape (H, W)

    Returns
    -------
    areas : ndarray of int, shape (N,)
        In pixels.
    middles : ndarray of float64, shape (N, 2)
        Column and row, in pixels.
    """
    _, _, stats, middles = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    areas = stats[1:, cv2.CC_STAT_AREA]
    order = np.argsort(areas, kind="stable")[::-1]
    return areas[order], middles[1:][order]


def balance(areas: np.ndarray) -> float:
    """Area of the second largest region over that of the largest, 0..1; 0 with fewer than two regions."""
    largest, second = [*areas, 0, 0][:2]
    return float(second / max(largest, 1))


def plausibility(image: np.ndarray, mask: np.ndarray, areas: np.ndarray | None = None) -> dict[str, float]:
    """Measure what tells two lungs on an image from whatever else a segmenter may mark.

    Parameters
    ----------
    image : ndarray of uint8, shape (224, 224)
    mask : ndarray of bool, shape (224, 224)
    areas : ndarray of int, optional
        Of ``regions(mask)``, where they are known.

    Returns
    -------
    dict of str to float
        ``area``: share of the image that is marked, 0..1. ``balance``: area of the second largest region over
        that of the largest, 0..1. ``contrast``: standard deviation of the image's grey levels, 0..127.5.
    """
    return {
        "area": np.count_nonzero(mask) / mask.size,
        "balance": balance(regions(mask)[0] if areas is None else areas),
        "contrast": contrast(image),
    }


class LungSegmenter:
    """The trained segmenter.

    Parameters
    ----------
    weights : bytes
        An ONNX graph: (N, S, S, 1) float32 in 0..1 -> logit of lung, (N, s, s, 1) over the same image.
    size : int
        S, the side of its input in pixels.
    least : dict of str to float
        For each of ``BOUNDS``, the value below which what is found is not taken for lungs.
    threads : int
        Threads of a run; 0 takes one for each core.

    Attributes
    ----------
    sha256 : str
        Of ``weights``.
    """

    def __init__(self, weights: bytes, size: int, least: dict[str, float], threads: int = 0):
        self._weights, self._session = weights, open_graph(weights, threads)
        self._input = self._session.get_inputs()[0].name
        self.size, self.least = size, {bound: least[bound] for bound in BOUNDS}
        self.sha256 = hashlib.sha256(weights).hexdigest()

    @classmethod
    def load(cls, folder: Path = LUNGS_FOLDER) -> "LungSegmenter":
        """Load the shipped segmenter.

        Raises
        ------
        MissingWeights, AlteredWeights
            When ``lungs.onnx`` or its specification is absent, or they do not belong together.
        """
        try:
            spec = json.loads((folder / "spec.json").read_text(encoding="utf-8"))
        except OSError as error:
            raise MissingWeights(
                f"The lung segmenter is incomplete: {error.filename} cannot be read. Install the program again."
            ) from error
        except ValueError as error:
            raise AlteredWeights(f"{folder / 'spec.json'} is damaged. Install the program again.") from error
        weights = read_checked(folder / "lungs.onnx", spec["weights_sha256"])
        return cls(weights, spec["input_size"], spec["least"])

    def single_threaded(self) -> "LungSegmenter":
        """The same segmenter for callers that bring threads of their own: every call keeps to its thread."""
        return LungSegmenter(self._weights, self.size, self.least, threads=1)

    def masks(self, images: np.ndarray) -> np.ndarray:
        """Segment canonical images.

        Parameters
        ----------
        images : ndarray of uint8, shape (N, 224, 224)

        Returns
        -------
        ndarray of bool, shape (N, 224, 224)
            All False where nothing looks like lung.
        """
        scores = self._session.run(None, {self._input: as_input(images, self.size)})[0]
        return np.stack([fields_from_scores(score[..., 0]) for score in scores])

    def find(self, image: np.ndarray) -> LungFields:
        """Find the lungs of one canonical image.

        Parameters
        ----------
        image : ndarray of uint8, shape (224, 224)

        Raises
        ------
        NoLungsFound
            When what is found falls short of a bound. Some pictures that are not chest radiographs pass.
        """
        return self.accept(image, self.masks(image[None])[0])

    def plausible(self, image: np.ndarray, mask: np.ndarray) -> bool:
        """Whether a mask may be two lungs on an image: every bound is reached."""
        measured = plausibility(image, mask)
        return all(measured[bound] >= self.least[bound] for bound in BOUNDS)

    def accept(self, image: np.ndarray, mask: np.ndarray) -> LungFields:
        """Take a mask for lung fields, or refuse it.

        Raises
        ------
        NoLungsFound
        """
        if not self.plausible(image, mask):
            raise NoLungsFound(
                "No two lungs were found on this picture, so it is not read. "
                "Use an upright frontal chest radiograph that shows both lungs."
            )
        return LungFields(mask)
