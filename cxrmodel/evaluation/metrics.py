"""Labels and probabilities -> figures of merit, with intervals over patients.

scikit-learn computes the figures; ``bootstrap`` computes the same ones for all resamples at once. An image counts as
called pneumonia when its probability is at or above the threshold.

References
----------
Guo et al., On calibration of modern neural networks, ICML 2017 (expected calibration error).
Nixon et al., Measuring calibration in deep learning, CVPR workshops 2019 (bins of equal mass instead of equal width).
"""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    brier_score_loss,
    confusion_matrix,
    f1_score,
    precision_recall_curve,
    precision_score,
    recall_score,
    roc_auc_score,
    roc_curve,
)

from cxrmodel.errors import DataError
from cxrmodel.evaluation import bootstrap
from cxrmodel.evaluation.checks import both_classes, checked

__all__ = [
    "CALIBRATION_BINS",
    "LEVEL",
    "PrecisionRecallPoints",
    "ReliabilityBins",
    "RocPoints",
    "confusion_at",
    "evaluate_scores",
    "expected_calibration_error",
    "precision_recall_points",
    "rates_at",
    "reliability_bins",
    "roc_points",
    "significant",
]

LEVEL = 0.95
CALIBRATION_BINS = 15


class RocPoints(NamedTuple):
    """A ROC curve: arrays of one length, thresholds falling from infinity."""

    false_positive_rate: np.ndarray
    true_positive_rate: np.ndarray
    thresholds: np.ndarray


class PrecisionRecallPoints(NamedTuple):
    """A precision-recall curve: thresholds rising, the last of them infinite (recall 0, precision 1 by convention)."""

    precision: np.ndarray
    recall: np.ndarray
    thresholds: np.ndarray


class ReliabilityBins(NamedTuple):
    """Bins of equal weight: ``images`` in each (a fraction is possible), mean probability and share of pneumonia."""

    images: float
    mean_probability: np.ndarray
    observed: np.ndarray


def significant(number: float, digits: int = 6) -> float:
    """Round to so many significant digits, as figures are stored."""
    return float(f"{number:.{digits}g}")


def roc_points(labels: ArrayLike, probabilities: ArrayLike) -> RocPoints:
    """Compute the ROC curve at every distinct probability.

    Parameters
    ----------
    labels : array-like of int, shape (N,)
        0 normal, 1 pneumonia; both must occur.
    probabilities : array-like of float, shape (N,)
        0..1.

    Raises
    ------
    DataError
        When the arrays differ in length, are empty, hold anything else, or hold one class only.
    """
    return RocPoints(*roc_curve(*both_classes(labels, probabilities), drop_intermediate=False))


def precision_recall_points(labels: ArrayLike, probabilities: ArrayLike) -> PrecisionRecallPoints:
    """Compute precision and recall at every distinct probability.

    Raises
    ------
    DataError
        As :func:`roc_points`.
    """
    precision, recall, thresholds = precision_recall_curve(*both_classes(labels, probabilities))
    return PrecisionRecallPoints(precision, recall, np.append(thresholds, np.inf))


def confusion_at(labels: ArrayLike, probabilities: ArrayLike, threshold: float) -> dict[str, int]:
    """Count true and false calls at a threshold.

    Parameters
    ----------
    labels, probabilities : array-like, shape (N,)
        As in :func:`roc_points`; one class is enough.
    threshold : float
        Probability at or above which an image is called pneumonia.

    Returns
    -------
    dict of str to int
        ``tn``, ``fp``, ``fn``, ``tp``; they sum to N.

    Raises
    ------
    DataError
        When the arrays differ in length, are empty or hold anything else, or the threshold is not a number.
    """
    labels, called = _called(labels, probabilities, threshold)
    tn, fp, fn, tp = confusion_matrix(labels, called, labels=[0, 1]).ravel().tolist()
    return {"tn": tn, "fp": fp, "fn": fn, "tp": tp}


def rates_at(labels: ArrayLike, probabilities: ArrayLike, threshold: float) -> dict[str, float | None]:
    """Compute the figures that follow from a threshold.

    Returns
    -------
    dict of str to float or None
        ``accuracy``, ``balanced_accuracy``, ``precision`` (positive predictive value, at this sample's own
        prevalence), ``recall`` (sensitivity), ``specificity``, ``f1``, each 0..1; None where undefined, for example
        the precision when no image is called pneumonia.

    Raises
    ------
    DataError
        As :func:`confusion_at`.
    """
    labels, called = _called(labels, probabilities, threshold)
    recall = recall_score(labels, called, zero_division=np.nan)
    specificity = recall_score(labels, called, pos_label=0, zero_division=np.nan)
    values = {
        "accuracy": accuracy_score(labels, called),
        "balanced_accuracy": (recall + specificity) / 2,
        "precision": precision_score(labels, called, zero_division=np.nan),
        "recall": recall,
        "specificity": specificity,
        "f1": f1_score(labels, called, zero_division=np.nan),
    }
    return {name: None if math.isnan(value) else float(value) for name, value in values.items()}


