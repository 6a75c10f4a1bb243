"""Calibration: choose and fit the temperature and the intercept that turn a logit into a probability at even odds.

The rule that chooses, stated before any score was computed. For each kind of perturbation (intact is one) and each fold
of patients, every candidate (raw output, temperature, Platt) is fitted on the other kinds of the other folds' patients,
and its log loss is taken on the left-out kind of the left-out patients; both classes weigh the same throughout. A
candidate's score is its mean over the kinds. Chosen is the simplest candidate whose score is within one standard error
of the best, paired over patients. It is then fitted on all scores.

References
----------
Platt, Probabilistic outputs for support vector machines, 1999.
Guo et al., On calibration of modern neural networks, ICML 2017 (temperature scaling).
Breiman et al., Classification and Regression Trees, 1984, section 3.4.3 (the rule of one standard error).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize, minimize_scalar
from sklearn.model_selection import StratifiedGroupKFold

from cxrmodel.errors import DataError
from cxrmodel.imaging.perturbations import INTACT
from cxrmodel.metrics.bootstrap import patient_weights, ratio
from cxrmodel.metrics.estimate import significant
from cxrmodel.registry import Registry
from cxrmodel.training.record import CalibrationChoice, CandidateScore, KindScore

FOLDS = 10
"""Of the patients, where no training left a fold out."""

Labels = NDArray[np.int64]
Floats = NDArray[np.float64]


def fit_raw(labels: ArrayLike, logits: ArrayLike) -> tuple[float, float]:
    """Temperature 1 and intercept 0: the network's output as it is."""
    return 1.0, 0.0


def fit_temperature(labels: ArrayLike, logits: ArrayLike) -> tuple[float, float]:
    """Maximum-likelihood temperature, within 0.05 to 20, and an intercept of 0; parameters as in ``fit_platt``."""
    scores, signs, weights = _prepared(labels, logits)

    def loss(log_temperature: float) -> float:
        return float(weights @ np.logaddexp(0.0, signs * scores / math.exp(log_temperature)))

    bounds = (math.log(0.05), math.log(20.0))
    return math.exp(minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-5}).x), 0.0


def fit_platt(labels: ArrayLike, logits: ArrayLike) -> tuple[float, float]:
    """Temperature and intercept with the highest posterior likelihood.

    The priors are weak: standard normal on the logarithm of the slope and on the intercept. They keep both numbers
    finite with few images or perfectly separated classes. The slope is positive, so the ranking of images is preserved.

    Parameters
    ----------
    labels : array of {0, 1}, shape (N,)
        Both classes have the same total weight, so the probability belongs to even odds.
    logits : array of float, shape (N,)

    Returns
    -------
    temperature, intercept : float
        As ``cxrmodel.model.calibration.probability`` takes them; the temperature is 1 over the slope.

    Raises
    ------
    DataError
        When a class has no image.
    """
    scores, signs, weights = _prepared(labels, logits)

    def loss(place: Floats) -> float:
        losses = np.logaddexp(0.0, signs * (scores * math.exp(place[0]) + place[1]))
        return float(weights @ losses + 0.5 * (place**2).sum())

    log_slope, intercept = minimize(loss, np.zeros(2), method="BFGS", options={"gtol": 1e-6}).x
    return math.exp(-log_slope), float(intercept)


