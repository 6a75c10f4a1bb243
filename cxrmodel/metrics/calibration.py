"""Calibration: how close probabilities are to observed shares, also at another prevalence.

References
----------
Brier, Verification of forecasts expressed in terms of probability, Monthly Weather Review 78, 1950.
Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 10 (estimate of bias).
Guo et al., On calibration of modern neural networks, ICML 2017 (expected calibration error).
Kish, Survey Sampling, 1965 (effective size of a weighted sample).
Kumar et al., Verified uncertainty calibration, NeurIPS 2019 (the bias of binned errors, and how to take it off).
Nixon et al., Measuring calibration in deep learning, CVPR workshops 2019 (bins of equal mass instead of equal width).
Saerens et al., Adjusting the outputs of a classifier to new a priori probabilities, Neural Computation 14, 2002.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cxrmodel.metrics.bootstrap import RESAMPLES, SEED, WeightedSamples, ratio, resampled
from cxrmodel.metrics.estimate import Estimate
from cxrmodel.metrics.intervals import estimate, wilson
from cxrmodel.metrics.validation import Labels, Values, of_both_classes

BINS = 15
"""Bins of the expected calibration error."""


class CalibrationScores(NamedTuple):
    """Change of the expected calibration error and of the Brier score; above 0 is worse."""

    ece: Estimate
    brier: Estimate


class CalibrationBins(NamedTuple):
    """Bins of equal weight of B samples: ``weight`` of each bin (B,), mean probability and positive share (B, bins)."""

    weight: Values
    mean_probability: Values
    observed: Values


@dataclass(frozen=True, eq=False)
class Reliability:
    """A reliability diagram with its figures.

    Attributes
    ----------
    images : float
        Weight of each bin; a fraction is possible.
    mean_probability, observed, low, high : ndarray of float64, shape (bins,)
        Mean probability and positive share of each bin, and the share's 95 % interval (Wilson's: images taken as
        independent, weighted ones at their effective number); 0..1.
    ece, corrected_ece, brier : Estimate
        Expected calibration error of the images, the same corrected for bias, and Brier score.
    """

    images: float
    mean_probability: Values
    observed: Values
    low: Values
    high: Values
    ece: Estimate
    corrected_ece: Estimate
    brier: Estimate


def brier(samples: WeightedSamples) -> Values:
    """Mean squared difference of probability and label, shape (B,), 0..1."""
    squared = samples.positive * (1 - samples.scores) ** 2 + samples.negative * samples.scores**2
    return ratio(squared.sum(axis=1), (samples.negative + samples.positive).sum(axis=1))


def calibration_bins(samples: WeightedSamples, bins: int = BINS) -> CalibrationBins:
    """Cut each sample, in order of probability, into bins of equal weight.

    Images of equal probability at an edge are divided between the bins in proportion; the order of ties has no effect.
    """
    weight, expected, observed = _bin_sums(samples, bins)
    return CalibrationBins(weight, expected / weight[:, None], observed / weight[:, None])


def calibration_error(samples: WeightedSamples, bins: int = BINS) -> Values:
    """Expected calibration error of a sample and of its resamples, these corrected for bias.

    The error is the mean, over bins of equal weight, of the absolute difference of mean probability and positive share.
    Even a perfect model has a small one, by chance. A resample holds chance twice, so the mean excess of the resamples
    over the sample (the bootstrap's estimate of bias) is taken off them; none falls below 0.

    Parameters
    ----------
    samples : WeightedSamples
        First the sample, then its resamples.
    bins : int

    Returns
    -------
    ndarray of float64, shape (B,)
        0..1.
    """
    errors, bias = _errors_and_bias(samples, bins)
    errors[1:] = np.maximum(errors[1:] - bias, 0)
    return errors


def corrected_calibration_error(samples: WeightedSamples, bins: int = BINS) -> Values:
    """Expected calibration error, corrected for bias: the bootstrap's estimate of it is taken off the sample's too.

    A resample holds chance twice, so it is taken off the resamples twice; nothing falls below 0. With bins of equal
    weight this is the debiased estimator of Kumar et al. 2019, with patients resampled instead of normal bins.

    Parameters
    ----------
    samples : WeightedSamples
        First the sample, then its resamples.
    bins : int

    Returns
    -------
    ndarray of float64, shape (B,)
        0..1.
    """
    errors, bias = _errors_and_bias(samples, bins)
    errors[0] -= bias
    errors[1:] -= 2 * bias
    return np.maximum(errors, 0)


def _errors_and_bias(samples: WeightedSamples, bins: int) -> tuple[Values, float]:
    """Calibration error of each sample as it is, and the mean excess of the resamples over the first."""
    weight, expected, observed = _bin_sums(samples, bins)
    errors = ratio(np.abs(expected - observed).sum(axis=1), weight * bins)
    return errors, float(np.nanmean(errors[1:]) - errors[0]) if len(errors) > 1 else 0.0


def calibration_change(
    labels: ArrayLike,
    before: ArrayLike,
    after: ArrayLike,
    patients: Sequence[str] | NDArray[np.str_],
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> CalibrationScores:
    """Estimate what calibration changed: after minus before, with the same patients drawn for both.

    Parameters
    ----------
    labels, patients, resamples, seed
        As in :func:`reliability`.
    before, after : array-like, shape (N,)
        Probabilities, 0..1.
    """
    pairs = []
    for probabilities in (before, after):
        found, values = of_both_classes(labels, probabilities)
        samples = resampled(found, values, patients, resamples, seed)
        pairs.append((calibration_error(samples), brier(samples)))
    ece, squared = (second - first for first, second in zip(*pairs, strict=True))
    return CalibrationScores(estimate(ece, len(patients)), estimate(squared, len(patients)))


def reliability(
    labels: ArrayLike,
    probabilities: ArrayLike,
    patients: Sequence[str] | NDArray[np.str_],
    prevalence: float | None = None,
    resamples: int = RESAMPLES,
    seed: int = SEED,
    *,
    bins: int = BINS,
) -> Reliability:
    """Compute a reliability diagram, its expected calibration error and its Brier score.

    Parameters
    ----------
    labels, probabilities : array-like, shape (N,)
        0 negative, 1 positive, both of which must occur; 0..1.
    patients : sequence of str, length N
    prevalence : float or None
        Positive share to which the images are weighted; None weights all images equally.
    resamples, seed : int
        Of the bootstrap.
    bins : int
        Of equal weight.

    Raises
    ------
    DataError
        When the arrays differ in length, are empty, hold anything else, or hold one class only.
    """
    found, values = of_both_classes(labels, probabilities)
    image_weights = class_weights(found, prevalence)
    samples = resampled(found, values, patients, resamples, seed, image_weights)
    parts = calibration_bins(WeightedSamples(samples.scores, samples.negative[:1], samples.positive[:1]), bins)
    weight, observed = parts.weight[0], np.clip(parts.observed[0], 0, 1)
    squares = observed * image_weights[found == 1][0] + (1 - observed) * image_weights[found == 0][0]
    low, high = wilson(observed, weight / squares)
    return Reliability(
        float(weight),
        parts.mean_probability[0],
        observed,
        low,
        high,
        estimate(calibration_error(samples, bins), len(found)),
        estimate(corrected_calibration_error(samples, bins), len(found)),
        estimate(brier(samples), len(found)),
    )


def adjusted_to_prevalence(probabilities: ArrayLike, assumed: float, wanted: float) -> Values:
    """Adjust probabilities to another prevalence: Bayes' rule as a factor on the odds.

    Parameters
    ----------
    probabilities : array-like of float
        0..1, which assume the prevalence ``assumed``.
    assumed, wanted : float
        Prevalences, strictly between 0 and 1.
    """
    values = np.asarray(probabilities, np.float64)
    factor = wanted / (1 - wanted) * (1 - assumed) / assumed
    return np.asarray(values * factor / (values * factor + 1 - values))


def at_observed_prevalence(samples: WeightedSamples, assumed: float, observed: float) -> WeightedSamples:
    """The same samples with their probabilities adjusted to the share of positives observed in them, 0..1."""
    return replace(samples, scores=adjusted_to_prevalence(samples.scores, assumed, observed))


def log_odds(probabilities: ArrayLike) -> Values:
    """Natural logarithm of the odds; infinite at 0 and 1."""
    values = np.asarray(probabilities, np.float64)
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(values) - np.log1p(-values))


def class_weights(labels: Labels, prevalence: float | None) -> Values:
    """Weight of each image that brings the positive share to a prevalence."""
    if prevalence is None:
        return np.ones(len(labels))
    share = labels.mean()
    return np.asarray(np.where(labels == 1, prevalence / share, (1 - prevalence) / (1 - share)))


def _bin_sums(samples: WeightedSamples, bins: int) -> tuple[Values, Values, Values]:
    """Weight of each bin, and the sums of probabilities and of positive images in each."""
    mass = samples.negative + samples.positive
    total = mass.sum(axis=1)
    columns = [
        np.pad(np.cumsum(part, axis=1), ((0, 0), (1, 0))) for part in (mass, mass * samples.scores, samples.positive)
    ]
    edges = total[:, None] * np.arange(bins + 1) / bins
    expected, observed = (
        np.diff([np.interp(*row) for row in zip(edges, columns[0], column, strict=True)], axis=1)
        for column in columns[1:]
    )
    return total / bins, expected, observed
