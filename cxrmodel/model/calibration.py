"""Logit -> probability, and what a probability is called.

A reader is trained with both classes weighing the same, so its logit is that of an even prevalence.
Platt scaling (Platt, Probabilistic Outputs for Support Vector Machines, 1999) fits a slope and an intercept on
held-out patients; without the intercept it is temperature scaling (Guo et al., On Calibration of Modern Neural
Networks, ICML 2017). The prevalence enters as the prior log-odds (Saerens et al., Neural Computation 2002).
"""

import math
from collections.abc import Mapping

import numpy as np

__all__ = [
    "FINDINGS",
    "at_prevalence",
    "choose_operating_points",
    "finding",
    "log_odds",
    "probability",
]

FINDINGS = ("pneumonia", "uncertain", "normal")


def log_odds(share: float) -> float:
    """Natural logarithm of the odds of a prevalence.

    Raises
    ------
    ValueError
        When the share is not strictly between 0 and 1.
    """
    if not 0.0 < share < 1.0:
        raise ValueError(f"a prevalence lies strictly between 0 and 1, not at {share}")
    return math.log(share / (1.0 - share))


def probability(logit, temperature: float, prevalence: float, intercept: float = 0.0):
    """Calibrated probability of pneumonia.

    Parameters
    ----------
    logit : float or ndarray
        The network's output, of an even prevalence.
    temperature : float
        Above 0; larger is less certain.
    prevalence : float
        Share of pneumonia among the images to be read, strictly between 0 and 1.
    intercept : float
        Added to the log-odds, as fitted at an even prevalence.

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
    """The same reading under another prevalence: Bayes' rule as a shift of the log-odds.

    Parameters
    ----------
    value : float
        A probability, 0..1, that assumes the prevalence ``assumed``.
    assumed, wanted : float
        Prevalences, strictly between 0 and 1.

    Returns
    -------
    float, 0..1
    """
    ratio = math.exp(log_odds(wanted) - log_odds(assumed))
    return value * ratio / (value * ratio + 1.0 - value)


def finding(value: float, operating_points: Mapping[str, float]) -> str:
    """Name a probability.

    Parameters
    ----------
    value : float
        Calibrated probability, 0..1.
    operating_points : mapping
        Thresholds ``high_sensitivity``, ``balanced`` and ``high_specificity``.

    Returns
    -------
    {"pneumonia", "normal", "uncertain"}
        Should the outer thresholds cross, there is no band and ``balanced`` decides.
    """
    low, high = operating_points["high_sensitivity"], operating_points["high_specificity"]
    if low > high:
        return "pneumonia" if value >= operating_points["balanced"] else "normal"
    if value >= high:
        return "pneumonia"
    return "normal" if value < low else "uncertain"


def choose_operating_points(labels, probabilities, sensitivity: float = 0.98, specificity: float = 0.98) -> dict:
    """Fix the three operating points on held-out patients.

    Parameters
    ----------
    labels : array of {0, 1}, shape (N,)
    probabilities : array of float, shape (N,)
    sensitivity, specificity : float
        What the outer points must reach on these images.

    Returns
    -------
    dict of str to float
        ``high_sensitivity``: the highest threshold that keeps the sensitivity; ``high_specificity``: the lowest
        that reaches the specificity; ``balanced``: the middle, in log-odds, of the range with the best sum of both.
    """
    labels, values = np.asarray(labels), np.asarray(probabilities, np.float64)
    ordered = np.unique(values)
    log_odds = np.log(ordered) - np.log1p(-ordered)
    middles = (log_odds[1:] + log_odds[:-1]) / 2.0
    cuts = 1.0 / (1.0 + np.exp(-middles))
    sick, well = np.sort(values[labels > 0]), np.sort(values[labels == 0])
    found = 1.0 - np.searchsorted(sick, cuts) / len(sick)
    cleared = np.searchsorted(well, cuts) / len(well)
    best = np.flatnonzero(np.isclose(found + cleared, (found + cleared).max()))
    balanced = middles[best].mean()
    return {
        "high_sensitivity": float(cuts[found >= sensitivity].max(initial=cuts[0])),
        "balanced": float(1.0 / (1.0 + math.exp(-balanced))),
        "high_specificity": float(cuts[cleared >= specificity].min(initial=cuts[-1])),
    }
