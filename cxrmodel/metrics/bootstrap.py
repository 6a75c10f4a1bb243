"""Bootstrap by patient: every resample as a vector of image weights, tallied in one sort.

A resample that draws a patient twice counts all images of that patient twice. All resamples are tallied at the
distinct scores at once; every metric then follows from sums.

References
----------
Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13 (percentile intervals).
Field and Welsh, Bootstrapping clustered data, J. R. Stat. Soc. B 69, 2007 (whole clusters are resampled).
Rutter, Bootstrap estimation of diagnostic accuracy with patient-clustered data, Academic Radiology 7, 2000.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cxrmodel.metrics.validation import Labels, Values, checked_patients

RESAMPLES = 2000
SEED = 0
LEVEL = 0.95
"""Confidence level of every interval."""


@dataclass(frozen=True, eq=False)
class WeightedSamples:
    """Weight of negative and of positive images at each distinct score, for B samples.

    Attributes
    ----------
    scores : ndarray of float64, shape (G,)
        Distinct scores, rising.
    negative, positive : ndarray of float64, shape (B, G)
        Sums of image weights, >= 0.
    """

    scores: Values
    negative: Values
    positive: Values


def patient_weights(patients: Sequence[str] | NDArray[np.str_], resamples: int = RESAMPLES, seed: int = SEED) -> Values:
    """Draw as many patients as there are, with replacement, and count each image as often as its patient was drawn.

    The first row is the sample itself, each image once.

    Parameters
    ----------
    patients : sequence of str, length N
        Patient of each image.
    resamples, seed : int
        Number of resamples, and the seed of their random generator.

    Returns
    -------
    ndarray of float64, shape (1 + resamples, N)
        Whole numbers. They do not depend on the order of the images.
    """
    names, index = np.unique(np.asarray(patients, str), return_inverse=True)
    drawn = np.random.default_rng(seed).multinomial(len(names), np.full(len(names), 1 / len(names)), size=resamples)
    return np.vstack([np.ones(len(index)), drawn[:, index]])


def weighted(labels: Labels, scores: Values, weights: Values) -> WeightedSamples:
    """Sum image weights by class and score.

    Parameters
    ----------
    labels : ndarray of int, shape (N,)
        0 negative, 1 positive.
    scores : ndarray of float64, shape (N,)
    weights : ndarray of float64, shape (B, N)
    """
    order = np.argsort(scores, kind="stable")
    distinct, starts = np.unique(scores[order], return_index=True)
    ordered, positive = weights[:, order], labels[order] == 1
    return WeightedSamples(
        distinct,
        np.add.reduceat(ordered * ~positive, starts, axis=1),
        np.add.reduceat(ordered * positive, starts, axis=1),
    )


def resampled(
    labels: ArrayLike,
    scores: ArrayLike,
    patients: Sequence[str] | NDArray[np.str_],
    resamples: int = RESAMPLES,
    seed: int = SEED,
    image_weights: ArrayLike = 1.0,
) -> WeightedSamples:
    """Tally a sample and its resamples.

    Parameters
    ----------
    labels : array-like of {0, 1}, shape (N,)
    scores : array-like of float, shape (N,)
    patients : sequence of str, length N
    resamples, seed : int
    image_weights : array-like of float, shape (N,), or float
        Factor on every weight, for example to weight the classes to another prevalence.

    Returns
    -------
    WeightedSamples
        Of 1 + resamples samples: first the images themselves, then each resample.

    Raises
    ------
    DataError
        When there are more or fewer patients than images.
    """
    found, values = np.asarray(labels, np.int64), np.asarray(scores, np.float64)
    weights = patient_weights(checked_patients(patients, len(found)), resamples, seed)
    return weighted(found, values, weights * np.asarray(image_weights, np.float64))


def ratio(part: ArrayLike, whole: ArrayLike) -> Values:
    """Divide, with NaN where the divisor is 0."""
    divisor = np.asarray(whole, np.float64)
    return np.asarray(np.divide(part, divisor, out=np.full(divisor.shape, np.nan), where=divisor > 0))
