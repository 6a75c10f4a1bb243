"""Thresholds: the operating points fixed on held-out patients, and every rate at all thresholds."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cxrmodel.errors import DataError
from cxrmodel.metrics.bootstrap import RESAMPLES, SEED, WeightedSamples, resampled
from cxrmodel.metrics.calibration import log_odds
from cxrmodel.metrics.estimate import Estimate
from cxrmodel.metrics.intervals import column_intervals, wilson
from cxrmodel.metrics.rates import Confusion, Counts, counts_at
from cxrmodel.metrics.registry import rates_in_order
from cxrmodel.metrics.validation import Labels, Values, checked_patients, of_both_classes

STEPS = 1000
TARGET_SENSITIVITY = 0.98
"""What the high-sensitivity threshold reaches on the images that fix it."""
TARGET_SPECIFICITY = 0.98
"""What the high-specificity threshold reaches on the images that fix it."""
_LARGEST = 40.0
"""Log-odds of a probability that is 1 in float64."""


def choose_operating_points(
    labels: ArrayLike,
    probabilities: ArrayLike,
    sensitivity: float = TARGET_SENSITIVITY,
    specificity: float = TARGET_SPECIFICITY,
) -> dict[str, float]:
    """Fix the three operating points on held-out patients.

    Candidates are the midpoints, in log-odds, between neighbouring probabilities. Two more are the lowest probability
    (every image positive) and the number above the highest (no image positive), for the outer points.

    Parameters
    ----------
    labels : array-like of {0, 1}, shape (N,)
        Both must occur.
    probabilities : array-like of float, shape (N,)
        0..1.
    sensitivity, specificity : float
        What the outer points must reach on these images, 0..1.

    Returns
    -------
    dict of str to float
        ``high_sensitivity``: the highest threshold that keeps the sensitivity. ``high_specificity``: the lowest that
        reaches the specificity. ``balanced``: the middle, in log-odds, of the range with the best sum of both.

    Raises
    ------
    DataError
        When the arrays cannot be used or hold one class only, or no threshold up to 1 reaches the specificity.
    """
    found, values = of_both_classes(labels, probabilities)
    distinct = np.unique(values)
    odds = np.clip(log_odds(distinct), -_LARGEST, _LARGEST)
    middles = (odds[1:] + odds[:-1]) / 2
    cuts = np.concatenate([distinct[:1], 1 / (1 + np.exp(-middles)), np.nextafter(distinct[-1:], 2)])
    positive, negative = np.sort(values[found == 1]), np.sort(values[found == 0])
    sensitivities = 1 - np.searchsorted(positive, cuts) / len(positive)
    specificities = np.searchsorted(negative, cuts) / len(negative)
    sums = (sensitivities + specificities)[1:-1]
    best = middles[np.isclose(sums, sums.max())] if len(sums) else odds
    points = {
        "high_sensitivity": float(cuts[sensitivities >= sensitivity].max()),
        "balanced": 1 / (1 + math.exp(-best.mean())),
        "high_specificity": float(cuts[specificities >= specificity].min()),
    }
    if points["high_specificity"] > 1:
        raise DataError("metrics.error.specificity", specificity=specificity)
    return points


@dataclass(frozen=True, eq=False)
class ThresholdTable:
    """Counts and rates at thresholds.

    Attributes
    ----------
    thresholds : ndarray of float64, shape (K,)
        An image is positive at or above. :func:`threshold_table` gives rising ones, between which nothing changes.
    counts : Counts
        Arrays of int64, shape (K,).
    values, lows, highs : dict of str to ndarray of float64, shape (K,)
        Each rate and its 95 % interval; NaN where undefined, infinite where a likelihood ratio has no bound.
    denominators : dict of str to ndarray of int64, shape (K,)
        Images that each rate is computed from.
    """

    thresholds: Values
    counts: Counts
    values: dict[str, Values]
    lows: dict[str, Values]
    highs: dict[str, Values]
    denominators: dict[str, Labels]

    def at(self, threshold: float) -> int:
        """Row that holds at a threshold."""
        return int(np.searchsorted(self.thresholds, threshold, side="right")) - 1

    def confusion(self, row: int) -> Confusion:
        """Counts of a row."""
        return Confusion(*(int(part[row]) for part in self.counts))

    def estimate(self, rate: str, row: int) -> Estimate:
        """A rate in a row."""
        value, low, high = (float(part[rate][row]) for part in (self.values, self.lows, self.highs))
        return Estimate.rounded(value, low, high, int(self.denominators[rate][row]))


def rates_at(
    labels: Labels, probabilities: Values, patients: NDArray[np.str_], samples: WeightedSamples, thresholds: Values
) -> ThresholdTable:
    """Compute all rates at thresholds, with 95 % intervals.

    Parameters
    ----------
    labels, probabilities, patients : ndarray, shape (N,)
        As checked by :mod:`cxrmodel.metrics.validation`.
    samples : WeightedSamples
        These images, then their resamples.
    thresholds : ndarray of float64, shape (K,)
    """
    counts = counts_at(samples, thresholds)
    whole = Counts(*(part[0].astype(np.int64) for part in counts))
    table = ThresholdTable(thresholds, whole, values={}, lows={}, highs={}, denominators={})
    for rate in rates_in_order():
        figures = rate.measure(counts)
        low, high = column_intervals(figures[1:])
        low[np.isnan(figures[0])] = high[np.isnan(figures[0])] = np.nan
        images = np.full(len(thresholds), len(labels))
        if rate.denominator is not None:
            masks = [rate.denominator(labels == 1, probabilities >= threshold) for threshold in thresholds]
            images = np.array([mask.sum() for mask in masks])
            for row in np.flatnonzero(low == high):
                low[row], high[row] = wilson(figures[0][row], len(np.unique(patients[masks[row]])))
        table.values[rate.name], table.lows[rate.name], table.highs[rate.name] = figures[0], low, high
        table.denominators[rate.name] = images
    return table


def threshold_table(
    labels: ArrayLike,
    probabilities: ArrayLike,
    patients: Sequence[str] | NDArray[np.str_],
    points: Sequence[float] = (),
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> ThresholdTable:
    """Compute all rates at every thousandth of probability and at given points.

    The resamples are those of :func:`cxrmodel.metrics.performance.evaluate_scores`, so that the intervals at an
    operating point are the ones stored there.

    Parameters
    ----------
    labels : array-like of int, shape (N,)
        0 negative, 1 positive; both must occur.
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
    found, values = of_both_classes(labels, probabilities)
    people = checked_patients(patients, len(found))
    samples = resampled(found, values, people, resamples, seed)
    wanted = np.unique(np.r_[np.arange(STEPS + 1) / STEPS, np.asarray(list(points), np.float64)])
    _, kept = np.unique(np.searchsorted(samples.scores, wanted, side="left"), return_index=True)
    return rates_at(found, values, people, samples, wanted[kept])
