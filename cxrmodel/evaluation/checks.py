"""What labels and probabilities must be before anything is computed from them."""

import numpy as np
from numpy.typing import ArrayLike

from cxrmodel.errors import DataError

__all__ = ["both_classes", "checked"]


def checked(labels: ArrayLike, probabilities: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Make arrays of labels and probabilities.

    Parameters
    ----------
    labels : array-like, shape (N,)
        0 normal, 1 pneumonia.
    probabilities : array-like, shape (N,)
        0..1.

    Returns
    -------
    labels : ndarray of int64, shape (N,)
    probabilities : ndarray of float64, shape (N,)

    Raises
    ------
    DataError
        When they differ in length, are empty, or hold anything else.
    """
    labels, probabilities = np.asarray(labels), np.asarray(probabilities, np.float64)
    if labels.ndim != 1 or labels.shape != probabilities.shape:
        raise DataError(
            f"Labels of shape {labels.shape} and probabilities of shape {probabilities.shape} do not match. "
            "Give one of each for each image."
        )
    if not len(labels):
        raise DataError("There are no images to evaluate. Check the folder that was given.")
    if not np.isin(labels, (0, 1)).all():
        raise DataError("Labels must be 0 (normal) or 1 (pneumonia). Correct the table of images.")
    if not ((probabilities >= 0) & (probabilities <= 1)).all():
        raise DataError("A probability is missing or outside 0 to 1. Read the images again.")
    return labels.astype(np.int64), probabilities


def both_classes(labels: ArrayLike, probabilities: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Make arrays as :func:`checked` does, of images of both classes.

    Raises
    ------
    DataError
        As :func:`checked`, and when all images are of one class.
    """
    labels, probabilities = checked(labels, probabilities)
    if labels.min() == labels.max():
        raise DataError("All images are of one class. Evaluate on a set that holds normal and pneumonia images.")
    return labels, probabilities
