"""Checks of labels, scores and patients before anything is computed from them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cxrmodel.errors import DataError

Labels = NDArray[np.int64]
Values = NDArray[np.float64]


def checked(labels: ArrayLike, probabilities: ArrayLike) -> tuple[Labels, Values]:
    """Make arrays of labels and probabilities.

    Parameters
    ----------
    labels : array-like, shape (N,)
        0 negative, 1 positive.
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
    found, values = np.asarray(labels), np.asarray(probabilities, np.float64)
    if found.ndim != 1 or found.shape != values.shape:
        raise DataError("metrics.error.shapes", labels=found.shape, probabilities=values.shape)
    if not len(found):
        raise DataError("metrics.error.no_images")
    if not np.isin(found, (0, 1)).all():
        raise DataError("metrics.error.labels")
    if not ((values >= 0) & (values <= 1)).all():
        raise DataError("metrics.error.probabilities")
    return found.astype(np.int64), values


def of_both_classes(labels: ArrayLike, probabilities: ArrayLike) -> tuple[Labels, Values]:
    """Make arrays as :func:`checked` does, of images of both classes.

    Raises
    ------
    DataError
        As :func:`checked`, and when all images are of one class.
    """
    found, values = checked(labels, probabilities)
    if found.min() == found.max():
        raise DataError("metrics.error.one_class")
    return found, values


def checked_patients(patients: Sequence[str] | NDArray[np.str_], images: int) -> NDArray[np.str_]:
    """Make an array of patients, one for each image.

    Raises
    ------
    DataError
        When there are more or fewer than images.
    """
    if len(patients) != images:
        raise DataError("metrics.error.patients", patients=len(patients), images=images)
    return np.asarray(patients, str)


def checked_threshold(threshold: float) -> float:
    """Make sure that a threshold is a number.

    Raises
    ------
    DataError
        When it is NaN, at which nothing would be positive.
    """
    if np.isnan(threshold):
        raise DataError("metrics.error.threshold")
    return float(threshold)
