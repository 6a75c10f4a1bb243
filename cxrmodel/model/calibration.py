"""Calibration as it is applied: logit to probability, prevalence adjustment, finding. Fitting is in ``training/``.

The network is trained with both classes weighted equally, so its logit holds at even prevalence. Platt scaling
(Platt, Probabilistic Outputs for Support Vector Machines, 1999) applies a slope and an intercept; without the intercept
it is temperature scaling (Guo et al., On Calibration of Modern Neural Networks, ICML 2017). The prevalence enters as
prior log-odds (Saerens et al., Neural Computation 2002).
"""

import math
from collections.abc import Iterable, Mapping
from typing import overload

import numpy as np
from numpy.typing import NDArray

from cxrmodel.model.spec import UNCERTAIN, Labels, OperatingPoints


def odds(share: float) -> float:
    """Odds of a probability.

    Raises
    ------
    ValueError
        When the share is not strictly between 0 and 1.
    """
    if not 0.0 < share < 1.0:
        raise ValueError(f"a prevalence lies strictly between 0 and 1, not at {share}")
    return share / (1.0 - share)


def log_odds(share: float) -> float:
    """Natural logarithm of the odds of a probability; raises as :func:`odds`."""
    return math.log(odds(share))


@overload
def probability(logit: float, temperature: float, prevalence: float, intercept: float = 0.0) -> float: ...


@overload
def probability(
    logit: NDArray[np.floating], temperature: float, prevalence: float, intercept: float = 0.0
) -> NDArray[np.float64]: ...


def probability(
    logit: float | NDArray[np.floating], temperature: float, prevalence: float, intercept: float = 0.0
) -> float | NDArray[np.float64]:
    """Calibrated probability of the positive class.

    Parameters
    ----------
    logit : float or ndarray
        Output of the network, at even prevalence.
    temperature : float
        Above 0; the higher, the closer the probability is to the prevalence.
    prevalence : float
        Prevalence of the positive class among the images to read, strictly between 0 and 1.
    intercept : float
        Added to the log-odds, at even prevalence.

    Returns
    -------
    float or ndarray of float64, 0..1

    Raises
    ------
    ValueError
        When temperature or prevalence is out of range.
    """
    if not temperature > 0:
        raise ValueError(f"a temperature is above 0, not {temperature}")
    shifted = np.asarray(logit, np.float64) / temperature + intercept + log_odds(prevalence)
    result = np.exp(-np.logaddexp(0.0, -shifted))
    return float(result) if result.ndim == 0 else result


def at_prevalence(value: float, assumed: float, wanted: float) -> float:
    """The same prediction at another prevalence: Bayes' rule as a factor on the odds.

    Basic arithmetic alone, so that a browser computes the same digits (``assets/room/numbers.js``).

    Parameters
    ----------
    value : float
        A probability, 0..1, at the prevalence ``assumed``.
    assumed, wanted : float
        Prevalences, strictly between 0 and 1.

    Returns
    -------
    float, 0..1
    """
    if assumed == wanted:
        return value
    ratio = odds(wanted) / odds(assumed)
    return value * ratio / (value * ratio + 1.0 - value)


def points_at(operating_points: Mapping[str, float], assumed: float, wanted: float) -> OperatingPoints:
    """Thresholds at another prevalence: they move as every probability does, so no finding changes.

    Parameters
    ----------
    operating_points : mapping of str to float
        Thresholds on the probability at the prevalence ``assumed``.
    assumed, wanted : float
        Prevalences, strictly between 0 and 1.
    """
    return OperatingPoints(**{name: at_prevalence(edge, assumed, wanted) for name, edge in operating_points.items()})


def with_thresholds(
    value: float, operating_points: Mapping[str, float], assumed: float, wanted: float
) -> tuple[float, OperatingPoints]:
    """A probability and its thresholds at another prevalence; it stays on its side of each, even by a rounding error.

    Parameters
    ----------
    value : float
        A probability, 0..1, at the prevalence ``assumed``.
    operating_points, assumed, wanted
        As of :func:`points_at`.

    Returns
    -------
    float, 0..1
    OperatingPoints
    """
    points = points_at(operating_points, assumed, wanted)
    below = [points[name] for name, edge in operating_points.items() if edge <= value]
    above = [math.nextafter(points[name], 0) for name, edge in operating_points.items() if edge > value]
    return min([max([at_prevalence(value, assumed, wanted), *below]), *above]), points


def rounded(value: float, thresholds: Iterable[float]) -> float:
    """Round a probability to six significant digits of itself and of its complement.

    More digits are kept where fewer would move it across a threshold, which is often an image's own score.
    """
    small = min(value, 1 - value)
    if small <= 0:
        return float(value)
    edges = tuple(thresholds)
    for decimals in range(5 - math.floor(math.log10(small)), 18):
        short = round(float(value), decimals)
        if all((short >= edge) == (value >= edge) for edge in edges):
            return short
    return float(value)


def finding(value: float, operating_points: Mapping[str, float], labels: Labels) -> str:
    """Finding of a probability.

    Parameters
    ----------
    value : float
        Calibrated probability, 0..1.
    operating_points : mapping of str to float
        Thresholds ``high_sensitivity``, ``balanced`` and ``high_specificity``.
    labels : Labels

    Returns
    -------
    str
        One of ``labels.findings``: positive at or above ``high_specificity``, negative below ``high_sensitivity``,
        ``uncertain`` between. Should the outer thresholds cross, ``balanced`` decides and none is uncertain.
    """
    low, high = operating_points["high_sensitivity"], operating_points["high_specificity"]
    if low > high:
        low = high = operating_points["balanced"]
    if value >= high:
        return labels.positive
    return labels.negative if value < low else UNCERTAIN
