"""Check of the patient's age against the range of ages that the model was trained on."""

from cxrmodel.checks.check import Check, Stage
from cxrmodel.checks.check_input import CheckInput
from cxrmodel.checks.report import UNLIKE_AGE, Rule
from cxrmodel.messages import Message
from cxrmodel.model.spec import AgeRange


def years_outside(age_years: float, ages: AgeRange) -> float:
    """Distance of an age from a range of ages in years; 0 within it."""
    return 0.0 if ages.contains(age_years) else max(ages.low - age_years, age_years - ages.high)


def _measure(image: CheckInput) -> float | None:
    age = image.radiograph.age_years
    return None if age is None else years_outside(age, image.models.ages)


AGE = Check(
    "age",
    Stage.METADATA,
    _measure,
    warning=UNLIKE_AGE,
    rule=lambda spec: Rule(
        side="above", warning=0.0, rejection=None, source=str(Message("checks.age.source", ages=str(spec.ages)))
    ),
    values=lambda image: {"ages": str(image.models.ages), "years": int(image.radiograph.age_years or 0)},
)
