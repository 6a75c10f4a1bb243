"""Principal subspace of the training images, and how badly an image is reconstructed from it.

Training images at 32 px, each with brightness and contrast removed, lie close to a subspace of few dimensions (Turk and
Pentland, Eigenfaces for Recognition, Journal of Cognitive Neuroscience 1991). Images of anything else, and images in
another orientation, have a large reconstruction error.
"""

import cv2
import numpy as np

from cxrmodel.imaging.lungs import LungFields

SUBSPACE_SIDE = 32
_MARGIN = 10
_MIN_SPREAD = 8.0


def standardised(image: np.ndarray) -> np.ndarray:
    """Shrink an image and remove its brightness and contrast, as `PrincipalSubspace` compares it.

    Parameters
    ----------
    image : ndarray of uint8, shape (h, w)

    Returns
    -------
    ndarray of float32, shape (1024,)
        Mean 0; standard deviation 1, or less on nearly uniform images.
    """
    small = cv2.resize(image, (SUBSPACE_SIDE, SUBSPACE_SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    flat: np.ndarray = ((small - small.mean()) / (small.std() + _MIN_SPREAD)).ravel()
    return flat


def lung_surroundings(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Standardise the part of a canonical image around its lungs.

    Parameters
    ----------
    image : ndarray of uint8, shape (224, 224)
    mask : ndarray of bool, shape (224, 224)
        Where it is all False, the whole image is taken.

    Returns
    -------
    ndarray of float32, shape (1024,)
    """
    if not mask.any():
        return standardised(image)
    top, left, bottom, right = LungFields(mask).box
    return standardised(image[max(0, top - _MARGIN) : bottom + _MARGIN, max(0, left - _MARGIN) : right + _MARGIN])


class PrincipalSubspace:
    """The subspace of leading principal components.

    Parameters
    ----------
    mean : ndarray of float32, shape (1024,)
    components : ndarray of float32, shape (K, 1024)
        Orthonormal.
    """

    def __init__(self, mean: np.ndarray, components: np.ndarray) -> None:
        self.mean, self.components = mean, components

    def reconstruction_error(self, image: np.ndarray) -> float:
        """Root mean square of the difference between an image and its projection onto the subspace.

        Parameters
        ----------
        image : ndarray of float32, shape (1024,)
            Of `standardised` or `lung_surroundings`.

        Returns
        -------
        float
            0 within the subspace, about 1 for an image orthogonal to it.
        """
        centred = image - self.mean
        residual = float(centred @ centred) - float(np.square(self.components @ centred).sum())
        return float(np.sqrt(max(0.0, residual) / image.size))
