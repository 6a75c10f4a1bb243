"""Network that tells what a canonical image shows: a frontal chest radiograph in one of six orientations, or what else.

A small convolutional network (``assets/checks/projection.onnx``), run by ONNX Runtime. It was trained on radiographs
rotated, mirrored, inverted and disturbed by code, on real slices and hands, and on synthetic images of other kinds.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from cxrmodel.artefacts import open_graph

PROJECTION_SIDE = 64
ORIENTATIONS = ("upright", "mirrored", "rotated left", "upside down", "rotated right", "inverted")
"""Of a frontal chest radiograph: upright; mirrored left to right; rotated by 90 degrees anticlockwise, by 180, or by 90
clockwise, mirrored or not; with inverted greyscale, in any orientation."""
KINDS = ("ct", "mr", "hand", "other")
"""Of other images: a slice of CT or MR, a radiograph of a hand, anything else."""
CLASSES = ORIENTATIONS + KINDS


@dataclass(frozen=True)
class Projection:
    """What an image shows.

    Attributes
    ----------
    orientations : mapping of str to float
        Probability of each of ``ORIENTATIONS`` if it is a frontal chest radiograph; they sum to 1.
    kinds : mapping of str to float
        Probability of each of ``KINDS``; the rest to 1 is that of a frontal chest radiograph.
    """

    orientations: Mapping[str, float]
    kinds: Mapping[str, float]

    @property
    def rotated(self) -> float:
        """Probability that a chest radiograph is rotated by 90 degrees or more, 0..1."""
        return sum(self.orientations[name] for name in ("rotated left", "upside down", "rotated right"))

    @property
    def not_chest(self) -> float:
        """Probability that the image is no frontal chest radiograph, 0..1."""
        return min(1.0, sum(self.kinds.values()))


def as_projection_input(image: np.ndarray) -> np.ndarray:
    """Shrink a canonical image and remove its brightness and contrast.

    Parameters
    ----------
    image : ndarray of uint8 or float32, shape (S, S), 0..255

    Returns
    -------
    ndarray of float32, shape (64, 64, 1)
        Mean 0; standard deviation 1, or less on nearly uniform images.
    """
    small = cv2.resize(image, (PROJECTION_SIDE, PROJECTION_SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    standardised: np.ndarray = ((small - small.mean()) / (small.std() + 8.0))[..., None]
    return standardised


class ProjectionNetwork:
    """The trained network. Safe to use from several threads.

    Parameters
    ----------
    graph : bytes
        ONNX: (N, 64, 64, 1) float32 -> logits of ``CLASSES``, (N, 10).
    """

    def __init__(self, graph: bytes) -> None:
        self._session = open_graph(graph, threads=1)  # the network is too small to be worth waking another thread
        self._input = self._session.get_inputs()[0].name

    def examine(self, image: np.ndarray) -> Projection:
        """What a canonical image, ndarray of uint8 and shape (224, 224), shows."""
        logits = self._session.run(None, {self._input: as_projection_input(image)[None]})[0][0].astype(np.float64)
        count = len(ORIENTATIONS)
        shares, orientations = _softmax(logits), _softmax(logits[:count])
        return Projection(
            dict(zip(ORIENTATIONS, orientations.tolist(), strict=True)),
            dict(zip(KINDS, shares[count:].tolist(), strict=True)),
        )


def _softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max())
    shares: np.ndarray = powers / powers.sum()
    return shares
