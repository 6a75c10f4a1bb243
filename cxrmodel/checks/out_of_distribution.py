"""Check of the network's features: an image far from the training images is out of distribution."""

from typing import Any

from cxrmodel.checks.check import Check, Stage
from cxrmodel.checks.check_input import CheckInput
from cxrmodel.checks.report import Rule
from cxrmodel.errors import OutOfDistribution
from cxrmodel.model.spec import ModelSpec

__all__ = ["OUT_OF_DISTRIBUTION"]


def _score(image: CheckInput) -> float | None:
    return None if image.features is None else float(image.models.features.scores(image.features[None])[0])


def _values(image: CheckInput) -> dict[str, Any]:
    return {"ages": str(image.models.ages)}


def _rule(spec: ModelSpec) -> Rule:
    stored = spec.out_of_distribution
    return Rule(side="above", warning=stored.warn, rejection=stored.reject, source=stored.source)


OUT_OF_DISTRIBUTION = Check(
    "out_of_distribution",
    Stage.FEATURES,
    _score,
    title="checks.out_of_distribution.title",
    measures="checks.out_of_distribution.measures",
    warning="checks.out_of_distribution.warning",
    rejection="checks.out_of_distribution.rejected",
    error=OutOfDistribution,
    rule=_rule,
    values=_values,
)
