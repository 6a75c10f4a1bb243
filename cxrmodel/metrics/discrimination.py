"""Discrimination: how well scores rank positive above negative images.

References
----------
Hanley and McNeil, The meaning and use of the area under a ROC curve, Radiology 143, 1982.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cxrmodel.metrics.bootstrap import WeightedSamples, ratio, resampled, weighted
from cxrmodel.metrics.estimate import Estimate
from cxrmodel.metrics.intervals import estimate
from cxrmodel.metrics.validation import Values, of_both_classes


class RocPoints(NamedTuple):
    """A ROC curve: arrays of one length, thresholds falling from infinity."""

    false_positive_rate: Values
    true_positive_rate: Values
    thresholds: Values


class PrecisionRecallPoints(NamedTuple):
    """A precision-recall curve: thresholds rising, the last of them infinite (recall 0, precision 1 by convention)."""

    precision: Values
    recall: Values
    thresholds: Values


def roc_points(labels: ArrayLike, probabilities: ArrayLike) -> RocPoints:
    """Compute the ROC curve at every distinct probability.

    Parameters
    ----------
    labels : array-like of int, shape (N,)
        0 negative, 1 positive; both must occur.
    probabilities : array-like of float, shape (N,)
        0..1.

    Raises
    ------
    DataError
        When the arrays differ in length, are empty, hold anything else, or hold one class only.
    """
    thresholds, true, false = _from_the_highest(labels, probabilities)
    start = np.zeros(1)
    return RocPoints(
        np.append(start, false / false[-1]), np.append(start, true / true[-1]), np.append(np.inf, thresholds)
    )


def precision_recall_points(labels: ArrayLike, probabilities: ArrayLike) -> PrecisionRecallPoints:
    """Compute precision and recall at every distinct probability.

    Raises
    ------
    DataError
        As :func:`roc_points`.
    """
    thresholds, true, false = _from_the_highest(labels, probabilities)
    precision, recall = true / (true + false), true / true[-1]
    return PrecisionRecallPoints(
        np.append(precision[::-1], 1.0), np.append(recall[::-1], 0.0), np.append(thresholds[::-1], np.inf)
    )


def roc_auc(samples: WeightedSamples) -> Values:
    """Share of (positive, negative) pairs in the right order; equal scores count half.

    Returns
    -------
    ndarray of float64, shape (B,)
        0..1; NaN where a sample lacks a class.
    """
    below = np.cumsum(samples.negative, axis=1) - samples.negative / 2
    pairs = samples.negative.sum(axis=1) * samples.positive.sum(axis=1)
    return ratio((samples.positive * below).sum(axis=1), pairs)


def average_precision(samples: WeightedSamples) -> Values:
    """Precision at each distinct threshold, weighted by the recall gained there (no interpolation).

    Returns
    -------
    ndarray of float64, shape (B,)
        0..1; NaN where a sample lacks a positive image.
    """
    true = np.cumsum(samples.positive[:, ::-1], axis=1)
    false = np.cumsum(samples.negative[:, ::-1], axis=1)
    precision = np.nan_to_num(ratio(true, true + false))
    return ratio((samples.positive[:, ::-1] * precision).sum(axis=1), true[:, -1])


def auc(labels: ArrayLike, scores: ArrayLike, patients: Sequence[str] | NDArray[np.str_]) -> Estimate:
    """Estimate the area under the ROC curve; undefined where a class is missing.

    Parameters
    ----------
    labels : array-like of {0, 1}, shape (N,)
    scores : array-like of float, shape (N,)
        On any rising scale.
    patients : sequence of str, length N
    """
    return estimate(roc_auc(resampled(labels, scores, patients)), len(patients))


def auc_change(
    labels: ArrayLike, before: ArrayLike, after: ArrayLike, patients: Sequence[str] | NDArray[np.str_]
) -> Estimate:
    """Estimate the AUC of ``after`` minus that of ``before``, with the same patients drawn for both."""
    first, second = (roc_auc(resampled(labels, scores, patients)) for scores in (before, after))
    return estimate(second - first, len(patients))


def _from_the_highest(labels: ArrayLike, probabilities: ArrayLike) -> tuple[Values, Values, Values]:
    """Distinct probabilities, falling, and the true and false positives at each."""
    found, values = of_both_classes(labels, probabilities)
    whole = weighted(found, values, np.ones((1, len(found))))
    true, false = (np.cumsum(part[0, ::-1]) for part in (whole.positive, whole.negative))
    return whole.scores[::-1], true, false
