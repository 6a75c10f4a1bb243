"""Check of the patient's age: the model was trained on a range of ages."""

from typing import Any

from cxrmodel.checks.check import Check, Stage
from cxrmodel.checks.check_input import CheckInput
from cxrmodel.checks.report import Rule
from cxrmodel.messages import Message
from cxrmodel.model.spec import AgeRange, ModelSpec

__all__ = ["AGE", "years_outside"]


def years_outside(age_years: float, ages: AgeRange) -> float:
    """How far an age lies from the ages of a range, in years; 0 within it."""
    return 0.0 if ages.contains(age_years) else max(ages.low - age_years, age_years - ages.high)


def _years_outside(image: CheckInput) -> float | None:
    age = image.radiograph.age_years
    return None if age is None else years_outside(age, image.models.ages)


def _values(image: CheckInput) -> dict[str, Any]:
    return {"ages": str(image.models.ages)}


def _rule(spec: ModelSpec) -> Rule:
    source = str(Message("checks.age.source", ages=str(spec.ages)))
    return Rule(side="above", warning=0.0, rejection=None, source=source)


AGE = Check(
    "age",
    Stage.METADATA,
    _years_outside,
    title="checks.age.title",
    measures="checks.age.measures",
    warning="checks.age.warning",
    rule=_rule,
    values=_values,
)
