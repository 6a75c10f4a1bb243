"""Values of the documents: evaluations, spec and registries -> one typed record for each template."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from cxrmodel.errors import EvaluationError
from cxrmodel.evaluation.audits.schema import CheckSet
from cxrmodel.evaluation.data_flow import Hash, Station, flow, hashes, training_summaries
from cxrmodel.evaluation.explanations.schema import ExplanationAudit
from cxrmodel.evaluation.published import PublishedFigure
from cxrmodel.evaluation.report.charts import reliability_before_after
from cxrmodel.evaluation.report.rows import (
    FindingCounts,
    Row,
    adult_findings,
    adult_rows,
    auc_rows,
    lung_rows,
    perturbation_rows,
    stratum_rows,
    subgroup_rows,
)
from cxrmodel.evaluation.report.small_samples import (
    few,
    few_findings,
    few_in_bins,
    few_in_split,
    image_count,
    withheld_in_split,
)
from cxrmodel.evaluation.report.verdicts import calibration_verdict, masked_lungs_verdict
from cxrmodel.evaluation.schema import Evaluation
from cxrmodel.evaluation.seeds import MEASURES, SeedGroup, SeedRun, spread
from cxrmodel.evaluation.training_record import TrainingRecord
from cxrmodel.explain.methods import METHODS
from cxrmodel.messages import Message
from cxrmodel.metrics.calibration import Reliability
from cxrmodel.metrics.estimate import Estimate
from cxrmodel.metrics.rates import Confusion
from cxrmodel.metrics.registry import METRICS, Metric, rates_in_order, score_metrics
from cxrmodel.model.spec import Labels, ModelSpec
from cxrmodel.models import model_title

__all__ = [
    "CardContext",
    "FindingRow",
    "MethodRow",
    "MetricRow",
    "MetricsContext",
    "PerformanceTable",
    "PointColumn",
    "ReadmeContext",
    "TrainingContext",
    "card_context",
    "images_summary",
    "metrics_context",
    "overall_figure",
    "performance_table",
    "training_context",
]

_NAMED = 5
"""Images without a score that are named; further ones are counted."""


@dataclass(frozen=True)
class MetricRow:
    """A metric with a cell for each model: its estimate, or why it is not given."""

    metric: Metric
    cells: tuple[Estimate | Message, ...]


@dataclass(frozen=True)
class FindingRow:
    """A label with a cell for each model: the count of each finding, from positive to negative."""

    label: str
    cells: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class PerformanceTable:
    """Performance of models on one set of images.

    Attributes
    ----------
    dataset : str
        Name of a user's own images; empty for the official test set.
    images : tuple of Message
    level : float
        Of the confidence intervals, 0..1.
    caveat : Message or None
    titles : tuple of str
        Of the models, one for each column.
    labels : Labels
    overall, rates : tuple of MetricRow
        Metrics without a threshold; metrics at the balanced threshold.
    thresholds : tuple of float
    findings : tuple of FindingRow
    """

    dataset: str
    images: tuple[Message, ...]
    level: float
    caveat: Message | None
    titles: tuple[str, ...]
    labels: Labels
    overall: tuple[MetricRow, ...]
    thresholds: tuple[float, ...]
    rates: tuple[MetricRow, ...]
    findings: tuple[FindingRow, ...]


@dataclass(frozen=True)
class ReadmeContext:
    """Values of the README's figures."""

    performance: PerformanceTable


@dataclass(frozen=True)
class TrainingContext:
    """Values of the table of trainings.

    Attributes
    ----------
    groups : tuple of mapping
        As :func:`cxrmodel.evaluation.seeds.spread` gives them.
    measures : tuple of str
        Keys of the measures, in the order of the columns.
    """

    groups: tuple[SeedGroup, ...]
    measures: tuple[str, ...]


@dataclass(frozen=True)
class PointColumn:
    """An operating point of the model: threshold, confusion counts, rates, and a caveat for few findings."""

    title: Message
    threshold: float
    confusion: Confusion
    rates: Mapping[str, Estimate]
    caveat: Message | None


@dataclass(frozen=True)
class MetricsContext:
    """Every figure that the first model is judged by.

    Attributes
    ----------
    title : str
        Of the first model.
    labels : Labels
    performance : PerformanceTable
    rate_metrics, calibration_metrics : tuple of Metric
    points : tuple of PointColumn
    before, after : Reliability
        Of the network's own probability and of the calibrated one.
    verdict : tuple of Message
        On calibration.
    bin_caveat : Message or None
    areas : tuple of Row
    shortcuts_measured : bool
    sources : tuple of str
        Of published figures, in Markdown.
    """

    title: str
    labels: Labels
    performance: PerformanceTable
    rate_metrics: tuple[Metric, ...]
    calibration_metrics: tuple[Metric, ...]
    points: tuple[PointColumn, ...]
    before: Reliability
    after: Reliability
    verdict: tuple[Message, ...]
    bin_caveat: Message | None
    areas: tuple[Row, ...]
    shortcuts_measured: bool
    sources: tuple[str, ...]


