"""Network that classifies the orientation of a canonical image.

A small convolutional network (``assets/checks/orientation.onnx``), trained on training images rotated, mirrored and
inverted by code and on synthetic images of other kinds, and run by ONNX Runtime.
"""

import cv2
import numpy as np

from cxrmodel.artefacts import open_graph

ORIENTATION_SIDE = 64
ORIENTATIONS = ("upright", "mirrored", "rotated left", "upside down", "rotated right", "inverted", "other")
"""Classes: an upright image; mirrored left to right; rotated by 90 degrees anticlockwise, by 180, or by 90 clockwise,
mirrored or not; with inverted greyscale, in any orientation; and anything but a whole chest radiograph."""


def as_orientation_input(image: np.ndarray) -> np.ndarray:
    """Shrink a canonical image and remove its brightness and contrast.

    Parameters
    ----------
    image : ndarray of uint8 or float32, shape (S, S), 0..255

    Returns
    -------
    ndarray of float32, shape (64, 64, 1)
        Mean 0; standard deviation 1, or less on nearly uniform images.
    """
    small = cv2.resize(image, (ORIENTATION_SIDE, ORIENTATION_SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    standardised: np.ndarray = ((small - small.mean()) / (small.std() + 8.0))[..., None]
    return standardised


class OrientationNetwork:
    """The trained network. Safe to use from several threads.

    Parameters
    ----------
    graph : bytes
        ONNX: (N, 64, 64, 1) float32 -> logits of ``ORIENTATIONS``, (N, 7).
    """

    def __init__(self, graph: bytes) -> None:
        self._session = open_graph(graph, threads=1)  # the network is too small to be worth waking another thread
        self._input = self._session.get_inputs()[0].name

    def probabilities(self, image: np.ndarray) -> dict[str, float]:
        """Probability of each orientation.

        Parameters
        ----------
        image : ndarray of uint8, shape (224, 224)

        Returns
        -------
        dict of str to float
            0..1 for each of ``ORIENTATIONS``. "other" is weighed against all the rest; the rest are weighed among
            themselves and sum to 1, so that they remain distinguishable on an unusual image.
        """
        logits = self._session.run(None, {self._input: as_orientation_input(image)[None]})[0][0].astype(np.float64)
        shares = np.exp(logits - logits.max())
        orientations = np.exp(logits[:-1] - logits[:-1].max())
        values = [*(orientations / orientations.sum()).tolist(), float(shares[-1] / shares.sum())]
        return dict(zip(ORIENTATIONS, values, strict=True))
