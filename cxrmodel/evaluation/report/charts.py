"""Series of the charts: arrays and labels, computed once, drawn by matplotlib and by the page.

Nothing is drawn here. Bands, reliability and decision curves take longer than the rest; the page caches them.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cxrmodel.evaluation.audits.schema import Shortcut
from cxrmodel.evaluation.data_flow import training_summaries
from cxrmodel.evaluation.explanations.schema import ExplanationAudit
from cxrmodel.evaluation.published import PublishedFigure
from cxrmodel.evaluation.report.small_samples import withheld_in_split
from cxrmodel.evaluation.schema import Evaluation
from cxrmodel.explain.methods import METHODS
from cxrmodel.messages import Message
from cxrmodel.metrics import curves, rates
from cxrmodel.metrics.calibration import Reliability, adjusted_to_prevalence, reliability
from cxrmodel.metrics.discrimination import precision_recall_points, roc_points
from cxrmodel.metrics.estimate import Estimate
from cxrmodel.metrics.rates import Confusion
from cxrmodel.metrics.validation import Values
from cxrmodel.model.calibration import probability
from cxrmodel.models import MODELS, model_title
from cxrmodel.prevalence import EVEN_ODDS
from cxrmodel.training.record import TrainingRecord


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


class View(NamedTuple):
    """A view of the rates: its name, the rates across and up, and the metric that is the area under it."""

    name: Literal["roc", "precision_recall"]
    x: str
    y: str
    metric: str


ROC = View("roc", "false_positive_rate", "sensitivity", "auc")
PRECISION_RECALL = View("precision_recall", "sensitivity", "precision", "average_precision")


@dataclass(frozen=True)
class OperatingMark:
    """An operating point on the curves of its model.

    Attributes
    ----------
    name : str
        ``high_sensitivity``, ``balanced`` or ``high_specificity``.
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

    @property
    def false_positive_rate(self) -> float:
        """1 - specificity."""
        return 1 - self.specificity


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
    auc, average_precision : Estimate or None
        Areas under the two views; None for a baseline.
    withheld : Message or None
        Why the areas are not given.
    """

    title: str
    position: int
    thresholds: Values
    sensitivity: Values
    specificity: Values
    precision: Values
    marks: tuple[OperatingMark, ...] = ()
    auc: Estimate | None = None
    average_precision: Estimate | None = None
    withheld: Message | None = None

    def at_prevalence(self, assumed: float, wanted: float) -> "RateCurve":
        """The same curve with its thresholds, which hold at the prevalence ``assumed``, at another one."""
        thresholds = adjusted_to_prevalence(np.minimum(self.thresholds, 1), assumed, wanted)
        marks = tuple(
            replace(mark, threshold=float(adjusted_to_prevalence(mark.threshold, assumed, wanted)))
            for mark in self.marks
        )
        return replace(self, thresholds=thresholds, marks=marks)

    @property
    def false_positive_rate(self) -> Values:
        """1 - specificity."""
        return 1 - self.specificity

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
    """Where one of several trainings begins.

    Attributes
    ----------
    number : int
        From 1.
    epoch : float
        Place on the axis of epochs, half an epoch before its first.
    summary : Message
    """

    number: int
    epoch: float
    summary: Message


@dataclass(frozen=True, eq=False)
class TrainingHistory:
    """A training epoch by epoch, with those before it.

    Attributes
    ----------
    epochs, sizes : ndarray of int64, shape (N,)
        From 1; side of the images in pixels.
    loss, held_out_loss, held_out_auc : ndarray of float64, shape (N,)
    starts : tuple of TrainingStart
        Empty where there was one training only.
    """

    epochs: NDArray[np.int64]
    sizes: NDArray[np.int64]
    loss: Values
    held_out_loss: Values
    held_out_auc: Values
    starts: tuple[TrainingStart, ...]


def rate_curve(evaluation: Evaluation, split: str) -> RateCurve:
    """Compute the rates of a model at every distinct probability, and mark its operating points.

    Parameters
    ----------
    evaluation : Evaluation
    split : {"test", "held_out"}

    Raises
    ------
    DataError
        When the images are all of one class.
    """
    scores = evaluation.splits[split]
    overall = evaluation.splits[split].performance.overall
    roc = roc_points(scores.labels, scores.probabilities)
    precision = precision_recall_points(scores.labels, scores.probabilities).precision[::-1]
    return RateCurve(
        model_title(evaluation.model),
        MODELS.names.index(evaluation.model),
        roc.thresholds,
        roc.true_positive_rate,
        1 - roc.false_positive_rate,
        precision,
        tuple(_mark(evaluation, split, name, at) for name, at in evaluation.operating_points.items()),
        auc=overall["auc"],
        average_precision=overall["average_precision"],
        withheld=withheld_in_split(evaluation, split),
    )


def _mark(evaluation: Evaluation, split: str, name: str, threshold: float) -> OperatingMark:
    scores = evaluation.splits[split]
    counts = rates.confusion_at(scores.labels, scores.probabilities, threshold).counts
    precision = float(rates.ppv(counts))
    return OperatingMark(
        name,
        threshold,
        float(rates.sensitivity(counts)),
        float(rates.specificity(counts)),
        None if np.isnan(precision) else precision,
    )


def baseline_curves(shortcuts: Iterable[Shortcut]) -> list[RateCurve]:
    """Curves of baselines that see no lung, as far as they are stored."""
    curves = []
    for position, item in enumerate(item for item in shortcuts if item.curve):
        false, true, precision = np.asarray(item.curve, np.float64).T
        curves.append(RateCurve(str(item.title), position, np.full(len(true), np.nan), true, 1 - false, precision))
    return curves


def published_marks(figures: Iterable[PublishedFigure]) -> list[PublishedMark]:
    """Published pairs of sensitivity and specificity."""
    return [
        PublishedMark(figure.short, figure.sensitivity, figure.specificity)
        for figure in figures
        if figure.sensitivity is not None and figure.specificity is not None
    ]


def curve_bands(evaluation: Evaluation, split: str) -> curves.CurveBands:
    """Compute the 95 % bands of both curves, by resampling patients."""
    scores = evaluation.splits[split]
    return curves.curve_bands(scores.labels, scores.probabilities, scores.patients, **evaluation.resampling)


def net_benefit_curve(evaluation: Evaluation, split: str) -> curves.DecisionCurve:
    """Compute the decision curve with its 95 % band."""
    scores = evaluation.splits[split]
    assumed = evaluation.prevalence
    return curves.decision_curve(scores.labels, scores.probabilities, scores.patients, assumed, **evaluation.resampling)


def reliability_before_after(evaluation: Evaluation, split: str) -> tuple[Reliability, Reliability]:
    """Compute the reliability diagrams of the network's own output and of the probability, as ``before_after``."""
    scores = evaluation.splits[split]
    before, after = (
        reliability(scores.labels, values, scores.patients, **evaluation.resampling)
        for values in before_after(evaluation, split)
    )
    return before, after


