"""Ways from a logit to a probability, fitted on held-out patients and compared on patients they were not fitted on.

References
----------
Platt, Probabilistic outputs for support vector machines, 1999.
Guo et al., On calibration of modern neural networks, ICML 2017 (temperature).
Kull et al., Beta calibration, AISTATS 2017.
Zadrozny and Elkan, Transforming classifier scores into accurate multiclass probability estimates, KDD 2002 (isotonic).
"""

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from scipy.optimize import minimize
from sklearn.isotonic import IsotonicRegression
from sklearn.model_selection import StratifiedGroupKFold

from cxrmodel.errors import DataError
from cxrmodel.model.calibration import fit_platt, fit_temperature, log_odds, probability

__all__ = ["FOLDS", "METHODS", "choose_calibration", "cross_fitted", "log_loss", "patient_folds"]

FOLDS = 10
SHIPPED = ("temperature", "platt")
"""What a specification can carry; the others are there to compare with."""

Fit = Callable[[np.ndarray, np.ndarray, float], Callable[[np.ndarray], np.ndarray]]
"""Labels, logits and prevalence of some images -> logits to probabilities at that prevalence."""


def _temperature(labels: np.ndarray, logits: np.ndarray, prevalence: float):
    temperature = fit_temperature(labels, logits, prevalence)
    return lambda values: probability(values, temperature, prevalence)


def _platt(labels: np.ndarray, logits: np.ndarray, prevalence: float):
    temperature, intercept = fit_platt(labels, logits, prevalence)
    return lambda values: probability(values, temperature, prevalence, intercept)


def _beta(labels: np.ndarray, logits: np.ndarray, prevalence: float):
    """A slope of its own for each end of the scale, under the priors of ``fit_platt``."""
    prior, signs = log_odds(prevalence), np.where(labels > 0, -1.0, 1.0)

    def scores(place: np.ndarray, values: np.ndarray) -> np.ndarray:
        low, high = np.logaddexp(0.0, -values), np.logaddexp(0.0, values)
        return math.exp(place[1]) * high - math.exp(place[0]) * low + place[2] + prior

    def loss(place: np.ndarray) -> float:
        return float(np.logaddexp(0.0, signs * scores(place, logits)).sum() + 0.5 * (place**2).sum())

    found = minimize(loss, np.zeros(3), method="BFGS", options={"gtol": 1e-6}).x
    return lambda values: np.exp(-np.logaddexp(0.0, -scores(found, np.asarray(values, np.float64))))


def _isotonic(labels: np.ndarray, logits: np.ndarray, prevalence: float):
    """A rising staircase, kept half an image away from certainty."""
    least = 0.5 / len(labels)
    return IsotonicRegression(y_min=least, y_max=1 - least, out_of_bounds="clip").fit(logits, labels).predict


METHODS: dict[str, Fit] = {"temperature": _temperature, "platt": _platt, "beta": _beta, "isotonic": _isotonic}


def patient_folds(
    labels: np.ndarray, patients: Sequence[str], folds: int = FOLDS, seed: int = 0
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Part images by patient, both classes in every part.

    Yields
    ------
    rest, part : ndarray of int
        Places of the images to fit on, and of those to measure on. Fewer parts than ``folds`` where a class has
        fewer patients.

    Raises
    ------
    DataError
        When a class has fewer than two patients.
    """
    labels, patients = np.asarray(labels), np.asarray(patients, str)
    fewest = _fewest(labels, patients)
    if fewest < 2:
        raise DataError("Calibration needs images of at least two patients of each class. Hold out more patients.")
    splitter = StratifiedGroupKFold(n_splits=min(folds, fewest), shuffle=True, random_state=seed)
    yield from splitter.split(np.zeros(len(labels)), labels, patients)


def _fewest(labels: np.ndarray, patients: np.ndarray) -> int:
    """Patients of the class that has fewer."""
    return min(len(set(patients[labels == label])) for label in (0, 1))


def cross_fitted(
    fit: Fit, labels: np.ndarray, logits: np.ndarray, patients: Sequence[str], folds: int = FOLDS, seed: int = 0
) -> np.ndarray:
    """Probability of each image by a fit, slope, prevalence and all, that saw no image of its patient.

    Returns
    -------
    ndarray of float64, shape (N,), 0..1

    Raises
    ------
    DataError
        When a class has fewer than two patients.
    """
    labels, logits = np.asarray(labels), np.asarray(logits, np.float64)
    found = np.empty(len(labels))
    for rest, part in patient_folds(labels, patients, folds, seed):
        found[part] = fit(labels[rest], logits[rest], float(labels[rest].mean()))(logits[part])
    return found


def log_loss(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Cross-entropy of each image in nats, shape (N,); a probability is taken to be 1e-12 away from certainty."""
    return -np.log(np.clip(np.where(np.asarray(labels) > 0, probabilities, 1 - probabilities), 1e-12, 1.0))


def choose_calibration(
    labels: np.ndarray, logits: np.ndarray, patients: Sequence[str], prevalence: float
) -> tuple[str, float, float]:
    """Choose between temperature and Platt scaling by cross-fitted log loss, and fit the better one on all images.

    Where a class has fewer than two patients nothing can be compared, and the simpler one is taken.

    Parameters
    ----------
    labels, logits, patients : of length N
        Of the held-out images.
    prevalence : float
        Their share of pneumonia.

    Returns
    -------
    name : {"temperature", "platt"}
    temperature, intercept : float
    """
    labels, patients = np.asarray(labels), np.asarray(patients, str)
    if _fewest(labels, patients) < 2:
        return SHIPPED[0], fit_temperature(labels, logits, prevalence), 0.0
    losses = {name: log_loss(labels, cross_fitted(METHODS[name], labels, logits, patients)).mean() for name in SHIPPED}
    name = min(losses, key=losses.__getitem__)
    if name == "platt":
        return name, *fit_platt(labels, logits, prevalence)
    return name, fit_temperature(labels, logits, prevalence), 0.0
