"""How far a picture is from every image that training images can be put together from.

Training images at 32 px, each with its brightness and contrast taken off, lie close to a space of few dimensions
(Turk and Pentland, Eigenfaces for Recognition, Journal of Cognitive Neuroscience 1991). What a picture holds beyond
that space is its distance; pictures of anything else, and images that lie otherwise, hold much.
"""

import cv2
import numpy as np

from cxrmodel.imaging.lungs import LungFields

__all__ = ["LIKENESS_SIDE", "Likeness", "around_lungs", "whole_image"]

LIKENESS_SIDE = 32
_MARGIN = 10
_LEAST_SPREAD = 8.0


def whole_image(image: np.ndarray) -> np.ndarray:
    """A canonical image as `Likeness` compares it.

    Parameters
    ----------
    image : ndarray of uint8, shape (h, w)

    Returns
    -------
    ndarray of float32, shape (1024,)
        Mean 0; standard deviation 1 but on nearly even pictures, where it is less.
    """
    small = cv2.resize(image, (LIKENESS_SIDE, LIKENESS_SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    return ((small - small.mean()) / (small.std() + _LEAST_SPREAD)).ravel()


def around_lungs(image: np.ndarray, lungs: LungFields | None) -> np.ndarray:
    """The part of a canonical image around its lungs, as `Likeness` compares it.

    Parameters
    ----------
    image : ndarray of uint8, shape (224, 224)
    lungs : LungFields or None
        None takes the whole image.

    Returns
    -------
    ndarray of float32, shape (1024,)
    """
    if lungs is None:
        return whole_image(image)
    top, left, bottom, right = lungs.box
    part = image[max(0, top - _MARGIN) : bottom + _MARGIN, max(0, left - _MARGIN) : right + _MARGIN]
    return whole_image(part)


class Likeness:
    """The space of training images.

    Parameters
    ----------
    mean : ndarray of float32, shape (1024,)
    axes : ndarray of float32, shape (K, 1024)
        Orthonormal.
    """

    def __init__(self, mean: np.ndarray, axes: np.ndarray):
        self.mean, self.axes = mean, axes

    def distance(self, picture: np.ndarray) -> float:
        """Root mean square of what a picture holds beyond the space; 0 within it, 1 when all of it is beyond.

        Parameters
        ----------
        picture : ndarray of float32, shape (1024,)
            Of `whole_image` or `around_lungs`.
        """
        centred = picture - self.mean
        beyond = float(centred @ centred) - float(np.square(self.axes @ centred).sum())
        return float(np.sqrt(max(0.0, beyond) / picture.size))
