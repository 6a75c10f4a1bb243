"""View of an evaluation of format 1 in the terms of format 2 (until files are migrated)."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from cxrmodel.evaluation.schema import Evaluation
from cxrmodel.metrics.estimate import Estimate
from cxrmodel.metrics.performance import Performance, evaluate_scores
from cxrmodel.model.spec import Labels, load_spec

__all__ = ["labels_of", "performance", "section"]

_RENAMED = {
    "adult": "adults",
    "refused": "rejected",
    "by_rule": "rejected_by",
    "warned_by_rule": "warned_by",
    "heat_in_lungs": "in_lungs",
    "polarity": "inversion",
    "sanity": "randomisation",
    "randomised": "spearman",
}


class _Section(SimpleNamespace):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return None


def _view(part: Any, images: int = 0) -> Any:
    if isinstance(part, Mapping):
        if set(part) == {"value", "low", "high"}:
            return Estimate(part["value"], part["low"], part["high"], images)
        images = part.get("images", images) if isinstance(part.get("images"), int) else images
        named = {_RENAMED.get(name, name): value for name, value in part.items()}
        return _Section(
            **{
                name: value if name in ("rejected_by", "warned_by") else _view(value, images)
                for name, value in named.items()
            }
        )
    return [_view(item, images) for item in part] if isinstance(part, list) else part


def section(evaluation: Evaluation, name: str) -> Any:
    """A section of an evaluation; None where it was not measured."""
    if name not in evaluation.sections:
        return None
    found = _view(evaluation.sections[name])
    for item in found.perturbations or ():
        item.auc, item.auc_change = Estimate(item.auc, None, None, item.images), item.auc_change_interval
        item.without_lungs = item.rejected
    for part in ("shortcuts", "lungs", "perturbations", "subgroups", "sets"):
        for item in getattr(found, part) or ():
            item.title = item.name
    if found.adults:
        for item in found.adults.panels or ():
            item.title = item.name
        for item in found.adults.findings or ():
            item.findings = {label: getattr(item, label) for label in labels_of(evaluation).findings}
    if name == "explanations":
        for item in found.methods:
            item.deletion_auc = _counted(item.deletion_auc, item.curve_images)
            item.insertion_auc = _counted(item.insertion_auc, item.curve_images)
    return found


def _counted(estimate: Estimate, n: int) -> Estimate:
    return Estimate(estimate.value, estimate.low, estimate.high, n)


def performance(evaluation: Evaluation, split: str) -> Performance:
    """Every metric of a split."""
    scores = evaluation.scores[split]
    return evaluate_scores(
        scores.labels, scores.probabilities, scores.patients, evaluation.operating_points, **evaluation.resampling
    )


def labels_of(evaluation: Evaluation) -> Labels:
    """Labels of the model of an evaluation."""
    return load_spec(evaluation.model).labels
