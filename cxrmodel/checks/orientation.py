"""Canonical image -> how it lies: upright, mirrored, turned, inverted, or no whole chest radiograph at all.

A small network of our own (``assets/checks``), learnt from training images that were turned, mirrored and inverted by
code and from pictures made by code, and run by ONNX Runtime.
"""

import cv2
import numpy as np

from cxrmodel.artefacts import open_graph

__all__ = ["ORIENTATIONS", "ORIENTATION_SIDE", "OrientationNetwork", "as_orientation_input"]

ORIENTATION_SIDE = 64
ORIENTATIONS = ("upright", "mirrored", "turned left", "upside down", "turned right", "inverted", "strange")
"""What a picture may be: an upright image; one whose left and right are exchanged; one turned by 90 degrees
anticlockwise, 180, or 90 clockwise, mirrored or not; one with white for black, however it lies; anything else."""


def as_orientation_input(image: np.ndarray) -> np.ndarray:
    """Shrink a canonical image and take off its brightness and contrast.

    Parameters
    ----------
    image : ndarray of uint8 or float32, shape (S, S), 0..255

    Returns
    -------
    ndarray of float32, shape (64, 64, 1)
        Mean 0; standard deviation 1 but on nearly even pictures, where it is less.
    """
    small = cv2.resize(image, (ORIENTATION_SIDE, ORIENTATION_SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    return ((small - small.mean()) / (small.std() + 8.0))[..., None]


class OrientationNetwork:
    """The trained network. Safe to use from several threads.

    Parameters
    ----------
    graph : bytes
        ONNX: (N, 64, 64, 1) float32 -> logits of ``ORIENTATIONS``, (N, 7).
    """

    def __init__(self, graph: bytes):
        self._session = open_graph(graph, threads=1)  # too small a network to be worth waking another thread
        self._input = self._session.get_inputs()[0].name

    def probabilities(self, image: np.ndarray) -> dict[str, float]:
        """Share of belief in each orientation.

        Parameters
        ----------
        image : ndarray of uint8, shape (224, 224)

        Returns
        -------
        dict of str to float
            0..1 for each of ``ORIENTATIONS``: "strange" against all others together, these among each other. So the
            orientations of an image that looks strange are still weighed, and add up to 1.
        """
        logits = self._session.run(None, {self._input: as_orientation_input(image)[None]})[0][0].astype(np.float64)
        shares = np.exp(logits - logits.max())
        orientations = np.exp(logits[:-1] - logits[:-1].max())
        values = [*(orientations / orientations.sum()).tolist(), float(shares[-1] / shares.sum())]
        return dict(zip(ORIENTATIONS, values, strict=True))
