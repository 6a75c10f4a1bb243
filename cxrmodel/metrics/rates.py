"""Rates at a threshold: confusion counts, and every figure that follows from them.

An image is positive when its probability is at or above the threshold.

References
----------
Matthews, Comparison of the predicted and observed secondary structure of T4 phage lysozyme, Biochim. Biophys. Acta 405,
1975 (correlation coefficient).
Deeks and Altman, Diagnostic tests 4: likelihood ratios, BMJ 329, 2004.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from pydantic import ConfigDict, NonNegativeInt
from pydantic.dataclasses import dataclass

from cxrmodel.metrics.bootstrap import WeightedSamples, ratio
from cxrmodel.metrics.validation import Values, checked, checked_threshold


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Confusion:
    """Numbers of true negative, false positive, false negative and true positive images."""

    tn: NonNegativeInt
    fp: NonNegativeInt
    fn: NonNegativeInt
    tp: NonNegativeInt

    @property
    def counts(self) -> "Counts":
        """The same as arrays of shape ()."""
        return Counts(*(np.asarray(part, np.float64) for part in (self.tn, self.fp, self.fn, self.tp)))


class Counts(NamedTuple):
    """Weights of true negative, false positive, false negative and true positive images: arrays of one shape."""

    tn: Values
    fp: Values
    fn: Values
    tp: Values


def confusion_at(labels: ArrayLike, probabilities: ArrayLike, threshold: float) -> Confusion:
    """Count images by label and finding at a threshold.

    Parameters
    ----------
    labels, probabilities : array-like, shape (N,)
        0 negative, 1 positive; 0..1. One class is enough.
    threshold : float
        Probability at or above which an image is positive.

    Raises
    ------
    DataError
        When the arrays differ in length, are empty or hold anything else, or the threshold is not a number.
    """
    checked_threshold(threshold)
    found, values = checked(labels, probabilities)
    positive = values >= threshold
    tn, fp, fn, tp = ((positive == above) & (found == label) for label in (0, 1) for above in (False, True))
    return Confusion(*(int(part.sum()) for part in (tn, fp, fn, tp)))


def counts_at(samples: WeightedSamples, thresholds: ArrayLike) -> Counts:
    """Sum weights by label and finding at thresholds.

    Parameters
    ----------
    samples : WeightedSamples
        Of B samples.
    thresholds : array-like of float, shape (K,)

    Returns
    -------
    Counts
        Arrays of float64, shape (B, K).
    """
    first = np.searchsorted(samples.scores, np.asarray(thresholds, np.float64), side="left")
    tn, fn = (
        np.pad(np.cumsum(part, axis=1), ((0, 0), (1, 0)))[:, first] for part in (samples.negative, samples.positive)
    )
    fp = samples.negative.sum(axis=1, keepdims=True) - tn
    return Counts(tn, fp, fn, samples.positive.sum(axis=1, keepdims=True) - fn)


def accuracy(counts: Counts) -> Values:
    """Share of images with the right finding, 0..1."""
    return ratio(counts.tn + counts.tp, counts.tn + counts.fp + counts.fn + counts.tp)


def sensitivity(counts: Counts) -> Values:
    """Share of positive images that are found (recall), 0..1; NaN where there is none."""
    return ratio(counts.tp, counts.tp + counts.fn)


def specificity(counts: Counts) -> Values:
    """Share of negative images that are cleared, 0..1; NaN where there is none."""
    return ratio(counts.tn, counts.tn + counts.fp)


def balanced_accuracy(counts: Counts) -> Values:
    """Mean of sensitivity and specificity, 0..1."""
    return (sensitivity(counts) + specificity(counts)) / 2


def ppv(counts: Counts) -> Values:
    """Positive predictive value (precision) at the sample's own prevalence, 0..1; NaN where nothing is positive."""
    return ratio(counts.tp, counts.tp + counts.fp)


def npv(counts: Counts) -> Values:
    """Negative predictive value at the sample's own prevalence, 0..1; NaN where nothing is negative."""
    return ratio(counts.tn, counts.tn + counts.fn)


def f1(counts: Counts) -> Values:
    """Harmonic mean of precision and recall, 0..1."""
    return ratio(2 * counts.tp, 2 * counts.tp + counts.fp + counts.fn)


def mcc(counts: Counts) -> Values:
    """Matthews correlation, -1..1; NaN where a row or column of the confusion matrix is empty."""
    tn, fp, fn, tp = counts
    sides = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
    return np.asarray((tp * tn - fp * fn) / np.sqrt(np.where(sides > 0, sides, np.nan)))


def lr_positive(counts: Counts) -> Values:
    """Positive likelihood ratio, 0 or above; infinite where specificity is 1, NaN for 0 / 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(sensitivity(counts) / ratio(counts.fp, counts.tn + counts.fp))


def lr_negative(counts: Counts) -> Values:
    """Negative likelihood ratio, 0 or above; infinite where specificity is 0, NaN for 0 / 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(ratio(counts.fn, counts.tp + counts.fn) / specificity(counts))


def predictive_values(positive: ArrayLike, negative: ArrayLike, prevalence: float) -> tuple[Values, Values]:
    """Positive and negative predictive value under a prevalence, by Bayes' rule.

    Each is a monotone function of its likelihood ratio, so an interval of the ratio gives the interval of the value.

    Parameters
    ----------
    positive, negative : array-like of float
        Likelihood ratios, 0 or above; infinity is allowed.
    prevalence : float
        Strictly between 0 and 1.

    Returns
    -------
    ppv, npv : ndarray of float64
        0..1.
    """
    odds = prevalence / (1 - prevalence)
    with np.errstate(divide="ignore"):
        return 1 / (1 + 1 / (odds * np.asarray(positive, np.float64))), 1 / (
            1 + odds * np.asarray(negative, np.float64)
        )
