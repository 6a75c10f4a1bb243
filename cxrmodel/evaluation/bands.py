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
from numpy.typing import ArrayLike

from cxrmodel.evaluation import bootstrap
from cxrmodel.evaluation.checks import both_classes
from cxrmodel.evaluation.thresholds import column_intervals

__all__ = ["Band", "Curves", "DecisionCurve", "decision_curve", "discrimination_bands", "net_benefit"]

GRID = 101
_WORTH = np.arange(1, 100) / 100


class Band(NamedTuple):
    """A band: arrays of one length, ``low`` and ``high`` over ``across`` (all 0..1)."""

    across: np.ndarray
    low: np.ndarray
    high: np.ndarray


class Curves(NamedTuple):
    """The band of sensitivity over the false positive rate, and of precision over recall."""

    roc: Band
    precision_recall: Band


class DecisionCurve(NamedTuple):
    """Net benefit over threshold probability, arrays of shape (99,): the model's, its band, and of treating all."""

    thresholds: np.ndarray
    model: np.ndarray
    low: np.ndarray
    high: np.ndarray
    all: np.ndarray


def discrimination_bands(
    labels: ArrayLike, probabilities: ArrayLike, patients: Sequence[str], resamples: int = 2000, seed: int = 0
) -> Curves:
    """Compute the bands of ROC and precision-recall curve.

    Parameters
    ----------
    labels, probabilities : array-like, shape (N,)
        0 normal, 1 pneumonia, both of which must occur; 0..1.
    patients : sequence of str, length N
    resamples, seed : int
        Of the bootstrap.

    Raises
    ------
    DataError
        As :func:`cxrmodel.evaluation.metrics.roc_points`.
    """
    labels, probabilities = both_classes(labels, probabilities)
    drawn = bootstrap.tally(
        labels, probabilities, bootstrap.patient_weights(np.asarray(patients, str), resamples, seed)
    )
    grid = np.linspace(0, 1, GRID)
    true, false = (
        np.pad(np.cumsum(part[:, ::-1], axis=1), ((0, 0), (1, 0))) for part in (drawn.pneumonia, drawn.normal)
    )
    whole = (true[:, -1] > 0) & (false[:, -1] > 0)
    true, false = true[whole], false[whole]
    sensitivity = np.empty((len(true), GRID))
    precision = np.empty((len(true), GRID))
    for row, (hits, alarms) in enumerate(zip(true, false, strict=True)):
        sensitivity[row] = np.interp(grid, alarms / alarms[-1], hits / hits[-1])
        # The first threshold that reaches a recall; at recall 0 the first that calls any image with pneumonia.
        reached = np.searchsorted(hits, np.maximum(grid * hits[-1], 1) - 1e-9)
        precision[row] = hits[reached] / (hits[reached] + alarms[reached])
    return Curves(Band(grid, *column_intervals(sensitivity)), Band(grid, *column_intervals(precision)))


def net_benefit(tp: ArrayLike, fp: ArrayLike, images: ArrayLike, threshold: ArrayLike) -> np.ndarray:
    """True positives less false positives, these weighed by the odds of the threshold, per image (Vickers and Elkin).

    Parameters
    ----------
    tp, fp, images : array-like of float
        Counts.
    threshold : array-like of float
        Probability at which the harm of a false alarm and of a missed case balance, 0 <= threshold < 1.

    Returns
    -------
    ndarray of float64
        At most the share of pneumonia; may be negative.
    """
    tp, fp, images, threshold = (np.asarray(value, np.float64) for value in (tp, fp, images, threshold))
    return (tp - fp * threshold / (1 - threshold)) / images


def decision_curve(
    labels: ArrayLike, probabilities: ArrayLike, patients: Sequence[str], resamples: int = 2000, seed: int = 0
) -> DecisionCurve:
    """Compute the net benefit of calling images at each threshold from 1 to 99 %, against calling all and none.

    Parameters
    ----------
    labels, probabilities, patients, resamples, seed
        As in :func:`discrimination_bands`.

    Raises
    ------
    DataError
        As :func:`cxrmodel.evaluation.metrics.roc_points`.
    """
    labels, probabilities = both_classes(labels, probabilities)
    weights = bootstrap.patient_weights(np.asarray(patients, str), resamples, seed)
    drawn = bootstrap.tally(labels, probabilities, np.vstack([np.ones(len(labels)), weights]))
    first = np.searchsorted(drawn.probabilities, _WORTH, side="left")
    true, false = (
        part.sum(axis=1, keepdims=True) - np.pad(np.cumsum(part, axis=1), ((0, 0), (1, 0)))[:, first]
        for part in (drawn.pneumonia, drawn.normal)
    )
    images = (drawn.pneumonia + drawn.normal).sum(axis=1, keepdims=True)
    benefit = net_benefit(true, false, images, _WORTH)
    sick = float(labels.mean())
    return DecisionCurve(_WORTH, benefit[0], *column_intervals(benefit[1:]), net_benefit(sick, 1 - sick, 1, _WORTH))
