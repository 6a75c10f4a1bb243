"""Metrics of many weighted samples at once, and the weights of a bootstrap over patients.

A resample that draws a patient twice counts all of that patient's images twice, so a resample is a vector of
image weights. All resamples are tallied at equal probabilities in one sort; every metric then follows from sums.

References
----------
Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13 (percentile intervals).
Field and Welsh, Bootstrapping clustered data, J. R. Stat. Soc. B 69, 2007 (whole clusters are resampled).
Rutter, Bootstrap estimation of diagnostic accuracy with patient-clustered data, Academic Radiology 7, 2000.
"""

from dataclasses import dataclass

import numpy as np

__all__ = [
    "Tally",
    "average_precision",
    "brier",
    "calibration_bins",
    "calibration_error",
    "confusion",
    "patient_weights",
    "percentile_interval",
    "rates",
    "roc_auc",
    "tally",
]


@dataclass(frozen=True, eq=False)
class Tally:
    """Weight of normal and of pneumonia images at each distinct probability, for B samples.

    Attributes
    ----------
    probabilities : ndarray of float64, shape (G,)
        Distinct probabilities, rising.
    normal, pneumonia : ndarray of float64, shape (B, G)
        Sums of image weights, >= 0.
    """

    probabilities: np.ndarray
    normal: np.ndarray
    pneumonia: np.ndarray


def patient_weights(patients: np.ndarray, resamples: int, seed: int) -> np.ndarray:
    """Draw patients with replacement, as many as there are, and count each image as often as its patient was drawn.

    Parameters
    ----------
    patients : ndarray of str, shape (N,)
        Whose image each is.
    resamples, seed : int
        Number of resamples, and the seed of their random generator.

    Returns
    -------
    ndarray of float64, shape (resamples, N)
        Whole numbers. They do not depend on the order of the images.
    """
    names, index = np.unique(patients, return_inverse=True)
    drawn = np.random.default_rng(seed).multinomial(len(names), np.full(len(names), 1 / len(names)), size=resamples)
    return drawn[:, index].astype(np.float64)


def tally(labels: np.ndarray, probabilities: np.ndarray, weights: np.ndarray) -> Tally:
    """Sum image weights by class and probability.

    Parameters
    ----------
    labels : ndarray of int, shape (N,)
        0 normal, 1 pneumonia.
    probabilities : ndarray of float64, shape (N,)
    weights : ndarray of float64, shape (B, N)
    """
    order = np.argsort(probabilities, kind="stable")
    distinct, starts = np.unique(probabilities[order], return_index=True)
    ordered, ill = weights[:, order], labels[order] == 1
    return Tally(
        distinct,
        np.add.reduceat(ordered * ~ill, starts, axis=1),
        np.add.reduceat(ordered * ill, starts, axis=1),
    )


def roc_auc(images: Tally) -> np.ndarray:
    """Share of (pneumonia, normal) pairs in the right order, equal probabilities counting half.

    Returns
    -------
    ndarray of float64, shape (B,)
        0..1; NaN where a sample lacks a class.
    """
    below = np.cumsum(images.normal, axis=1) - images.normal / 2
    pairs = images.normal.sum(axis=1) * images.pneumonia.sum(axis=1)
    return _ratio((images.pneumonia * below).sum(axis=1), pairs)


def average_precision(images: Tally) -> np.ndarray:
    """Precision at each distinct threshold, weighted by the recall gained there (no interpolation).

    Returns
    -------
    ndarray of float64, shape (B,)
        0..1; NaN where a sample lacks a pneumonia image.
    """
    true = np.cumsum(images.pneumonia[:, ::-1], axis=1)
    false = np.cumsum(images.normal[:, ::-1], axis=1)
    precision = np.nan_to_num(_ratio(true, true + false))
    return _ratio((images.pneumonia[:, ::-1] * precision).sum(axis=1), true[:, -1])


def brier(images: Tally) -> np.ndarray:
    """Mean squared difference of probability and label (Brier 1950), shape (B,), 0..1."""
    squared = images.pneumonia * (1 - images.probabilities) ** 2 + images.normal * images.probabilities**2
    return _ratio(squared.sum(axis=1), (images.normal + images.pneumonia).sum(axis=1))


def calibration_bins(images: Tally, bins: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cut each sample, in order of probability, into bins of equal weight.

    Images of one probability that lie across an edge are shared out in proportion, so the order of ties plays no part.

    Returns
    -------
    weight : ndarray of float64, shape (B,)
        Of each bin of a sample.
    expected, observed : ndarray of float64, shape (B, bins)
        Sums, in each bin, of the probabilities and of the pneumonia images.
    """
    mass = images.normal + images.pneumonia
    total = mass.sum(axis=1)
    columns = []
    for part in (mass, mass * images.probabilities, images.pneumonia):
        columns.append(np.pad(np.cumsum(part, axis=1), ((0, 0), (1, 0))))
    edges = total[:, None] * np.arange(bins + 1) / bins
    expected, observed = (
        np.diff([np.interp(*row) for row in zip(edges, columns[0], column, strict=True)], axis=1)
        for column in columns[1:]
    )
    return total / bins, expected, observed


def calibration_error(images: Tally, bins: int) -> np.ndarray:
    """Mean absolute difference of expected and observed share over bins of equal weight, shape (B,), 0..1."""
    weight, expected, observed = calibration_bins(images, bins)
    return _ratio(np.abs(expected - observed).sum(axis=1), weight * bins)


def confusion(images: Tally, threshold: float) -> dict[str, np.ndarray]:
    """Weights ``tn``, ``fp``, ``fn``, ``tp``, each of shape (B,), calling pneumonia at or above the threshold."""
    called = images.probabilities >= threshold
    return {
        "tn": images.normal[:, ~called].sum(axis=1),
        "fp": images.normal[:, called].sum(axis=1),
        "fn": images.pneumonia[:, ~called].sum(axis=1),
        "tp": images.pneumonia[:, called].sum(axis=1),
    }


def rates(tn: np.ndarray, fp: np.ndarray, fn: np.ndarray, tp: np.ndarray) -> dict[str, np.ndarray]:
    """Accuracy, balanced accuracy, precision, recall, specificity and F1 of confusion counts; NaN where undefined."""
    recall, specificity = _ratio(tp, tp + fn), _ratio(tn, tn + fp)
    return {
        "accuracy": _ratio(tn + tp, tn + fp + fn + tp),
        "balanced_accuracy": (recall + specificity) / 2,
        "precision": _ratio(tp, tp + fp),
        "recall": recall,
        "specificity": specificity,
        "f1": _ratio(2 * tp, 2 * tp + fp + fn),
    }


def percentile_interval(values: np.ndarray, level: float) -> tuple[float, float] | None:
    """Central interval of the resamples in which a metric is defined.

    Parameters
    ----------
    values : ndarray of float64, shape (B,)
        NaN marks a degenerate resample, for example one without a normal image; it is left out.
    level : float
        Share of resamples inside, 0..1.

    Returns
    -------
    low, high : float
        None when fewer than half of the resamples are defined: then the sample is too small for an interval.
    """
    defined = values[~np.isnan(values)]
    if 2 * len(defined) < len(values):
        return None
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.full(np.shape(whole), np.nan), where=whole > 0)
