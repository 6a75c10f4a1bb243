"""A figure with its 95 % interval over patients, as the sections of an evaluation hold it."""

from collections.abc import Sequence

import numpy as np

from cxrmodel.evaluation import bootstrap
from cxrmodel.evaluation.metrics import CALIBRATION_BINS, LEVEL, significant

__all__ = ["RESAMPLES", "SEED", "Interval", "auc", "auc_change", "calibration", "interval", "mean"]

RESAMPLES = 2000
SEED = 0

Interval = dict[str, float | None]
"""``value``, ``low`` and ``high``, each None where undefined."""


def interval(value: float, resampled: np.ndarray) -> Interval:
    """A value and the central 95 % of its resamples.

    Parameters
    ----------
    value : float
        NaN where undefined.
    resampled : ndarray of float64, shape (B,)
        NaN marks resamples in which it is undefined; where more than half are, the bounds are None.
    """
    if np.isnan(value):
        return {"value": None, "low": None, "high": None}
    low, high = bootstrap.percentile_interval(resampled, LEVEL) or (None, None)
    return {
        name: None if number is None else significant(float(number))
        for name, number in (("value", value), ("low", low), ("high", high))
    }


def _weights(patients: Sequence[str]) -> np.ndarray:
    """The images themselves, each once, and then every resample: shape (1 + RESAMPLES, N)."""
    drawn = bootstrap.patient_weights(np.asarray(patients, str), RESAMPLES, SEED)
    return np.vstack([np.ones(drawn.shape[1]), drawn])


def _aucs(labels: np.ndarray, scores: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return bootstrap.roc_auc(bootstrap.tally(np.asarray(labels), np.asarray(scores, np.float64), weights))


def auc(labels: np.ndarray, scores: np.ndarray, patients: Sequence[str]) -> Interval:
    """Area under the ROC curve; the value is None where a class is missing.

    Parameters
    ----------
    labels : ndarray of {0, 1}, shape (N,)
    scores : ndarray of float, shape (N,)
        On any rising scale.
    patients : sequence of str, length N
        Who is resampled, with all images.
    """
    found = _aucs(labels, scores, _weights(patients))
    return interval(found[0], found[1:])


def auc_change(labels: np.ndarray, before: np.ndarray, after: np.ndarray, patients: Sequence[str]) -> Interval:
    """AUC of ``after`` less that of ``before``, the same patients drawn for both."""
    weights = _weights(patients)
    found = _aucs(labels, after, weights) - _aucs(labels, before, weights)
    return interval(found[0], found[1:])


def mean(values: np.ndarray, patients: Sequence[str]) -> Interval:
    """Mean over images; undefined where there are none."""
    values = np.asarray(values, np.float64)
    if not len(values):
        return {"value": None, "low": None, "high": None}
    weights = _weights(patients)
    total = weights.sum(axis=1)
    found = np.divide(weights @ values, total, out=np.full(len(total), np.nan), where=total > 0)
    return interval(found[0], found[1:])


def calibration(
    labels: np.ndarray, probabilities: np.ndarray, patients: Sequence[str], prevalence: float | None = None
) -> dict[str, Interval]:
    """Expected calibration error (15 bins of equal mass) and Brier score.

    A resample's calibration error holds the chance of sampling twice, so its mean excess over the value is first taken
    off the resamples, as :func:`cxrmodel.evaluation.metrics.evaluate_scores` does.

    Parameters
    ----------
    prevalence : float or None
        Share of pneumonia to which the images are weighted; None leaves them as they are.

    Returns
    -------
    dict
        ``ece`` and ``brier``.
    """
    labels, weights = np.asarray(labels), _weights(patients)
    if prevalence is not None:
        share = labels.mean()
        weights = weights * np.where(labels > 0, prevalence / share, (1 - prevalence) / (1 - share))
    images = bootstrap.tally(labels, np.asarray(probabilities, np.float64), weights)
    ece = bootstrap.calibration_error(images, CALIBRATION_BINS)
    brier = bootstrap.brier(images)
    excess = np.nanmean(ece[1:]) - ece[0]
    return {
        "ece": interval(ece[0], np.maximum(ece[1:] - excess, 0)),
        "brier": interval(brier[0], brier[1:]),
    }
