"""Calibration: fit probabilities to held-out logits, and compare methods by cross-fitting over patients.

The rule that chooses, stated before any score was computed. For each kind of perturbation (intact is one) and each fold
of patients, every candidate (raw output, temperature, Platt) is fitted on the other kinds of the other folds' patients,
and its log loss is taken on the left-out kind of the left-out patients; both classes weigh the same throughout. A
candidate's score is its mean over the kinds. Chosen is the simplest candidate whose score is within one standard error
of the best, paired over patients. It is then fitted on all scores.

References
----------
Platt, Probabilistic outputs for support vector machines, 1999.
Guo et al., On calibration of modern neural networks, ICML 2017 (temperature scaling).
Kull et al., Beta calibration, AISTATS 2017.
Zadrozny and Elkan, Transforming classifier scores into accurate multiclass probability estimates, KDD 2002 (isotonic).
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize, minimize_scalar
from sklearn.isotonic import IsotonicRegression
from sklearn.model_selection import StratifiedGroupKFold

from cxrmodel.errors import DataError
from cxrmodel.model.calibration import log_odds, probability
from cxrmodel.registry import Registry

FOLDS = 10

Floats = NDArray[np.float64]
Calibrator = Callable[[Floats], Floats]
"""Logits to probabilities."""
Parameters = Callable[[NDArray[np.int64], Floats, float], tuple[float, float]]
"""Labels, logits and prevalence to temperature and intercept."""


def fit_temperature(labels: ArrayLike, logits: ArrayLike, prevalence: float) -> tuple[float, float]:
    """Maximum-likelihood temperature, within 0.05 to 20, and an intercept of 0.

    Parameters
    ----------
    labels : array of {0, 1}, shape (N,)
    logits : array of float, shape (N,)
        At even prevalence.
    prevalence : float
        Share of positives among these images.
    """
    scores, prior, signs = np.asarray(logits, np.float64), log_odds(prevalence), _signs(labels)

    def loss(log_temperature: float) -> float:
        return float(np.logaddexp(0.0, signs * (scores / math.exp(log_temperature) + prior)).mean())

    bounds = (math.log(0.05), math.log(20.0))
    return math.exp(minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-5}).x), 0.0


def fit_platt(labels: ArrayLike, logits: ArrayLike, prevalence: float) -> tuple[float, float]:
    """Temperature and intercept with the highest posterior likelihood.

    The priors are weak: standard normal on the logarithm of the slope and on the intercept. They keep both numbers
    finite with few images or perfectly separated classes. The slope is positive, so the ranking of images is preserved.

    Parameters
    ----------
    labels : array of {0, 1}, shape (N,)
    logits : array of float, shape (N,)
        At even prevalence.
    prevalence : float
        Share of positives among these images.

    Returns
    -------
    temperature, intercept : float
        As ``cxrmodel.model.calibration.probability`` takes them; the temperature is 1 over the slope.
    """
    prior = log_odds(prevalence)

    def log_odds_of(parameters: Floats, values: Floats) -> Floats:
        return np.asarray(values * math.exp(parameters[0]) + parameters[1] + prior)

    log_slope, intercept = _most_likely(log_odds_of, 2, labels, logits)
    return math.exp(-log_slope), float(intercept)


def _signs(labels: ArrayLike) -> Floats:
    return np.where(np.asarray(labels) > 0, -1.0, 1.0)


def _most_likely(
    log_odds_of: Callable[[Floats, Floats], Floats], parameters: int, labels: ArrayLike, logits: ArrayLike
) -> Floats:
    """Parameters of greatest posterior likelihood under standard normal priors."""
    values, signs = np.asarray(logits, np.float64), _signs(labels)

    def loss(place: Floats) -> float:
        return float(np.logaddexp(0.0, signs * log_odds_of(place, values)).sum() + 0.5 * (place**2).sum())

    return np.asarray(minimize(loss, np.zeros(parameters), method="BFGS", options={"gtol": 1e-6}).x)


def _beta(labels: NDArray[np.int64], logits: Floats, prevalence: float) -> Calibrator:
    """One slope for each end of the scale, under the priors of ``fit_platt``."""
    prior = log_odds(prevalence)

    def log_odds_of(parameters: Floats, values: Floats) -> Floats:
        low, high = np.logaddexp(0.0, -values), np.logaddexp(0.0, values)
        return np.asarray(math.exp(parameters[1]) * high - math.exp(parameters[0]) * low + parameters[2] + prior)

    found = _most_likely(log_odds_of, 3, labels, logits)
    return lambda values: np.exp(-np.logaddexp(0.0, -log_odds_of(found, np.asarray(values, np.float64))))


def _isotonic(labels: NDArray[np.int64], logits: Floats, prevalence: float) -> Calibrator:
    """A monotonic step function, at least half an image away from 0 and 1."""
    least = 0.5 / len(labels)
    fitted = IsotonicRegression(y_min=least, y_max=1 - least, out_of_bounds="clip").fit(logits, labels)
    return lambda values: np.asarray(fitted.predict(values))


@dataclass(frozen=True)
class CalibrationMethod:
    """One way to turn logits into probabilities; calling it fits it.

    Attributes
    ----------
    name : str
    fit : callable (labels, logits, prevalence) -> Calibrator
        Labels 0 or 1 and logits of shape (N,), and the prevalence at which probabilities are given.
    parameters : callable (labels, logits, prevalence) -> (temperature, intercept), or None
        Fits the two numbers that a model's specification holds. Methods without them are there for comparison.
    """

    name: str
    fit: Callable[[NDArray[np.int64], Floats, float], Calibrator]
    parameters: Parameters | None = None

    def __call__(self, labels: NDArray[np.int64], logits: Floats, prevalence: float) -> Calibrator:
        """Fit to labelled logits."""
        return self.fit(labels, logits, prevalence)


def _scaling(name: str, parameters: Parameters) -> CalibrationMethod:
    def fit(labels: NDArray[np.int64], logits: Floats, prevalence: float) -> Calibrator:
        temperature, intercept = parameters(labels, logits, prevalence)
        return lambda values: np.asarray(probability(values, temperature, prevalence, intercept))

    return CalibrationMethod(name, fit, parameters)


METHODS = Registry[CalibrationMethod](
    "calibration method",
    _scaling("temperature", fit_temperature),
    _scaling("platt", fit_platt),
    CalibrationMethod("beta", _beta),
    CalibrationMethod("isotonic", _isotonic),
)


def patient_folds(
    labels: ArrayLike, patients: Sequence[str], folds: int = FOLDS, seed: int = 0
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Split images into folds by patient, with both classes in every fold.

    Yields
    ------
    rest, fold : ndarray of int
        Indices of the images to fit on, and of those to measure on. There are fewer folds where a class has fewer
        patients than ``folds``.

    Raises
    ------
    DataError
        When a class has fewer than two patients.
    """
    truth, groups = np.asarray(labels), np.asarray(patients, str)
    fewest = _fewest_patients(truth, groups)
    if fewest < 2:
        raise DataError("training.too_few_patients_to_calibrate")
    splitter = StratifiedGroupKFold(n_splits=min(folds, fewest), shuffle=True, random_state=seed)
    yield from splitter.split(np.zeros(len(truth)), truth, groups)