def _prepared(labels: ArrayLike, logits: ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Logits, signs of the losses, and weights of mean 1 with the same sum for both classes."""
    positive = np.asarray(labels) > 0
    if positive.all() or not positive.any():
        raise DataError("training.too_few_patients_to_calibrate")
    weights = np.where(positive, 0.5 / positive.mean(), 0.5 / (1 - positive.mean()))
    return np.asarray(logits, np.float64), np.where(positive, -1.0, 1.0), weights


@dataclass(frozen=True)
class Candidate:
    """A way to calibrate: its ``name``, and ``fit``, from labels (N,) and logits (N,) to temperature and intercept."""

    name: str
    fit: Callable[[ArrayLike, ArrayLike], tuple[float, float]]


CANDIDATES = Registry[Candidate](
    "calibration",
    Candidate("raw", fit_raw),
    Candidate("temperature", fit_temperature),
    Candidate("platt", fit_platt),
)
"""The simplest first."""


@dataclass(frozen=True, eq=False)
class Scores:
    """Logits of images that the network was not trained on, some of them perturbed.

    Attributes
    ----------
    labels : ndarray of {0, 1}, shape (N,)
    logits : ndarray of float64, shape (N,)
    files, patients, kinds : ndarray of str, shape (N,)
        Image, its patient, and the kind of its perturbation.
    folds : ndarray of int, shape (N,)
        Part of the patients.
    """

    labels: Labels
    logits: Floats
    files: NDArray[np.str_]
    patients: NDArray[np.str_]
    kinds: NDArray[np.str_]
    folds: Labels


def intact_scores(labels: ArrayLike, logits: ArrayLike, files: Sequence[str], patients: Sequence[str]) -> Scores:
    """Scores of intact images, their patients divided into folds; one fold where a class has a single patient."""
    order = np.argsort(files)
    truth, groups = np.asarray(labels, np.int64)[order], np.asarray(patients, str)[order]
    folds = np.zeros(len(truth), np.int64)
    fewest = min(len(set(groups[truth == label])) for label in (0, 1))
    if fewest >= 2:
        splitter = StratifiedGroupKFold(n_splits=min(FOLDS, fewest), shuffle=True, random_state=0)
        for number, (_, part) in enumerate(splitter.split(np.zeros(len(truth)), truth, groups)):
            folds[part] = number
    kinds = np.full(len(truth), INTACT)
    return Scores(truth, np.asarray(logits, np.float64)[order], np.asarray(files, str)[order], groups, kinds, folds)


def choose_calibration(scores: Scores) -> tuple[CalibrationChoice, float, float]:
    """Choose a calibration by the rule of this module, and fit it on all scores.

    With one kind only, no kind is left out. With one fold nothing can be compared, and the simplest is taken.

    Returns
    -------
    choice : CalibrationChoice
    temperature, intercept : float

    Raises
    ------
    DataError
        When a class is missing, in all scores, in those of a kind, or in those that a fold leaves to fit on.
    """
    candidates = _compare(scores) if len(set(scores.folds)) > 1 else ()
    close = [each.name for each in candidates if each.excess <= each.standard_error]
    chosen = close[0] if close else CANDIDATES.names[0]
    choice = CalibrationChoice(
        candidates=candidates,
        chosen=chosen,
        scores=len(scores.labels),
        images=len(set(scores.files)),
        patients=len(set(scores.patients)),
    )
    return choice, *CANDIDATES[chosen].fit(scores.labels, scores.logits)


def left_out_losses(scores: Scores, candidate: Candidate) -> Floats:
    """Log loss of each score in nats, from a fit on the other kinds of the patients of the other folds, shape (N,)."""
    losses = np.empty(len(scores.labels))
    kinds = np.unique(scores.kinds)
    for kind in kinds:
        for fold in np.unique(scores.folds):
            part = (scores.kinds == kind) & (scores.folds == fold)
            rest = (scores.folds != fold) & ((scores.kinds != kind) | (len(kinds) == 1))
            temperature, intercept = candidate.fit(scores.labels[rest], scores.logits[rest])
            signs = np.where(scores.labels[part] > 0, -1.0, 1.0)
            losses[part] = np.logaddexp(0.0, signs * (scores.logits[part] / temperature + intercept))
    return losses


def _compare(scores: Scores) -> tuple[CandidateScore, ...]:
    kinds, column = np.unique(scores.kinds, return_inverse=True)
    losses = [left_out_losses(scores, candidate) for candidate in CANDIDATES]
    by_kind = np.stack([_resampled_means(scores, each, column, len(kinds)) for each in losses])
    overall = by_kind.mean(axis=2)
    if np.isnan(overall[:, 0]).any():
        raise DataError("training.too_few_patients_to_calibrate")
    best = int(overall[:, 0].argmin())
    errors, kind_errors = (np.nanstd(each[:, 1:] - each[best, 1:], axis=1) for each in (overall, by_kind))
    return tuple(
        CandidateScore(
            name=candidate.name,
            log_loss=significant(overall[place, 0]),
            excess=significant(overall[place, 0] - overall[best, 0]),
            standard_error=significant(errors[place]),
            kinds=tuple(
                KindScore(kind=str(kind), log_loss=significant(value), standard_error=significant(error))
                for kind, value, error in zip(kinds, by_kind[place, 0], kind_errors[place], strict=True)
            ),
        )
        for place, candidate in enumerate(CANDIDATES)
    )


def _resampled_means(scores: Scores, losses: Floats, column: NDArray[np.intp], kinds: int) -> Floats:
    """Mean loss of each kind at even odds, of the scores and of their resamples by patient, shape (1 + B, kinds)."""
    patients, row = np.unique(scores.patients, return_inverse=True)
    weights = patient_weights(patients)
    means = []
    for label in (0, 1):
        sums, counts = np.zeros((2, len(patients), kinds))
        chosen = scores.labels == label
        np.add.at(sums, (row[chosen], column[chosen]), losses[chosen])
        np.add.at(counts, (row[chosen], column[chosen]), 1.0)
        means.append(ratio(weights @ sums, weights @ counts))
    return np.asarray((means[0] + means[1]) / 2)
