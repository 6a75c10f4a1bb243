"""Values of the documents: what the templates and the HTML report take from evaluations."""

from collections.abc import Sequence
from dataclasses import dataclass

from cxrmodel.errors import EvaluationError
from cxrmodel.evaluation.published import PublishedFigure
from cxrmodel.evaluation.report.charts import reliability_before_after
from cxrmodel.evaluation.report.rows import Row, auc_rows, stratum_rows, subgroup_rows
from cxrmodel.evaluation.report.small_samples import withheld_in_split
from cxrmodel.evaluation.report.verdicts import calibration_verdict
from cxrmodel.evaluation.schema import Evaluation
from cxrmodel.messages import Message
from cxrmodel.metrics.calibration import Reliability
from cxrmodel.metrics.estimate import Estimate
from cxrmodel.metrics.registry import score_metrics
from cxrmodel.model.spec import ModelSpec
from cxrmodel.training.record import TrainingRecord

_NAMED = 5
"""Images without a score that are named; further ones are counted."""


@dataclass(frozen=True)
class Card:
    """Values of a model card: the evaluations, what belongs to them, and what takes long to compute.

    Attributes
    ----------
    evaluations : sequence of Evaluation
        Of the same images; the first is of the model that the card is about.
    evaluation : Evaluation
        The first.
    spec : ModelSpec
        Of the first.
    record : TrainingRecord or None
        Of its training.
    published : sequence of PublishedFigure
        On the same images.
    before, after : Reliability
        Of the network's own probability and of the calibrated one.
    verdict : tuple of Message
        On calibration.
    areas, groups : sequence of Row
        AUC beside shortcuts and published figures; figures of groups of images.
    """

    evaluations: Sequence[Evaluation]
    evaluation: Evaluation
    spec: ModelSpec
    record: TrainingRecord | None
    published: Sequence[PublishedFigure]
    before: Reliability
    after: Reliability
    verdict: tuple[Message, ...]
    areas: Sequence[Row]
    groups: Sequence[Row]


def make_card(
    evaluations: Sequence[Evaluation],
    spec: ModelSpec,
    record: TrainingRecord | None,
    published: Sequence[PublishedFigure],
) -> Card:
    """Collect the values of a model card; arguments as of `Card`.

    Raises
    ------
    EvaluationError
        As :func:`of_the_same_images`.
    """
    first = of_the_same_images(evaluations)[0]
    before, after = reliability_before_after(first, "test")
    shortcuts, subgroups = (first.audits.shortcuts, first.audits.subgroups) if first.audits else ((), ())
    return Card(
        evaluations,
        first,
        spec,
        record,
        published,
        before,
        after,
        verdict=calibration_verdict(first, "test", before, after),
        areas=auc_rows(evaluations, "test", shortcuts, published),
        groups=[*stratum_rows(first, "test"), *subgroup_rows(subgroups, first.labels)],
    )


def of_the_same_images(evaluations: Sequence[Evaluation]) -> Sequence[Evaluation]:
    """Return evaluations that can stand in one table.

    Raises
    ------
    EvaluationError
        When there is no evaluation, or they are of different images.
    """
    if not evaluations:
        raise EvaluationError("documents.no_evaluations")
    if any(item.splits["test"].counts != evaluations[0].splits["test"].counts for item in evaluations):
        raise EvaluationError("documents.different_images")
    return evaluations


def finding_counts(evaluation: Evaluation, label: int) -> list[int]:
    """Count the test images of a label (1 positive, 0 negative) by finding, from positive to negative."""
    scores = evaluation.splits["test"]
    found = scores.findings(evaluation.operating_points, evaluation.labels)[scores.labels == label]
    return [int((found == name).sum()) for name in evaluation.labels.findings]


def overall_figure(evaluation: Evaluation, split: str, metric: str) -> Estimate | Message:
    """Estimate of a metric without a threshold, or why it is not given."""
    registered = next(item for item in score_metrics() if item.name == metric)
    reason = withheld_in_split(evaluation, split) if registered.ranks else None
    return reason or evaluation.splits[split].performance.overall[metric]


def images_summary(evaluation: Evaluation, split: str) -> tuple[Message, ...]:
    """Describe which images were scored, and name those that were not."""
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
    # An archive was scored with image checks, everything else without.
    checked = evaluation.dataset is not None and evaluation.dataset.origin != "folders"
    kind = "checked_images" if checked else "images"
    names = tuple(row.file for row in evaluation.splits[split].refused)
    if not names:
        return summary, Message(f"documents.{kind}.all_scored")
    if len(names) <= _NAMED:
        excluded = Message(f"documents.{kind}.not_scored", names=names)
    else:
        excluded = Message(f"documents.{kind}.more_not_scored", names=names[:_NAMED], more=len(names) - _NAMED)
    return summary, Message(f"documents.{kind}.some_scored"), excluded