def expected_calibration_error(labels: ArrayLike, probabilities: ArrayLike, bins: int = CALIBRATION_BINS) -> float:
    """Compute how far probabilities are from the observed shares, over bins of equal mass.

    The images are put in order of probability and cut into ``bins`` parts of equal weight; the error is the mean, over
    the parts, of the absolute difference of mean probability and share of pneumonia. Images of one probability
    across an edge are shared out in proportion. Even a perfect model has a small error, from the sampling of each part.

    Returns
    -------
    float
        0..1.

    Raises
    ------
    DataError
        As :func:`confusion_at`.
    """
    return float(bootstrap.calibration_error(_whole(*checked(labels, probabilities)), bins)[0])


def reliability_bins(labels: ArrayLike, probabilities: ArrayLike, bins: int = CALIBRATION_BINS) -> ReliabilityBins:
    """Compute the bins behind :func:`expected_calibration_error`, for a reliability diagram.

    Returns
    -------
    ReliabilityBins
        Arrays of float64, shape (bins,), 0..1, in order of probability.

    Raises
    ------
    DataError
        As :func:`confusion_at`.
    """
    weight, expected, observed = bootstrap.calibration_bins(_whole(*checked(labels, probabilities)), bins)
    return ReliabilityBins(float(weight[0]), expected[0] / weight[0], observed[0] / weight[0])


def evaluate_scores(
    labels: ArrayLike,
    probabilities: ArrayLike,
    patients: Sequence[str],
    operating_points: Mapping[str, float],
    resamples: int = 2000,
    seed: int = 0,
) -> dict:
    """Compute every figure of a set of images, with 95 % intervals.

    The intervals are percentile intervals over resampled patients, who bring all their images. A resample in which
    a figure is undefined (no normal image, say) is left out of that figure's interval; where more than half are so,
    the interval is None. A resample's calibration error holds the chance of sampling twice, so the mean excess of
    the resamples over the value (the bootstrap's estimate of bias, Efron and Tibshirani, chapter 10) is first taken
    off them.

    Parameters
    ----------
    labels : array-like of int, shape (N,)
        0 normal, 1 pneumonia; both must occur.
    probabilities : array-like of float, shape (N,)
        0..1.
    patients : sequence of str, length N
        Grouping key of each image.
    operating_points : mapping of str to float
        Name to threshold on the probability.
    resamples, seed : int
        Of the bootstrap.

    Returns
    -------
    dict
        ``auc``, ``average_precision``, ``brier`` and ``ece``, each ``{"value", "low", "high"}`` rounded to six
        significant digits, and ``at``: for each operating point its ``threshold``, the figures of :func:`rates_at`
        in the same form, and the ``confusion`` counts.

    Raises
    ------
    DataError
        When the arrays differ in length, are empty, hold anything else, or hold one class only.
    """
    labels, probabilities = both_classes(labels, probabilities)
    if len(patients) != len(labels):
        raise DataError(f"There are {len(patients)} patients for {len(labels)} images. Give one for each image.")
    weights = bootstrap.patient_weights(np.asarray(patients, str), resamples, seed)
    drawn = bootstrap.tally(labels, probabilities, weights)
    ece = expected_calibration_error(labels, probabilities)
    drawn_ece = bootstrap.calibration_error(drawn, CALIBRATION_BINS)
    whole = {
        "auc": (roc_auc_score(labels, probabilities), bootstrap.roc_auc(drawn)),
        "average_precision": (
            average_precision_score(labels, probabilities),
            bootstrap.average_precision(drawn),
        ),
        "brier": (brier_score_loss(labels, probabilities), bootstrap.brier(drawn)),
        "ece": (ece, np.maximum(drawn_ece - (drawn_ece.mean() - ece), 0)),
    }
    metrics: dict = {name: _with_interval(*pair) for name, pair in whole.items()}
    metrics["at"] = {
        name: _at(labels, probabilities, float(threshold), drawn) for name, threshold in operating_points.items()
    }
    return metrics


def _at(labels: np.ndarray, probabilities: np.ndarray, threshold: float, drawn: bootstrap.Tally) -> dict:
    values = rates_at(labels, probabilities, threshold)
    resampled = bootstrap.rates(**bootstrap.confusion(drawn, threshold))
    return {
        "threshold": threshold,
        **{name: _with_interval(value, resampled[name]) for name, value in values.items()},
        "confusion": confusion_at(labels, probabilities, threshold),
    }


def _with_interval(value: float | None, resampled: np.ndarray) -> dict[str, float | None]:
    interval = None if value is None else bootstrap.percentile_interval(resampled, LEVEL)
    low, high = interval or (None, None)
    return {
        name: None if number is None else significant(number)
        for name, number in (("value", value), ("low", low), ("high", high))
    }


def _whole(labels: np.ndarray, probabilities: np.ndarray) -> bootstrap.Tally:
    return bootstrap.tally(labels, probabilities, np.ones((1, len(labels))))


def _called(labels: ArrayLike, probabilities: ArrayLike, threshold: float) -> tuple[np.ndarray, np.ndarray]:
    if math.isnan(threshold):
        raise DataError("The threshold is not a number. Give a probability between 0 and 1.")
    labels, probabilities = checked(labels, probabilities)
    return labels, (probabilities >= threshold).astype(np.int64)