def _fewest_patients(labels: NDArray[np.int64], patients: NDArray[np.str_]) -> int:
    """Patients of the smaller class."""
    return min(len(set(patients[labels == label])) for label in (0, 1))


def cross_fitted(
    method: Callable[[NDArray[np.int64], Floats, float], Calibrator],
    labels: ArrayLike,
    logits: ArrayLike,
    patients: Sequence[str],
    folds: int = FOLDS,
    seed: int = 0,
) -> Floats:
    """Probability of each image, from a fit (prevalence included) on the images of other patients.

    Returns
    -------
    ndarray of float64, shape (N,), 0..1

    Raises
    ------
    DataError
        When a class has fewer than two patients.
    """
    truth, scores = np.asarray(labels), np.asarray(logits, np.float64)
    found = np.empty(len(truth))
    for rest, fold in patient_folds(truth, patients, folds, seed):
        found[fold] = method(truth[rest], scores[rest], float(truth[rest].mean()))(scores[fold])
    return found


def log_loss(labels: ArrayLike, probabilities: ArrayLike) -> Floats:
    """Cross-entropy of each image in nats, shape (N,); probabilities are clipped to 1e-12 from 0."""
    of_the_truth = np.where(np.asarray(labels) > 0, probabilities, 1 - np.asarray(probabilities))
    return np.asarray(-np.log(np.clip(of_the_truth, 1e-12, 1.0)))


def choose_calibration(
    labels: ArrayLike, logits: ArrayLike, patients: Sequence[str], prevalence: float
) -> tuple[str, float, float]:
    """Choose temperature or Platt scaling by cross-fitted log loss, and fit the better one on all images.

    Only methods that have a temperature and an intercept compete. Where a class has fewer than two patients nothing
    can be compared, and the first of them is taken: temperature scaling.

    Parameters
    ----------
    labels, logits, patients : of length N
        Of the held-out images.
    prevalence : float
        Share of positives among them.

    Returns
    -------
    name : str
    temperature, intercept : float
    """
    truth, scores = np.asarray(labels), np.asarray(logits, np.float64)
    fits = {method.name: method.parameters for method in METHODS if method.parameters}
    name = next(iter(fits))
    if _fewest_patients(truth, np.asarray(patients, str)) >= 2:
        name = min(fits, key=lambda each: log_loss(truth, cross_fitted(METHODS[each], truth, scores, patients)).mean())
    return name, *fits[name](truth, scores, prevalence)
