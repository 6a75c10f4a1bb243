"""Series of the charts: arrays and labels, computed once and drawn by matplotlib and by the page alike.

Nothing here draws. A series holds plain arrays, so that a chart only places them. Bands, reliability and decision
curves take longer than the rest; the page keeps them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxrmodel.evaluation.bands import Curves, DecisionCurve, decision_curve, discrimination_bands
from cxrmodel.evaluation.metrics import precision_recall_points, rates_at, roc_points
from cxrmodel.evaluation.published import Published
from cxrmodel.evaluation.reliability import Reliability, reliability, shifted, uncalibrated
from cxrmodel.evaluation.schema import Evaluation
from cxrmodel.models import MODELS, model_title

__all__ = [
    "DARK",
    "LIGHT",
    "ConfusionMatrix",
    "OperatingMark",
    "Palette",
    "PublishedMark",
    "RandomisationCurve",
    "RateCurve",
    "TrainingHistory",
    "TrainingStart",
    "baseline_curves",
    "confusion_matrix",
    "curve_bands",
    "net_benefit_curve",
    "published_marks",
    "randomisation_curves",
    "rate_curve",
    "reliability_at",
    "reliability_before_after",
    "training_history",
]

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Palette:
    """Colours of charts on one ground. Lines differ in dash and marker as well (Okabe and Ito, 2008).

    Attributes
    ----------
    text, grid : str
        Letters and axes; the grid and the line of chance.
    lines : tuple of str
        Taken in turn by the models, in the order of their registry.
    """

    text: str
    grid: str
    lines: tuple[str, ...]

    def line(self, position: int) -> str:
        """Colour of the model at a position of the registry; with many models colours repeat."""
        return self.lines[position % len(self.lines)]


DARK = Palette("#dfe5ea", "#5c6a78", ("#56b4e9", "#e69f00", "#009e73", "#cc79a7"))
LIGHT = Palette("#1a1a1a", "#b0b0b0", ("#0072b2", "#d55e00", "#009e73", "#cc79a7"))


@dataclass(frozen=True)
class OperatingMark:
    """An operating point on the curves of its model.

    Attributes
    ----------
    name : str
        ``high_sensitivity``, ``balanced``, ``high_specificity``, or "" for a threshold that is none of them.
    threshold, sensitivity, specificity : float
        0..1.
    precision : float or None
        None where no image is positive.
    """

    name: str
    threshold: float
    sensitivity: float
    specificity: float
    precision: float | None


@dataclass(frozen=True, eq=False)
class RateCurve:
    """Rates at every threshold, of which the ROC and the precision-recall curve are two views.

    The ROC curve is ``sensitivity`` over ``1 - specificity``, the precision-recall curve ``precision`` over
    ``sensitivity``.

    Attributes
    ----------
    title : str
        Of the model, or of a baseline.
    position : int
        Of the model in its registry, or of the baseline among baselines: decides colour and dash.
    thresholds : ndarray of float64, shape (K,)
        Falling from infinity; NaN for a baseline, whose scores are no probabilities.
    sensitivity, specificity, precision : ndarray of float64, shape (K,)
        0..1. The precision at infinity is 1 by convention.
    marks : tuple of OperatingMark
    """

    title: str
    position: int
    thresholds: Values
    sensitivity: Values
    specificity: Values
    precision: Values
    marks: tuple[OperatingMark, ...] = ()

    def mark(self, name: str) -> OperatingMark:
        """Operating point of a name."""
        return next(mark for mark in self.marks if mark.name == name)


@dataclass(frozen=True)
class PublishedMark:
    """A published pair of sensitivity and specificity on the same images, 0..1."""

    title: str
    sensitivity: float
    specificity: float


@dataclass(frozen=True, eq=False)
class ConfusionMatrix:
    """Counts by label and finding.

    Attributes
    ----------
    counts : ndarray of int64, shape (2, 2)
        Row: label, column: finding, each negative first.
    shares : ndarray of float64, shape (2, 2)
        Of the row, 0..1; NaN in an empty row.
    """

    counts: NDArray[np.int64]
    shares: Values


@dataclass(frozen=True)
class RandomisationCurve:
    """How similar the maps of a method stay while more and more weights are randomised.

    Attributes
    ----------
    title : str
        Of the method.
    stages : tuple of str
        First "" for the trained network, then the layer down to which weights are random.
    similarity : tuple of float
        Rank correlation with the trained network's map at each stage, -1..1; the first is 1.
    """

    title: str
    stages: tuple[str, ...]
    similarity: tuple[float, ...]


@dataclass(frozen=True)
class TrainingStart:
    """Where one of several trainings begins: its ``number`` from 1, and the place on the axis of epochs."""

    number: int
    epoch: float


@dataclass(frozen=True, eq=False)
class TrainingHistory:
    """A training epoch by epoch, with those before it.

    Attributes
    ----------
    epochs, sizes : ndarray of int64, shape (N,)
        From 1; side of the images in pixels, 0 where it is not on record.
    loss, held_out_loss, held_out_auc : ndarray of float64, shape (N,)
        NaN where not on record.
    starts : tuple of TrainingStart
        Empty where there was one training only.
    """

    epochs: NDArray[np.int64]
    sizes: NDArray[np.int64]
    loss: Values
    held_out_loss: Values
    held_out_auc: Values
    starts: tuple[TrainingStart, ...]


def rate_curve(evaluation: Evaluation, split: str, threshold: float | None = None) -> RateCurve:
    """Compute the rates of a model at every distinct probability, and mark its operating points.

    Parameters
    ----------
    evaluation : Evaluation
    split : {"test", "held_out"}
    threshold : float or None
        A further point to mark, under the name "".

    Raises
    ------
    DataError
        When the images are all of one class.
    """
    scores = evaluation.scores[split]
    roc = roc_points(scores.labels, scores.probabilities)
    precision = precision_recall_points(scores.labels, scores.probabilities).precision[::-1]
    points = dict(evaluation.operating_points) | ({} if threshold is None else {"": threshold})
    return RateCurve(
        model_title(evaluation.model),
        MODELS.names.index(evaluation.model),
        roc.thresholds,
        roc.true_positive_rate,
        1 - roc.false_positive_rate,
        precision,
        tuple(_mark(evaluation, split, name, at) for name, at in points.items()),
    )


def _mark(evaluation: Evaluation, split: str, name: str, threshold: float) -> OperatingMark:
    scores = evaluation.scores[split]
    rates = rates_at(scores.labels, scores.probabilities, threshold)
    return OperatingMark(name, threshold, rates["recall"], rates["specificity"], rates["precision"])


def baseline_curves(shortcuts: Iterable[Mapping[str, Any]]) -> list[RateCurve]:
    """Curves of baselines that see no lung, as far as they are stored."""
    curves = []
    for position, item in enumerate(item for item in shortcuts if item.get("curve")):
        false, true, precision = np.asarray(item["curve"], np.float64).T
        curves.append(RateCurve(item["name"], position, np.full(len(true), np.nan), true, 1 - false, precision))
    return curves


def published_marks(others: Iterable[Published]) -> list[PublishedMark]:
    """Published pairs of sensitivity and specificity."""
    return [
        PublishedMark(str(row["short"]), float(row["sensitivity"]), float(row["specificity"]))
        for row in others
        if "sensitivity" in row and "specificity" in row
    ]


def curve_bands(evaluation: Evaluation, split: str) -> Curves:
    """Compute the 95 % bands of both curves, by resampling patients."""
    scores = evaluation.scores[split]
    return discrimination_bands(scores.labels, scores.probabilities, scores.patients, **evaluation.resampling)


def net_benefit_curve(evaluation: Evaluation, split: str) -> DecisionCurve:
    """Compute the decision curve with its 95 % band."""
    scores = evaluation.scores[split]
    return decision_curve(scores.labels, scores.probabilities, scores.patients, **evaluation.resampling)


def reliability_before_after(evaluation: Evaluation, split: str) -> tuple[Reliability, Reliability]:
    """Compute the reliability diagrams of the network's own output, at even prevalence, and of the probability."""
    scores = evaluation.scores[split]
    before, after = (
        reliability(scores.labels, values, scores.patients, **evaluation.resampling)
        for values in (uncalibrated(scores.logits), scores.probabilities)
    )
    return before, after