@dataclass(frozen=True)
class MethodRow:
    """A registered attribution method with its figures; without any where it was not measured."""

    title: str
    figures: tuple[Estimate, ...]


@dataclass(frozen=True)
class CardContext(MetricsContext):
    """Values of the model card.

    Attributes
    ----------
    spec : ModelSpec
    evaluation : Evaluation
        Of the first model.
    hashes : tuple of Hash
    stations : tuple of Station
    station_titles : mapping of str to Message or str
        By name of the station; the empty name has an empty title.
    trainings : tuple of Message
    group_rows, lung_rows, perturbation_rows, adult_rows : tuple of Row
        Empty where not measured.
    lungs_verdict : tuple of Message
    adult_findings : tuple of FindingCounts
    not_scored : int
        Images that could not be decoded.
    check_sets : tuple of CheckSet
    methods : tuple of MethodRow
        Empty where none was measured.
    methods_caveat : Message or None
    """

    spec: ModelSpec
    evaluation: Evaluation
    hashes: tuple[Hash, ...]
    stations: tuple[Station, ...]
    station_titles: Mapping[str, Message | str]
    trainings: tuple[Message, ...]
    group_rows: tuple[Row, ...]
    lung_rows: tuple[Row, ...]
    lungs_verdict: tuple[Message, ...]
    perturbation_rows: tuple[Row, ...]
    adult_rows: tuple[Row, ...]
    adult_findings: tuple[FindingCounts, ...]
    not_scored: int
    check_sets: tuple[CheckSet, ...]
    methods: tuple[MethodRow, ...]
    methods_caveat: Message | None


def performance_table(evaluations: Sequence[Evaluation]) -> PerformanceTable:
    """Collect the performance of models on the same test images.

    Raises
    ------
    EvaluationError
        When there is no evaluation, or they are of different images.
    """
    if not evaluations:
        raise EvaluationError("documents.no_evaluations")
    first, labels = evaluations[0], evaluations[0].labels
    if any(evaluation.splits["test"].counts != first.splits["test"].counts for evaluation in evaluations):
        raise EvaluationError("documents.different_images")
    balanced = [evaluation.splits["test"].performance.at["balanced"] for evaluation in evaluations]
    return PerformanceTable(
        dataset=first.dataset.name if first.dataset else "",
        images=images_summary(first, "test"),
        level=first.bootstrap.level,
        caveat=few_in_split(first, "test"),
        titles=tuple(model_title(evaluation.model) for evaluation in evaluations),
        labels=labels,
        overall=tuple(
            MetricRow(metric, tuple(overall_figure(evaluation, "test", metric.name) for evaluation in evaluations))
            for metric in score_metrics()
        ),
        thresholds=tuple(point.threshold for point in balanced),
        rates=tuple(MetricRow(rate, tuple(point.rates[rate.name] for point in balanced)) for rate in rates_in_order()),
        findings=tuple(
            FindingRow(label, tuple(_findings(evaluation, value) for evaluation in evaluations))
            for label, value in ((labels.positive, 1), (labels.negative, 0))
        ),
    )


def overall_figure(evaluation: Evaluation, split: str, metric: str) -> Estimate | Message:
    """Estimate of a metric without a threshold, or why it is not given."""
    registered = next(item for item in score_metrics() if item.name == metric)
    reason = withheld_in_split(evaluation, split) if registered.ranks else None
    return reason or evaluation.splits[split].performance.overall[metric]


def images_summary(evaluation: Evaluation, split: str) -> tuple[Message, ...]:
    """Say which images were scored, and name those that were not."""
    scores, labels = evaluation.splits[split], evaluation.labels
    positives = int(scores.labels.sum())
    classes = {labels.negative: len(scores.labels) - positives, labels.positive: positives}
    strata = {name: scores.organisms.count(name) for name in sorted(set(scores.organisms) - {""})}
    values = {
        "images": len(scores.files),
        "patients": len(set(scores.patients)),
        "classes": tuple(Message("documents.count.stratum", name=name, n=n) for name, n in classes.items()),
    }
    if strata:
        values["strata"] = tuple(Message("documents.count.stratum", name=name, n=n) for name, n in strata.items())
    summary = Message(f"documents.images.{'with_strata' if strata else 'summary'}", **values)
    names = tuple(row.file for row in evaluation.splits[split].refused)
    if not names:
        return summary, Message("documents.images.all_scored")
    if len(names) <= _NAMED:
        excluded = Message("documents.images.not_decoded", names=names)
    else:
        excluded = Message("documents.images.more_not_decoded", names=names[:_NAMED], more=len(names) - _NAMED)
    return summary, Message("documents.images.some_scored"), excluded


