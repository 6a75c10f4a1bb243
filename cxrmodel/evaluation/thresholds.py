"""Every figure that follows from a threshold, at every threshold at once, with intervals over patients.

References
----------
Matthews, Comparison of the predicted and observed secondary structure of T4 phage lysozyme, Biochim. Biophys. Acta 405,
1975 (correlation coefficient).
Deeks and Altman, Diagnostic tests 4: likelihood ratios, BMJ 329, 2004.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from cxrmodel.evaluation import bootstrap
from cxrmodel.evaluation.checks import both_classes
from cxrmodel.evaluation.metrics import LEVEL

__all__ = ["RATES", "ThresholdTable", "column_intervals", "further_rates", "predictive_values", "threshold_table"]

RATES = {
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "recall": "Sensitivity (recall)",
    "specificity": "Specificity",
    "precision": "Precision (PPV)",
    "npv": "Negative predictive value",
    "f1": "F1",
    "mcc": "Matthews correlation (MCC)",
    "lr_positive": "Likelihood ratio, positive",
    "lr_negative": "Likelihood ratio, negative",
}
"""Figures that follow from a threshold, in the order in which they are told, with their names."""
STEPS = 1000


@dataclass(frozen=True, eq=False)
class ThresholdTable:
    """Counts and figures at each threshold at which a call changes.

    Attributes
    ----------
    thresholds : ndarray of float64, shape (K,)
        Rising, from 0: an image is called pneumonia at or above. Between two of them nothing changes that matters here.
    counts : dict of str to ndarray of int64, shape (K,)
        ``tn``, ``fp``, ``fn``, ``tp``.
    values, lows, highs : dict of str to ndarray of float64, shape (K,)
        Each figure of `RATES` and its 95 % interval; NaN where undefined, infinite where a likelihood ratio has no
        bound.
    """

    thresholds: np.ndarray
    counts: dict[str, np.ndarray]
    values: dict[str, np.ndarray]
    lows: dict[str, np.ndarray]
    highs: dict[str, np.ndarray]

    def at(self, threshold: float) -> int:
        """Index of the row that holds at a threshold."""
        return int(np.searchsorted(self.thresholds, threshold, side="right")) - 1


def threshold_table(
    labels: ArrayLike,
    probabilities: ArrayLike,
    patients: Sequence[str],
    points: Sequence[float] = (),
    resamples: int = 2000,
    seed: int = 0,
) -> ThresholdTable:
    """Compute all figures at every thousandth of probability and at given points.

    The resamples are those of :func:`cxrmodel.evaluation.metrics.evaluate_scores`, so that the intervals at an
    operating point are the ones stated there.

    Parameters
    ----------
    labels : array-like of int, shape (N,)
        0 normal, 1 pneumonia; both must occur.
    probabilities : array-like of float, shape (N,)
        0..1.
    patients : sequence of str, length N
    points : sequence of float
        Thresholds that are to be exact.
    resamples, seed : int
        Of the bootstrap.

    Raises
    ------
    DataError
        When the arrays differ in length, are empty, hold anything else, or hold one class only.
    """
    labels, probabilities = both_classes(labels, probabilities)
    weights = bootstrap.patient_weights(np.asarray(patients, str), resamples, seed)
    drawn = bootstrap.tally(labels, probabilities, np.vstack([np.ones(len(labels)), weights]))
    wanted = np.unique(np.concatenate([np.arange(STEPS + 1) / STEPS, np.asarray(list(points), np.float64)]))
    first = np.searchsorted(drawn.probabilities, wanted, side="left")
    first, kept = np.unique(first, return_index=True)
    counts = _counts(drawn, first)
    figures = {**bootstrap.rates(**counts), **further_rates(**counts)}
    lows, highs = {}, {}
    for name, values in figures.items():
        lows[name], highs[name] = column_intervals(values[1:])
        undefined = np.isnan(values[0])
        lows[name][undefined] = highs[name][undefined] = np.nan
    return ThresholdTable(
        wanted[kept],
        {name: values[0].astype(np.int64) for name, values in counts.items()},
        {name: figures[name][0] for name in RATES},
        {name: lows[name] for name in RATES},
        {name: highs[name] for name in RATES},
    )


def further_rates(tn: ArrayLike, fp: ArrayLike, fn: ArrayLike, tp: ArrayLike) -> dict[str, np.ndarray]:
    """Negative predictive value, Matthews correlation and likelihood ratios of confusion counts.

    Returns
    -------
    dict of str to ndarray of float64
        ``npv`` (0..1), ``mcc`` (-1..1, NaN where a row or column of the matrix is empty), ``lr_positive`` and
        ``lr_negative`` (0 or above; infinite where specificity is 1, or 0; NaN where 0 / 0).
    """
    tn, fp, fn, tp = (np.asarray(count, np.float64) for count in (tn, fp, fn, tp))
    with np.errstate(divide="ignore", invalid="ignore"):
        recall, specificity = tp / (tp + fn), tn / (tn + fp)
        sides = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
        return {
            "npv": tn / (tn + fn),
            "mcc": (tp * tn - fp * fn) / np.sqrt(np.where(sides > 0, sides, np.nan)),
            "lr_positive": recall / (fp / (tn + fp)),
            "lr_negative": (fn / (tp + fn)) / specificity,
        }


def predictive_values(
    lr_positive: ArrayLike, lr_negative: ArrayLike, prevalence: float
) -> tuple[np.ndarray, np.ndarray]:
    """Positive and negative predictive value under a prevalence, by Bayes' rule.

    Each is a monotone function of its likelihood ratio, so an interval of the ratio gives the interval of the value.

    Parameters
    ----------
    lr_positive, lr_negative : array-like of float
        0 or above; infinity is allowed.
    prevalence : float
        Strictly between 0 and 1.

    Returns
    -------
    positive, negative : ndarray of float64
        0..1.
    """
    odds = prevalence / (1 - prevalence)
    with np.errstate(divide="ignore"):
        return 1 / (1 + 1 / (odds * np.asarray(lr_positive, np.float64))), 1 / (
            1 + odds * np.asarray(lr_negative, np.float64)
        )


def column_intervals(values: np.ndarray, level: float = LEVEL) -> tuple[np.ndarray, np.ndarray]:
    """Central interval of each column, as :func:`cxrmodel.evaluation.bootstrap.percentile_interval` has it.

    Parameters
    ----------
    values : ndarray of float64, shape (B, K)
        NaN is left out; infinity counts.

    Returns
    -------
    low, high : ndarray of float64, shape (K,)
        NaN where fewer than half of the column is defined.
    """
    ordered = np.sort(values, axis=0)
    defined = len(values) - np.isnan(values).sum(axis=0)
    columns = np.arange(values.shape[1])
    bounds = []
    for share in ((1 - level) / 2, (1 + level) / 2):
        place = np.maximum(defined - 1, 0) * share
        below, above = (ordered[edge(place).astype(int), columns] for edge in (np.floor, np.ceil))
        with np.errstate(invalid="ignore"):
            between = np.where(below == above, below, below + (above - below) * (place % 1))
        bounds.append(np.where(2 * defined < len(values), np.nan, between))
    return bounds[0], bounds[1]


def _counts(images: bootstrap.Tally, first: np.ndarray) -> dict[str, np.ndarray]:
    """Confusion weights, each of shape (B, K), when images from each index of the probabilities on are called."""
    below = {
        name: np.pad(np.cumsum(part, axis=1), ((0, 0), (1, 0)))[:, first]
        for name, part in (("tn", images.normal), ("fn", images.pneumonia))
    }
    return {
        "tn": below["tn"],
        "fp": images.normal.sum(axis=1, keepdims=True) - below["tn"],
        "fn": below["fn"],
        "tp": images.pneumonia.sum(axis=1, keepdims=True) - below["fn"],
    }
