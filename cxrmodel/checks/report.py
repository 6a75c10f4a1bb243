"""Rules, the result of one check, and the report of all results on one image."""

from dataclasses import dataclass, field
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from cxrmodel.errors import ImageRefused, ImageRejected
from cxrmodel.imaging.repairs import CROP
from cxrmodel.messages import Message
from cxrmodel.records import Record

Outcome = Literal["passed", "warning", "rejected"]
PASSED: Outcome = "passed"
WARNING: Outcome = "warning"
REJECTED: Outcome = "rejected"
OUTCOMES = (PASSED, WARNING, REJECTED)


UNLIKE_SOMEWHAT, UNLIKE_CLEARLY, UNLIKE_AGE = "checks.unlike.somewhat", "checks.unlike.clearly", "checks.unlike.age"
UNLIKE = (UNLIKE_AGE, UNLIKE_CLEARLY, UNLIKE_SOMEWHAT)
"""Codes of the message that an image is unlike those that the model was made for, the most certain first."""

Threshold = Annotated[float, Field(ge=0, le=10_000)]
"""A threshold of a check: probabilities, shares, distances, grey levels or pixels; none of them is negative."""


class Rule(Record):
    """Thresholds of a measured value, as a specification stores them.

    Attributes
    ----------
    side : {"above", "below"}
        Whether large or small values are bad.
    warning, rejection : float or None
        Thresholds; None where there is no such outcome. A value at a threshold does not exceed it.
    clear : float or None
        Threshold beyond which a warning is a clear one; None where warnings have no levels.
    source : str
        How the thresholds were chosen, for the documentation.
    """

    side: Literal["above", "below"]
    warning: Threshold | None
    rejection: Threshold | None
    clear: Threshold | None = None
    source: str

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.warning is None and self.rejection is None:
            raise ValueError("a rule has at least one threshold")
        if self.warning is not None and self.exceeded(self.warning, self.rejection):
            raise ValueError("a rule warns before it rejects")
        if self.clear is not None and (self.warning is None or self.exceeded(self.warning, self.clear)):
            raise ValueError("a rule warns before it warns clearly")
        return self

    def exceeded(self, value: float, threshold: float | None) -> bool:
        """Whether a value lies on the bad side of a threshold. NaN always does; nothing exceeds None."""
        if threshold is None:
            return False
        return not (value <= threshold if self.side == "above" else value >= threshold)

    def outcome(self, value: float) -> Outcome:
        """The outcome of a value."""
        if self.exceeded(value, self.rejection):
            return REJECTED
        return WARNING if self.exceeded(value, self.warning) else PASSED

    def threshold(self, outcome: Outcome) -> float | None:
        """The threshold that an outcome exceeds; for one that passed, the first that there is."""
        return self.rejection if outcome == REJECTED or self.warning is None else self.warning


@dataclass(frozen=True)
class CheckResult:
    """The result of one check on one image.

    Attributes
    ----------
    check : str
        Name in ``cxrmodel.checks.registry.CHECKS``.
    outcome : {"passed", "warning", "rejected"}
    message : Message or None
        For the reader of the image; None where the check passed.
    value : float
        As measured.
    threshold : float or None
        The one that was exceeded, or the first that could have been.
    correction : str
        How the image was corrected, "straightened", "cropped" or "inverted"; else empty.
    repair : str
        Step of ``cxrmodel.imaging.repairs`` that may cure the image; else empty.
    error : type of ImageRefused
        What a rejection raises.
    """

    check: str
    outcome: Outcome
    message: Message | None
    value: float
    threshold: float | None
    correction: str = ""
    repair: str = ""
    error: type[ImageRefused] = field(default=ImageRejected, repr=False, compare=False)


@dataclass(frozen=True)
class CheckReport:
    """All results on one image, in the order of the checks."""

    results: tuple[CheckResult, ...] = ()

    @property
    def outcome(self) -> Outcome:
        """The most severe outcome of the results."""
        return max((result.outcome for result in self.results), key=OUTCOMES.index, default=PASSED)

    @property
    def warnings(self) -> tuple[Message, ...]:
        """Messages of the warnings, each once; that of the population first."""
        others = (message for message in self._warned() if message.code not in UNLIKE)
        return tuple(dict.fromkeys((self.unlike, *others) if self.unlike else others))

    @property
    def unlike(self) -> Message | None:
        """The one message that the image is unlike those that the model was made for; None where no check warns so."""
        found = {message.code: message for message in self._warned()}
        return next((found[code] for code in UNLIKE if code in found), None)

    @property
    def corrections(self) -> tuple[str, ...]:
        """How the image was corrected: "straightened", "cropped", "inverted"."""
        return tuple(result.correction for result in self.results if result.correction)

    @property
    def repair(self) -> str:
        """The step that is most likely to cure the image: an orientation before a crop; empty where none is known.

        None is where the check that gives the reason for a rejection knows none, as for a CT slice.
        """
        rejected = next((result for result in self.results if result.outcome == REJECTED), None)
        if rejected is not None and not rejected.repair:
            return ""
        named = [(result.outcome, result.repair) for result in self.results if result.repair]
        return max(named, key=lambda one: (OUTCOMES.index(one[0]), one[1] != CROP), default=("", ""))[1]

    def _warned(self) -> list[Message]:
        return [result.message for result in self.results if result.outcome == WARNING and result.message]

    def has_warning(self, check: str) -> bool:
        """Whether the named check warns."""
        return any(result.check == check and result.outcome == WARNING for result in self.results)

    def extended(self, results: tuple[CheckResult, ...]) -> "CheckReport":
        """A report with further results at its end."""
        return CheckReport(self.results + results)

    def raise_if_rejected(self) -> None:
        """Refuse an image that a check rejects.

        Raises
        ------
        ImageRefused
            With the message of the first check that rejects the image.
        """
        for result in self.results:
            if result.outcome == REJECTED and result.message:
                raise result.error(result.message.code, **result.message.values)
