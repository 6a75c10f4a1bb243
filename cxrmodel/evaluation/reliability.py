"""How right a probability is: before and after calibration, and where pneumonia is rarer or commoner.

References
----------
Brier, Verification of forecasts expressed in terms of probability, Monthly Weather Review 78, 1950.
Wilson, Probable inference, the law of succession, and statistical inference, J. Am. Stat. Assoc. 22, 1927.
Kish, Survey Sampling, 1965 (effective size of a weighed sample).
Saerens et al., Adjusting the outputs of a classifier to new a priori probabilities, Neural Computation 14, 2002.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from cxrmodel.evaluation import bootstrap
from cxrmodel.evaluation.checks import both_classes
from cxrmodel.evaluation.metrics import CALIBRATION_BINS, LEVEL
from cxrmodel.model.calibration import probability

__all__ = ["Reliability", "calibration_change", "reliability", "shifted", "uncalibrated", "wilson"]
_NORMAL_QUANTILE = 1.959963984540054


class Reliability(NamedTuple):
    """A reliability diagram with its figures.

    Attributes
    ----------
    images : float
        Weight of each bin, in images.
    stated, observed, low, high : ndarray of float64, shape (bins,)
        Mean probability and share of pneumonia of each bin, and the share's 95 % interval (Wilson's, images taken as
        independent, weighed ones at their effective number); 0..1.
    ece, brier : dict of str to float or None
        ``value``, ``low`` and ``high``.
    """

    images: float
    stated: np.ndarray
    observed: np.ndarray
    low: np.ndarray
    high: np.ndarray
    ece: dict[str, float | None]
    brier: dict[str, float | None]


def uncalibrated(logits: ArrayLike) -> np.ndarray:
    """Probabilities that the network itself states, of an even prevalence: the logistic of its output."""
    return probability(np.asarray(logits, np.float64), 1.0, 0.5)


def shifted(probabilities: ArrayLike, assumed: float, wanted: float) -> np.ndarray:
    """Many probabilities under another prevalence, as :func:`cxrmodel.model.calibration.at_prevalence` does one.

    Parameters
    ----------
    probabilities : array-like of float
        0..1, which assume the prevalence ``assumed``.
    assumed, wanted : float
        Prevalences, strictly between 0 and 1.
    """
    values = np.asarray(probabilities, np.float64)
    ratio = wanted / (1 - wanted) * (1 - assumed) / assumed
    return values * ratio / (values * ratio + 1 - values)


def reliability(
    labels: ArrayLike,
    probabilities: ArrayLike,
    patients: Sequence[str],
    prevalence: float | None = None,
    resamples: int = 2000,
    seed: int = 0,
    bins: int = CALIBRATION_BINS,
) -> Reliability:
    """Compute a reliability diagram, its expected calibration error and its Brier score.

    Parameters
    ----------
    labels, probabilities : array-like, shape (N,)
        0 normal, 1 pneumonia, both of which must occur; 0..1.
    patients : sequence of str, length N
    prevalence : float or None
        Share of pneumonia that the images are weighed to; None leaves them as they are.
    resamples, seed : int
        Of the bootstrap.
    bins : int
        Of equal weight.

    Notes
    -----
    A resample's calibration error holds the chance of sampling twice; its mean excess is taken off, as in
    :func:`cxrmodel.evaluation.metrics.evaluate_scores`.

    Raises
    ------
    DataError
        As :func:`cxrmodel.evaluation.metrics.roc_points`.
    """
    labels, probabilities = both_classes(labels, probabilities)
    share = labels.mean()
    prevalence = share if prevalence is None else prevalence
    sick, well = prevalence / share, (1 - prevalence) / (1 - share)
    classes = np.where(labels == 1, sick, well)
    weights = bootstrap.patient_weights(np.asarray(patients, str), resamples, seed)
    drawn = bootstrap.tally(labels, probabilities, np.vstack([np.ones(len(labels)), weights]) * classes)
    weight, expected, observed = bootstrap.calibration_bins(drawn, bins)
    share = np.clip(observed[0] / weight[0], 0, 1)
    low, high = wilson(share, weight[0] ** 2 / (observed[0] * sick + (weight[0] - observed[0]) * well))
    ece, brier = np.abs(expected - observed).sum(axis=1) / (weight * bins), bootstrap.brier(drawn)
    return Reliability(
        float(weight[0]),
        expected[0] / weight[0],
        share,
        low,
        high,
        _figure(ece[0], np.maximum(ece[1:] - (ece[1:].mean() - ece[0]), 0)),
        _figure(brier[0], brier[1:]),
    )


def calibration_change(
    labels: ArrayLike,
    before: ArrayLike,
    after: ArrayLike,
    patients: Sequence[str],
    resamples: int = 2000,
    seed: int = 0,
    bins: int = CALIBRATION_BINS,
) -> dict[str, dict[str, float | None]]:
    """What calibration changed, the same patients drawn for both probabilities.

    Parameters
    ----------
    labels, patients, resamples, seed, bins
        As of :func:`reliability`.
    before, after : array-like, shape (N,)
        Probabilities, 0..1.

    Returns
    -------
    dict
        ``ece`` and ``brier``: after less before, as ``value``, ``low`` and ``high``; above 0 is worse.
    """
    weights = bootstrap.patient_weights(np.asarray(patients, str), resamples, seed)
    errors, scores = [], []
    for values in (before, after):
        labels, values = both_classes(labels, values)
        drawn = bootstrap.tally(labels, values, np.vstack([np.ones(len(labels)), weights]))
        ece = bootstrap.calibration_error(drawn, bins)
        errors.append(np.append(ece[0], ece[1:] - (ece[1:].mean() - ece[0])))
        scores.append(bootstrap.brier(drawn))
    changes = {"ece": errors[1] - errors[0], "brier": scores[1] - scores[0]}
    return {name: _figure(change[0], change[1:]) for name, change in changes.items()}


def wilson(share: ArrayLike, images: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Wilson's 95 % interval of a share.

    Parameters
    ----------
    share : array-like of float
        Observed, 0..1.
    images : array-like of float
        Of how many; above 0, a fraction is possible.

    Returns
    -------
    low, high : ndarray of float64
        0..1; never of no width, not at 0 or 1 either.
    """
    share, images = np.asarray(share, np.float64), np.asarray(images, np.float64)
    z = _NORMAL_QUANTILE**2 / images
    middle, half = (share + z / 2) / (1 + z), np.sqrt(z * share * (1 - share) + z**2 / 4) / (1 + z)
    return np.clip(middle - half, 0, share), np.clip(middle + half, share, 1)


def _figure(value: float, resampled: np.ndarray) -> dict[str, float | None]:
    low, high = bootstrap.percentile_interval(resampled, LEVEL) or (None, None)
    return {"value": float(value), "low": low, "high": high}
