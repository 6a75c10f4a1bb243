"""What one check is: a measure, its messages, and the correction it may make."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from cxrmodel.checks.check_input import CheckInput
from cxrmodel.checks.report import PASSED, REJECTED, WARNING, CheckResult, Outcome, Rule
from cxrmodel.errors import ImageRefused, ImageRejected
from cxrmodel.messages import Message
from cxrmodel.model.spec import ModelSpec

Rules = Mapping[str, Rule]
"""Rules by the name of their check."""


class Stage(StrEnum):
    """When a check runs, and what is known of the image by then."""

    METADATA = "metadata"
    """The file's own statements."""
    IMAGE = "image"
    """The pixels."""
    LUNGS = "lungs"
    """The lung mask as well."""
    FEATURES = "features"
    """The network's features as well."""


@dataclass(frozen=True)
class Correction:
    """How a check corrects an image.

    Attributes
    ----------
    name : str
        For ``CheckResult.correction``.
    applies : callable
        Whether an image that exceeds the warning threshold is to be corrected. If not, the check passes.
    apply : callable
        Corrects an image.
    """

    name: str
    applies: Callable[[CheckInput, Rules], bool]
    apply: Callable[[CheckInput], CheckInput]


@dataclass(frozen=True)
class Check:
    """One check.

    Attributes
    ----------
    name : str
        Snake case; names its rule in ``assets/checks/spec.json``, its results and its counts in an evaluation.
    stage : Stage
    measure : callable
        Measures an image; None where the check does not apply to it.
    warning, rejection : str or None
        Codes of its messages; None where it has no such outcome.
    clear_warning : str or None
        Code of the message of a clear warning; None where warnings have no levels.
    error : type of ImageRefused
        What a rejection raises.
    rule : callable or None
        Takes the thresholds from a model's specification; None takes them from that of the checks.
    correction : Correction or None
        Made where the warning threshold is exceeded.
    values : callable
        Values of the messages.
    repair : callable or None
        Names the step of ``cxrmodel.imaging.repairs`` that may cure an image which the check rejects or warns of.
    """

    name: str
    stage: Stage
    measure: Callable[[CheckInput], float | None]
    warning: str | None = None
    rejection: str | None = None
    clear_warning: str | None = None
    error: type[ImageRefused] = ImageRejected
    rule: Callable[[ModelSpec], Rule] | None = None
    correction: Correction | None = None
    values: Callable[[CheckInput], dict[str, Any]] = lambda image: {}
    repair: Callable[[CheckInput], str] | None = None

    @property
    def title(self) -> str:
        """Code of its name in words."""
        return f"checks.{self.name}.title"

    @property
    def measures(self) -> str:
        """Code of what it measures."""
        return f"checks.{self.name}.measures"

    def result(self, image: CheckInput, rules: Rules) -> CheckResult | None:
        """Measure an image and apply the check's rule; None where the check does not apply."""
        value, rule = self.measure(image), rules[self.name]
        if value is None:
            return None
        outcome, corrected = rule.outcome(value), ""
        if self.correction and outcome == WARNING:
            if self.correction.applies(image, rules):
                corrected = self.correction.name
            else:
                outcome = PASSED
        code = self.code(outcome)
        if outcome == WARNING and rule.exceeded(value, rule.clear):
            code = self.clear_warning
        message = Message(code, **self.values(image)) if code else None
        repair = self.repair(image) if self.repair and outcome != PASSED else ""
        threshold = rule.threshold(outcome)
        return CheckResult(self.name, outcome, message, float(value), threshold, corrected, repair, self.error)

    def code(self, outcome: Outcome) -> str | None:
        """Code of the message of an outcome."""
        return {WARNING: self.warning, REJECTED: self.rejection}.get(outcome)
