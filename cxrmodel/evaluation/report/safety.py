"""Values of the safety tables: refusals, checks with thresholds and measured rates, collections of images."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cxrmodel import errors
from cxrmodel.checks.registry import CHECKS
from cxrmodel.checks.report import OUTCOMES, Rule
from cxrmodel.checks.spec import load_check_spec
from cxrmodel.checks.suite import check_rules
from cxrmodel.errors import EvaluationError, ImageRefused, ImageRejected
from cxrmodel.evaluation.audits.schema import CheckSet, Inversion
from cxrmodel.evaluation.schema import Evaluation
from cxrmodel.evaluation.storage import load_evaluation
from cxrmodel.imaging.radiograph import MAX_ASPECT, MAX_BYTES, MAX_PIXELS, MIN_SIDE
from cxrmodel.messages import Message
from cxrmodel.model.spec import ModelSpec, load_spec
from cxrmodel.models import DEFAULT_MODEL

__all__ = ["CheckRow", "Refusal", "SafetyContext", "refusals", "safety_context", "shipped_safety_context"]

_SHOWN = ("test", "not_chest_grey", "adults")
"""Collections whose rates stand beside each check."""
_LIMITS = {
    "ImageTooLarge": f"{MAX_BYTES // 2**20} MiB, {MAX_PIXELS // 10**6} million pixels",
    "ImageTooSmall": f"{MIN_SIDE} pixels a side",
    "ImplausibleShape": f"{MAX_ASPECT:g} times as long as wide",
}


@dataclass(frozen=True)
class Refusal:
    """A refusal before any check: name of the error, what it means, and its limit where it has one."""

    name: str
    meaning: str
    limit: str


@dataclass(frozen=True)
class CheckRow:
    """A check.

    Attributes
    ----------
    title, measures : Message
        Name, and what it measures.
    source : str
        Where its thresholds come from.
    warning, rejection : str
        Thresholds; empty where there is none.
    rates : tuple of str
        Shares warned and rejected of each shown collection, per hundred.
    messages : tuple of (str, Message)
        Outcome, and what is said then.
    """

    title: Message
    measures: Message
    source: str
    warning: str
    rejection: str
    rates: tuple[str, ...]
    messages: tuple[tuple[str, Message], ...]


@dataclass(frozen=True)
class SafetyContext:
    """Values of the safety tables; without a measured section there are no collections.

    Attributes
    ----------
    refusals : tuple of Refusal
    shown : tuple of CheckSet
        Collections whose rates stand beside each check.
    checks : tuple of CheckRow
    collections : tuple of CheckSet
    inversion : Inversion or None
    """

    refusals: tuple[Refusal, ...]
    shown: tuple[CheckSet, ...]
    checks: tuple[CheckRow, ...]
    collections: tuple[CheckSet, ...]
    inversion: Inversion | None


def safety_context(rules: Mapping[str, Rule], spec: ModelSpec, evaluation: Evaluation | None) -> SafetyContext:
    """Collect the values of the safety tables.

    Parameters
    ----------
    rules : mapping of str to Rule
        By the name of the check, in the order in which the checks run.
    spec : ModelSpec
        Whose ages the messages name.
    evaluation : Evaluation or None
        Whose section ``checks`` holds the rates.
    """
    measured = evaluation.checks if evaluation else None
    sets = measured.sets if measured else ()
    shown = tuple(found for found in sets if found.name in _SHOWN)
    return SafetyContext(
        refusals=tuple(refusals()),
        shown=shown,
        checks=tuple(_check(name, rule, spec, shown) for name, rule in rules.items()),
        collections=sets,
        inversion=measured.inversion if measured else None,
    )


def shipped_safety_context() -> SafetyContext:
    """Values of the shipped checks, default model and evaluation.

    Raises
    ------
    ModelError
        When the checks or the model's specification are missing or damaged.
    """
    spec = load_spec(DEFAULT_MODEL)
    rules = check_rules(load_check_spec(), spec)
    try:
        return safety_context(rules, spec, load_evaluation(DEFAULT_MODEL))
    except EvaluationError:
        return safety_context(rules, spec, None)


def refusals() -> list[Refusal]:
    """List every refusal that comes before the checks."""
    kinds = [getattr(errors, name) for name in sorted(errors.__all__)]
    named = [kind for kind in kinds if issubclass(kind, ImageRefused) and kind is not ImageRefused]
    before = [kind for kind in named if not issubclass(kind, ImageRejected)]
    return [
        Refusal(kind.__name__, str(kind.__doc__).splitlines()[0], _LIMITS.get(kind.__name__, "")) for kind in before
    ]


def _check(name: str, rule: Rule, spec: ModelSpec, shown: Iterable[CheckSet]) -> CheckRow:
    check, sign = CHECKS[name], "over" if rule.side == "above" else "under"
    warning, rejection = ("" if value is None else f"{sign} {value:.4g}" for value in (rule.warning, rule.rejection))
    codes = ((outcome, check.code(outcome)) for outcome in OUTCOMES)
    return CheckRow(
        Message(check.title),
        Message(check.measures),
        rule.source,
        warning,
        rejection,
        tuple(_rates(name, rule, found) for found in shown),
        tuple((outcome, Message(code, ages=str(spec.ages))) for outcome, code in codes if code),
    )


def _rates(name: str, rule: Rule, row: CheckSet) -> str:
    shares = []
    for letter, counts, threshold in (("W", row.warned_by, rule.warning), ("R", row.rejected_by, rule.rejection)):
        if threshold is not None:
            shares.append(f"{letter} {100 * counts.get(name, 0) / row.images:.1f}")
    return ", ".join(shares)