def reliability_at(evaluation: Evaluation, split: str, prevalence: float) -> Reliability:
    """Compute the reliability diagram at another prevalence: probabilities adjusted, images weighted to it."""
    scores = evaluation.scores[split]
    adjusted = shifted(scores.probabilities, evaluation.prevalence, prevalence)
    return reliability(scores.labels, adjusted, scores.patients, prevalence, **evaluation.resampling)


def confusion_matrix(counts: Mapping[str, int]) -> ConfusionMatrix:
    """Arrange confusion counts (``tn``, ``fp``, ``fn``, ``tp``) as a matrix."""
    table = np.array([[counts["tn"], counts["fp"]], [counts["fn"], counts["tp"]]], np.int64)
    with np.errstate(invalid="ignore"):
        return ConfusionMatrix(table, table / table.sum(axis=1, keepdims=True))


def randomisation_curves(section: Mapping[str, Any]) -> list[RandomisationCurve]:
    """Similarity curves of the randomisation test.

    Parameters
    ----------
    section : mapping
        The section ``explanations`` of an evaluation.
    """
    stages = ("", *section["settings"]["stages"])
    return [RandomisationCurve(row["title"], stages, (1.0, *row["sanity"]["randomised"])) for row in section["methods"]]


def training_history(
    history: Sequence[Mapping[str, Any]], trainings: Sequence[Mapping[str, Any]] = ()
) -> TrainingHistory:
    """Arrange the epochs of a training.

    Parameters
    ----------
    history, trainings : sequence of mapping
        As :func:`cxrmodel.evaluation.data_flow.training_record` gives them.
    """

    def column(name: str) -> Values:
        return np.array([np.nan if row.get(name) is None else row[name] for row in history], np.float64)

    starts = [
        TrainingStart(number, part["first"] - 0.5)
        for number, part in enumerate(trainings, start=1)
        if part["first"] is not None
    ]
    return TrainingHistory(
        np.array([row["epoch"] for row in history], np.int64),
        np.array([row.get("size", 0) for row in history], np.int64),
        column("loss"),
        column("held_out_loss"),
        column("held_out_auc"),
        tuple(starts) if len(trainings) > 1 else (),
    )
