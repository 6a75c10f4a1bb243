"""What the checks say: rules, findings, and the report that all findings make."""

from collections.abc import Mapping
from dataclasses import dataclass

from cxrmodel.checks.wording import SENTENCES
from cxrmodel.errors import NoLungsFound, PictureRefused, UnfamiliarImage

__all__ = ["ACCEPT", "OUTCOMES", "REFUSE", "WARN", "CheckReport", "Finding", "Rule", "finding", "judge", "load_rules"]

ACCEPT, WARN, REFUSE = OUTCOMES = ("accept", "warn", "refuse")

_ERRORS = {"familiarity": UnfamiliarImage, "lung area": NoLungsFound, "lung balance": NoLungsFound}


@dataclass(frozen=True)
class Rule:
    """One measured thing, and from where on it is wrong.

    Attributes
    ----------
    name : str
        A key of ``SENTENCES``.
    side : {"above", "below"}
        Whether large or small values are wrong.
    warn, refuse : float or None
        Thresholds; None where the rule does not do so. A value at a threshold is still right.
    source : str
        Where the thresholds come from, for the documentation.
    """

    name: str
    side: str
    warn: float | None
    refuse: float | None
    source: str

    def __post_init__(self):
        if self.side not in ("above", "below") or self.name not in SENTENCES:
            raise ValueError(f"no rule is called {self.name} or looks {self.side}")

    def beyond(self, value: float, threshold: float | None) -> bool:
        """Whether a value is wrong by a threshold; NaN always is, and nothing is by None."""
        if threshold is None:
            return False
        return not (value <= threshold if self.side == "above" else value >= threshold)


@dataclass(frozen=True)
class Finding:
    """What one rule says of one picture.

    Attributes
    ----------
    rule : str
    outcome : {"accept", "warn", "refuse"}
    sentence : str
        For the reader of the image; empty where the outcome is accept.
    value : float
        As measured.
    threshold : float or None
        The one that was crossed, or that is nearest to being; None where a rule has none.
    correction : str
        One word for a badge where the image was changed: "inverted" or "cropped"; else empty.
    """

    rule: str
    outcome: str
    sentence: str
    value: float
    threshold: float | None
    correction: str = ""


@dataclass(frozen=True)
class CheckReport:
    """Every finding on one picture, in the order of the rules."""

    findings: tuple[Finding, ...] = ()

    @property
    def outcome(self) -> str:
        """The gravest of the findings' outcomes."""
        return max((item.outcome for item in self.findings), key=OUTCOMES.index, default=ACCEPT)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences that belong beside a number, each once."""
        return tuple(dict.fromkeys(item.sentence for item in self.findings if item.outcome == WARN))

    @property
    def corrections(self) -> tuple[str, ...]:
        """What was done to the image, one word each."""
        return tuple(item.correction for item in self.findings if item.correction)

    def plus(self, *findings: Finding) -> "CheckReport":
        """A report with further findings at its end."""
        return CheckReport(self.findings + findings)

    def insist(self) -> None:
        """Let the image pass, or refuse it.

        Raises
        ------
        PictureRefused
            With the sentence of the first rule that refuses.
        """
        for item in self.findings:
            if item.outcome == REFUSE:
                raise _ERRORS.get(item.rule, PictureRefused)(item.sentence)


def finding(rule: Rule, outcome: str, value: float, correction: str = "") -> Finding:
    """Word what a rule found."""
    threshold = rule.refuse if outcome == REFUSE or rule.warn is None else rule.warn
    sentence = "" if outcome == ACCEPT else SENTENCES[rule.name][outcome]
    return Finding(rule.name, outcome, sentence, float(value), threshold, correction)


def judge(rule: Rule, value: float) -> Finding:
    """Hold a value against a rule's thresholds."""
    outcome = REFUSE if rule.beyond(value, rule.refuse) else WARN if rule.beyond(value, rule.warn) else ACCEPT
    return finding(rule, outcome, value)


def load_rules(stored: Mapping[str, Mapping]) -> dict[str, Rule]:
    """Rules from a specification.

    Parameters
    ----------
    stored : mapping of str to mapping
        ``side``, ``warn``, ``refuse`` and ``source`` of each rule.

    Raises
    ------
    ValueError, KeyError, TypeError
        When one is not a rule.
    """
    return {
        name: Rule(name, rule["side"], rule["warn"], rule["refuse"], rule["source"]) for name, rule in stored.items()
    }