def before_after(evaluation: Evaluation, split: str) -> tuple[Values, Values]:
    """Probabilities of the network's own output, and calibrated ones, both at the prevalence of the split, (N,)."""
    scores = evaluation.splits[split]
    observed = float(scores.labels.mean())
    return (
        adjusted_to_prevalence(uncalibrated(scores.logits), EVEN_ODDS, observed),
        adjusted_to_prevalence(scores.probabilities, evaluation.prevalence, observed),
    )


def reliability_at(evaluation: Evaluation, split: str, prevalence: float) -> Reliability:
    """Compute the reliability diagram at another prevalence: probabilities adjusted, images weighted to it."""
    scores = evaluation.splits[split]
    adjusted = adjusted_to_prevalence(scores.probabilities, evaluation.prevalence, prevalence)
    return reliability(scores.labels, adjusted, scores.patients, prevalence, **evaluation.resampling)


def confusion_matrix(confusion: Confusion) -> ConfusionMatrix:
    """Arrange confusion counts as a matrix."""
    table = np.array([[confusion.tn, confusion.fp], [confusion.fn, confusion.tp]], np.int64)
    with np.errstate(invalid="ignore"):
        return ConfusionMatrix(table, table / table.sum(axis=1, keepdims=True))


def randomisation_curves(section: ExplanationAudit) -> list[RandomisationCurve]:
    """Similarity curves of the randomisation test, from the section ``explanations`` of an evaluation."""
    stages = ("", *section.settings.stages)
    return [
        RandomisationCurve(METHODS[row.name].title, stages, (1.0, *row.randomisation.spearman))
        for row in section.methods
    ]


def training_history(record: TrainingRecord) -> TrainingHistory:
    """Arrange the epochs of all trainings behind the weights."""
    epochs = list(record.epochs())
    firsts = {run: number for number, run, _ in reversed(epochs)}
    starts = [
        TrainingStart(number, firsts[number] - 0.5, summary)
        for number, summary in enumerate(training_summaries(record), start=1)
        if number in firsts
    ]
    columns = ("size", "loss", "held_out_loss", "held_out_auc")
    sizes, loss, held_out_loss, held_out_auc = (
        np.array([getattr(epoch, name) for _, _, epoch in epochs]) for name in columns
    )
    return TrainingHistory(
        np.array([number for number, _, _ in epochs], np.int64),
        sizes,
        loss,
        held_out_loss,
        held_out_auc,
        tuple(starts) if len(record.runs) > 1 else (),
    )


def uncalibrated(logits: ArrayLike) -> Values:
    """Probabilities of the network's own output, at even prevalence: the logistic of the logit, 0..1."""
    return np.asarray(probability(np.asarray(logits, np.float64), 1.0, EVEN_ODDS), np.float64)
