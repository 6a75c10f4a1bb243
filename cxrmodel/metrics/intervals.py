"""Confidence intervals: percentiles of a bootstrap by patient, and Wilson's for shares whose resamples all agree.

References
----------
Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13 (percentile intervals).
Wilson, Probable inference, the law of succession, and statistical inference, J. Am. Stat. Assoc. 22, 1927.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cxrmodel.metrics.bootstrap import LEVEL, RESAMPLES, SEED, patient_weights, ratio
from cxrmodel.metrics.estimate import DIGITS, Estimate
from cxrmodel.metrics.validation import Values, checked_patients

_NORMAL_QUANTILE = 1.959963984540054


def estimate(samples: Values, n: int, patients: int | None = None, digits: int = DIGITS) -> Estimate:
    """Make an estimate of a figure that was computed for a sample and its resamples.

    Parameters
    ----------
    samples : ndarray of float64, shape (1 + B,)
        The figure of the sample, then those of the resamples; NaN where undefined.
    n : int
        Images that the figure is computed from.
    patients : int or None
        Patients of those images, for a share: where all resamples agree its interval is Wilson's over the patients, as
        the percentiles would have no width. None for any other figure.
    digits : int
        Significant digits to round to.

    Returns
    -------
    Estimate
        Without an interval where fewer than half of the resamples are defined.
    """
    low, high = column_intervals(samples[1:, None])
    if patients and low == high:
        low, high = wilson(samples[:1], patients)
    return Estimate.rounded(float(samples[0]), float(low[0]), float(high[0]), n, digits)


def mean(
    values: ArrayLike,
    patients: Sequence[str] | NDArray[np.str_],
    resamples: int = RESAMPLES,
    seed: int = SEED,
    digits: int = DIGITS,
) -> Estimate:
    """Estimate a mean over images; undefined where there are none.

    Parameters
    ----------
    values : array-like of float, shape (N,)
    patients : sequence of str, length N
    resamples, seed : int
        Of the bootstrap.
    digits : int
        Significant digits to round to.
    """
    found = np.asarray(values, np.float64)
    if not len(found):
        return Estimate.undefined()
    weights = patient_weights(checked_patients(patients, len(found)), resamples, seed)
    return estimate(ratio(weights @ found, weights.sum(axis=1)), len(found), digits=digits)


def column_intervals(values: Values, level: float = LEVEL) -> tuple[Values, Values]:
    """Central interval of each column: of the resamples in which its figure is defined.

    Parameters
    ----------
    values : ndarray of float64, shape (B, K)
        NaN marks a resample in which the figure is undefined, for example one without a negative image; it is left out.
        Infinity counts.
    level : float
        Share of each column inside, 0..1.

    Returns
    -------
    low, high : ndarray of float64, shape (K,)
        NaN where fewer than half of the resamples are defined, as the sample is too small.
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


def wilson(share: ArrayLike, n: ArrayLike) -> tuple[Values, Values]:
    """Wilson's 95 % interval of a share.

    Parameters
    ----------
    share : array-like of float
        Observed, 0..1.
    n : array-like of float
        Number of independent observations; above 0, a fraction is possible.

    Returns
    -------
    low, high : ndarray of float64
        0..1; they differ even at a share of 0 or 1.
    """
    share, n = np.asarray(share, np.float64), np.asarray(n, np.float64)
    z = _NORMAL_QUANTILE**2 / n
    middle, half = (share + z / 2) / (1 + z), np.sqrt(z * share * (1 - share) + z**2 / 4) / (1 + z)
    return np.clip(middle - half, 0, share), np.clip(middle + half, share, 1)
