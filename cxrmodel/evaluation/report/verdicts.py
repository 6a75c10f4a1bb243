"""Verdicts that follow from figures: whether calibration helped, and whether the AUC falls to chance without lungs."""

from collections.abc import Iterable
from typing import Literal

from cxrmodel.evaluation.audits.schema import LungMasking
from cxrmodel.evaluation.report.charts import before_after
from cxrmodel.evaluation.schema import Evaluation
from cxrmodel.messages import Message
from cxrmodel.metrics import formatting
from cxrmodel.metrics.calibration import CalibrationScores, Reliability, calibration_change
from cxrmodel.metrics.estimate import Estimate
from cxrmodel.metrics.registry import METRICS

Verdict = Literal["better", "worse", "unclear"]
CHANCE = 0.5
"""AUC of scores that are independent of the label."""


def verdict(change: Estimate) -> Verdict:
    """Verdict on the change of a measure of which lower is better; unclear where the interval includes 0."""
    if change.interval is None or change.contains(0):
        return "unclear"
    return "worse" if change.interval[0] > 0 else "better"


def calibration_verdict(
    evaluation: Evaluation, split: str, before: Reliability, after: Reliability
) -> tuple[Message, ...]:
    """Compare the calibrated probability of a split with the network's own, and name the prevalence of both.

    Parameters
    ----------
    evaluation : Evaluation
    split : str
    before, after : Reliability
        Of the network's own probability and of the calibrated one.
    """
    scores = evaluation.splits[split]
    values = before_after(evaluation, split)
    change = calibration_change(scores.labels, *values, scores.patients, **evaluation.resampling)
    observed = formatting.share_percent(float(scores.labels.mean()), 1)
    prevalence = Message("documents.calibration.prevalence", observed=observed)
    return (*compare(before, after, change), prevalence)


def compare(before: Reliability, after: Reliability, change: CalibrationScores) -> tuple[Message, ...]:
    """Give a verdict for calibration error and for Brier score."""
    return tuple(
        Message(
            "documents.calibration.change",
            measure=METRICS[name].title,
            before=formatting.number(first.value),
            after=formatting.number(second.value),
            change=formatting.change(moved),
            verdict=Message(f"documents.calibration.{verdict(moved)}"),
        )
        for name, first, second, moved in (
            ("ece", before.ece, after.ece, change.ece),
            ("brier", before.brier, after.brier, change.brier),
        )
    )


def masked_lungs_verdict(interventions: Iterable[LungMasking]) -> tuple[Message, ...]:
    """Compare the AUC of images without lungs with chance.

    Returns
    -------
    tuple of Message
        For how many fills the interval includes 0.5, which fill is farthest from it, and the same for fills that
        training did not use; empty where none was measured.
    """
    fills = [(item, item.auc.value) for item in interventions if item.kind == "removed" and item.auc.value is not None]
    if not fills:
        return ()
    farthest, _ = max(fills, key=lambda fill: abs(fill[1] - CHANCE))
    included = [str(item.title) for item, _ in fills if item.auc.contains(CHANCE)]
    unseen = [str(item.title) for item, _ in fills if not item.seen_in_training]
    return (
        Message("documents.masked.chance", included=len(included), fills=len(fills)),
        Message("documents.masked.farthest", title=str(farthest.title), auc=formatting.estimate(farthest.auc)),
        *(
            Message(f"documents.masked.unseen_{'includes' if title in included else 'excludes'}", title=title)
            for title in unseen
        ),
        *([] if unseen else [Message("documents.masked.all_seen")]),
    )
