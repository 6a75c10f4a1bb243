"""Lung fields: the segmenter that finds them on a canonical image, and measures of its mask.

A small U-Net (``assets/lungs``), trained on lung annotations of the training images and run by ONNX Runtime, so that no
deep-learning framework is needed.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from cxrmodel.artefacts import open_graph, read_checked
from cxrmodel.errors import NoLungsFound
from cxrmodel.imaging.canonical import IMAGE_SIDE, contrast
from cxrmodel.imaging.lung_spec import LungBounds, load_lung_spec
from cxrmodel.paths import LUNGS_FOLDER


@dataclass(frozen=True, eq=False)
class LungFields:
    """The lung fields of one image.

    Attributes
    ----------
    mask : ndarray of bool, shape (224, 224)
        True within the lungs, on the canonical image; at least one pixel.
    """

    mask: np.ndarray

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
    scaled: np.ndarray = small[..., None].astype(np.float32) / 255.0
    return scaled


def fields_from_scores(scores: np.ndarray, side: int = IMAGE_SIDE) -> np.ndarray:
    """Turn the segmenter's logits into a mask: the two largest regions with a probability above 0.5.

    Parameters
    ----------
    scores : ndarray of float32, shape (S, S)
        Logit of lung.

    Returns
    -------
    ndarray of bool, shape (side, side)
    """
    resized = cv2.resize(np.asarray(scores, np.float32), (side, side), interpolation=cv2.INTER_LINEAR)
    count, regions = cv2.connectedComponents((resized > 0).view(np.uint8), connectivity=4)
    areas = np.bincount(regions.ravel(), minlength=count)
    kept = np.zeros(count, bool)
    kept[1 + np.argsort(areas[1:], kind="stable")[::-1][:2]] = True
    mask: np.ndarray = kept[regions]
    return mask


def regions(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Areas and centroids of a mask's regions, the largest first.

    Parameters
    ----------
    mask : ndarray of bool, shape (H, W)

    Returns
    -------
    areas : ndarray of int, shape (N,)
        In pixels.
    centroids : ndarray of float64, shape (N, 2)
        Column and row, in pixels.
    """
    _, _, stats, centroids = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    areas = stats[1:, cv2.CC_STAT_AREA]
    order = np.argsort(areas, kind="stable")[::-1]
    return areas[order], centroids[1:][order]


def separate_lungs(mask: np.ndarray) -> list[np.ndarray]:
    """The two large regions of a mask from left to right; else the whole mask.

    Parameters
    ----------
    mask : ndarray of bool, shape (H, W)

    Returns
    -------
    list of ndarray of bool, shape (H, W)
        Two where exactly two regions have a tenth of the mask or more, else one.
    """
    count, labels, stats, centres = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    large = [i for i in range(1, count) if stats[i, cv2.CC_STAT_AREA] >= 0.1 * mask.sum()]
    if len(large) != 2:
        return [mask]
    return [labels == i for i in sorted(large, key=lambda i: centres[i][0])]


def balance(areas: np.ndarray) -> float:
    """Area of the second largest region over that of the largest, 0..1; 0 with fewer than two regions."""
    largest, second = [*areas, 0, 0][:2]
    return float(second / max(largest, 1))


def plausibility(image: np.ndarray, mask: np.ndarray, areas: np.ndarray | None = None) -> dict[str, float]:
    """Measure whether a mask may be two lungs.

    Parameters
    ----------
    image : ndarray of uint8, shape (224, 224)
    mask : ndarray of bool, shape (224, 224)
    areas : ndarray of int, optional
        Of ``regions(mask)``, if already computed.

    Returns
    -------
    dict of str to float
        ``area``: share of the image that is lung, 0..1. ``balance``: area of the second largest region over
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
    minimum : LungBounds
        Of each measure of ``plausibility``.
    threads : int
        Threads of a run; 0 takes one for each core.

    Attributes
    ----------
    sha256 : str
        Of ``weights``.
    """

    def __init__(self, weights: bytes, size: int, minimum: LungBounds, threads: int = 0) -> None:
        self._weights, self._session = weights, open_graph(weights, threads)
        self._input = self._session.get_inputs()[0].name
        self.size, self.minimum = size, minimum
        self.sha256 = hashlib.sha256(weights).hexdigest()

    @classmethod
    def load(cls, folder: Path = LUNGS_FOLDER) -> "LungSegmenter":
        """Load the shipped segmenter.

        Raises
        ------
        MissingWeights, AlteredWeights
            When ``lungs.onnx`` or its specification is absent, or they do not belong together.
        """
        spec = load_lung_spec(folder)
        weights = read_checked(folder / "lungs.onnx", spec.weights_sha256)
        return cls(weights, spec.input_size, spec.minimum)

    def single_threaded(self) -> "LungSegmenter":
        """The same segmenter for callers with their own threads: every call runs on its thread alone."""
        return LungSegmenter(self._weights, self.size, self.minimum, threads=1)

    def masks(self, images: np.ndarray) -> np.ndarray:
        """Segment canonical images.

        Parameters
        ----------
        images : ndarray of uint8, shape (N, 224, 224)

        Returns
        -------
        ndarray of bool, shape (N, 224, 224)
            All False where no lung is found.
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
            When the mask is below a bound. Some images that are not chest radiographs pass.
        """
        mask = self.masks(image[None])[0]
        if not self.plausible(image, mask):
            raise NoLungsFound("imaging.no_lungs")
        return LungFields(mask)

    def plausible(self, image: np.ndarray, mask: np.ndarray) -> bool:
        """Whether a mask may be two lungs of an image: no measure is below its bound."""
        return all(value >= getattr(self.minimum, name) for name, value in plausibility(image, mask).items())