def metrics_context(evaluations: Sequence[Evaluation], published: Sequence[PublishedFigure]) -> MetricsContext:
    """Collect every figure that the first model is judged by.

    Raises
    ------
    EvaluationError
        As :func:`performance_table`.
    """
    table, first = performance_table(evaluations), evaluations[0]
    labels, audits = first.labels, first.audits
    shortcuts = audits.shortcuts if audits else ()
    before, after = reliability_before_after(first, "test")
    return MetricsContext(
        title=table.titles[0],
        labels=labels,
        performance=table,
        rate_metrics=tuple(rates_in_order()),
        calibration_metrics=(METRICS["ece"], METRICS["brier"]),
        points=tuple(
            PointColumn(
                Message(f"report.operating_point.{name}"),
                point.threshold,
                point.confusion,
                point.rates,
                few_findings(point.confusion, labels),
            )
            for name, point in first.splits["test"].performance.at.items()
        ),
        before=before,
        after=after,
        verdict=calibration_verdict(first, "test", before, after),
        bin_caveat=few_in_bins(after),
        areas=tuple(auc_rows(evaluations, "test", shortcuts, published)),
        shortcuts_measured=bool(shortcuts),
        sources=tuple(dict.fromkeys(figure.reference for figure in published)),
    )


def card_context(
    evaluations: Sequence[Evaluation],
    spec: ModelSpec,
    record: TrainingRecord | None,
    published: Sequence[PublishedFigure],
) -> CardContext:
    """Collect the values of a model card.

    Parameters
    ----------
    evaluations : sequence of Evaluation
        Of the same images; the first is of the model that the card is about.
    spec : ModelSpec
        Of the first.
    record : TrainingRecord or None
        Of its training.
    published : sequence of PublishedFigure

    Raises
    ------
    EvaluationError
        As :func:`performance_table`.
    """
    metrics, first = metrics_context(evaluations, published), evaluations[0]
    audits, checks, explanations = first.audits, first.checks, first.explanations
    adults, labels = audits.adults if audits else None, metrics.labels
    stations = flow(first, record)
    lungs = audits.lungs if audits else ()
    return CardContext(
        **vars(metrics),
        spec=spec,
        evaluation=first,
        hashes=tuple(hashes(first)),
        stations=tuple(stations),
        station_titles={"": ""} | {station.name: station.title for station in stations},
        trainings=training_summaries(record) if record else (),
        group_rows=(
            *stratum_rows(first, "test"),
            *subgroup_rows(audits.subgroups if audits else (), labels),
        ),
        lung_rows=tuple(lung_rows(lungs)),
        lungs_verdict=masked_lungs_verdict(lungs),
        perturbation_rows=tuple(perturbation_rows(audits.perturbations if audits else ())),
        adult_rows=tuple(adult_rows(adults.panels)) if adults else (),
        adult_findings=tuple(adult_findings(adults.findings)) if adults else (),
        not_scored=first.splits["test"].counts.refused,
        check_sets=checks.sets if checks else (),
        methods=_methods(explanations) if explanations else (),
        methods_caveat=few(image_count(min(item.deletion_auc.n for item in explanations.methods)))
        if explanations
        else None,
    )


def _methods(audit: ExplanationAudit) -> tuple[MethodRow, ...]:
    rows = []
    for method in METHODS:
        found = audit.method(method.name)
        figures = (found.deletion_auc, found.insertion_auc, found.in_lungs, found.stability) if found else ()
        rows.append(MethodRow(method.title, figures))
    return tuple(rows)


def _findings(evaluation: Evaluation, label: int) -> tuple[int, ...]:
    scores = evaluation.splits["test"]
    found = scores.findings(evaluation.operating_points, evaluation.labels)[scores.labels == label]
    return tuple(int((found == name).sum()) for name in evaluation.labels.findings)


def training_context(runs: Iterable[SeedRun]) -> TrainingContext:
    """Collect the measured trainings, a row for each model and form."""
    return TrainingContext(tuple(spread(runs)), MEASURES)
