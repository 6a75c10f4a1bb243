"""Curves with pointwise 95 % bands over resampled patients: ROC, precision-recall, decision.

References
----------
Fawcett, An introduction to ROC analysis, Pattern Recognition Letters 27, 2006 (vertical averaging).
Vickers and Elkin, Decision curve analysis: a novel method for evaluating prediction models, Medical Decision
Making 26, 2006.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cxrmodel.metrics.bootstrap import RESAMPLES, SEED, resampled
from cxrmodel.metrics.calibration import class_weights
from cxrmodel.metrics.intervals import column_intervals
from cxrmodel.metrics.rates import counts_at
from cxrmodel.metrics.validation import Values, of_both_classes

GRID = 101
_THRESHOLDS = np.arange(1, 100) / 100


class Band(NamedTuple):
    """A band: arrays of one length, ``low`` and ``high`` over ``x`` (all 0..1)."""

    x: Values
    low: Values
    high: Values


class CurveBands(NamedTuple):
    """The band of sensitivity over the false positive rate, and of precision over recall."""

    roc: Band
    precision_recall: Band


class DecisionCurve(NamedTuple):
    """Net benefit over threshold probability, arrays of shape (99,): the model's, its band, and of treating all."""

    thresholds: Values
    model: Values
    low: Values
    high: Values
    treat_all: Values


def curve_bands(
    labels: ArrayLike,
    probabilities: ArrayLike,
    patients: Sequence[str] | NDArray[np.str_],
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> CurveBands:
    """Compute the bands of ROC and precision-recall curve.

    Parameters
    ----------
    labels, probabilities : array-like, shape (N,)
        0 negative, 1 positive, both of which must occur; 0..1.
    patients : sequence of str, length N
    resamples, seed : int
        Of the bootstrap.

    Raises
    ------
    DataError
        As :func:`cxrmodel.metrics.discrimination.roc_points`.
    """
    samples = resampled(*of_both_classes(labels, probabilities), patients, resamples, seed)
    grid = np.linspace(0, 1, GRID)
    true, false = (
        np.pad(np.cumsum(part[1:, ::-1], axis=1), ((0, 0), (1, 0))) for part in (samples.positive, samples.negative)
    )
    complete = (true[:, -1] > 0) & (false[:, -1] > 0)
    true, false = true[complete], false[complete]
    sensitivity = np.empty((len(true), GRID))
    precision = np.empty((len(true), GRID))
    for row, (hits, alarms) in enumerate(zip(true, false, strict=True)):
        sensitivity[row] = np.interp(grid, alarms / alarms[-1], hits / hits[-1])
        # The first threshold that reaches a recall; at recall 0 the first with a true positive.
        reached = np.searchsorted(hits, np.maximum(grid * hits[-1], 1) - 1e-9)
        precision[row] = hits[reached] / (hits[reached] + alarms[reached])
    return CurveBands(Band(grid, *column_intervals(sensitivity)), Band(grid, *column_intervals(precision)))


def net_benefit(tp: ArrayLike, fp: ArrayLike, images: ArrayLike, threshold: ArrayLike) -> Values:
    """True positives minus false positives weighted by the odds of the threshold, per image (Vickers and Elkin).

    Parameters
    ----------
    tp, fp, images : array-like of float
        Counts.
    threshold : array-like of float
        Probability at which the harm of a false alarm and of a missed case balance, 0 <= threshold < 1.

    Returns
    -------
    ndarray of float64
        At most the positive share; may be negative.
    """
    tp, fp, images, threshold = (np.asarray(value, np.float64) for value in (tp, fp, images, threshold))
    return np.asarray((tp - fp * threshold / (1 - threshold)) / images)


def decision_curve(
    labels: ArrayLike,
    probabilities: ArrayLike,
    patients: Sequence[str] | NDArray[np.str_],
    prevalence: float | None = None,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> DecisionCurve:
    """Compute the net benefit of the model at each threshold from 1 to 99 %, against treating all and none.

    Parameters
    ----------
    labels, probabilities, patients, resamples, seed
        As in :func:`curve_bands`.
    prevalence : float or None
        That the probabilities assume, and to which the images are weighted; None weights all images equally.

    Raises
    ------
    DataError
        As :func:`cxrmodel.metrics.discrimination.roc_points`.
    """
    found, values = of_both_classes(labels, probabilities)
    samples = resampled(found, values, patients, resamples, seed, class_weights(found, prevalence))
    counts = counts_at(samples, _THRESHOLDS)
    images = (samples.positive + samples.negative).sum(axis=1, keepdims=True)
    benefit = net_benefit(counts.tp, counts.fp, images, _THRESHOLDS)
    share = float(found.mean()) if prevalence is None else prevalence
    treat_all = net_benefit(share, 1 - share, 1, _THRESHOLDS)
    return DecisionCurve(_THRESHOLDS, benefit[0], *column_intervals(benefit[1:]), treat_all)
