"""What the program refuses and warns of -> the tables of docs/safety.md, so that the words cannot drift from it."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from cxrmodel import errors
from cxrmodel.checks.registry import CHECKS
from cxrmodel.checks.report import OUTCOMES, Rule
from cxrmodel.checks.spec import load_check_spec
from cxrmodel.checks.suite import check_rules
from cxrmodel.errors import EvaluationError, ImageRefused, ImageRejected
from cxrmodel.evaluation.report.readme import update_readme
from cxrmodel.evaluation.storage import Evaluation, load_evaluation
from cxrmodel.imaging.radiograph import MAX_ASPECT, MAX_BYTES, MAX_PIXELS, MIN_SIDE
from cxrmodel.messages import Message
from cxrmodel.model.spec import load_spec
from cxrmodel.paths import ROOT

__all__ = ["MARKS", "SAFETY", "file_refusals", "safety_tables", "shipped_tables", "update_safety"]

SAFETY = ROOT / "docs" / "safety.md"
MARKS = ("<!-- checks:start -->", "<!-- checks:end -->")

_MODEL = "densenet121"
_SHOWN = {"test": "test images", "not chest, grey": "not chest, grey", "adults": "adults"}
_LIMITS = {
    "ImageTooLarge": f"{MAX_BYTES // 2**20} MiB, {MAX_PIXELS // 10**6} million pixels",
    "ImageTooSmall": f"{MIN_SIDE} pixels a side",
    "ImplausibleShape": f"{MAX_ASPECT:g} times as long as wide",
}


def safety_tables(rules: Mapping[str, Rule], evaluation: Evaluation | None) -> str:
    """Write the tables of refusals, of rules with thresholds and measured rates, and of whole collections.

    Parameters
    ----------
    rules : mapping of str to Rule
        Of the registered checks, in order.
    evaluation : Evaluation or None
        Whose section ``checks`` holds the rates; without it there are none.

    Returns
    -------
    str
        Markdown, without a line break at the end. The same rules and figures always give the same text.
    """
    section = evaluation.sections.get("checks") if evaluation else None
    sets = {row["name"]: row for row in section["sets"]} if section else {}
    parts = [
        "### Files that are refused before any check",
        "",
        *_table(("refusal", "what it is", "limit"), file_refusals()),
        "",
        "### Rules",
        "",
        "Each rule asks alone; an image may be counted under several. W: warned, R: refused, of every hundred images.",
        "",
        *_table(
            ("rule", "what it measures", "warns", "refuses", "thresholds from", *_SHOWN.values()),
            [_rule(name, rule, sets) for name, rule in rules.items()],
        ),
        "",
        "### Sentences",
        "",
        *_table(
            ("rule", "outcome", "sentence"),
            [row for name in rules for row in _sentences(name)],
        ),
        "",
        "### Collections",
        "",
        *(_collections(sets.values()) if sets else ["Not measured yet."]),
    ]
    if section:
        polarity = section["polarity"]
        parts += [
            "",
            f"Of {polarity['images']} test images, {polarity['compared']} were read both as they are and inverted; the "
            f"two probabilities of an image differ by at most {polarity['max_difference']:.2g}.",
        ]
    return "\n".join(parts)


def shipped_tables() -> str:
    """The tables of the shipped checks, DenseNet and evaluation.

    Raises
    ------
    ModelError
        When the checks or the model's specification are missing or damaged.
    """
    rules = check_rules(load_check_spec(), load_spec(_MODEL))
    try:
        return safety_tables(rules, load_evaluation(_MODEL))
    except EvaluationError:
        return safety_tables(rules, None)


def update_safety(path: Path = SAFETY) -> bool:
    """Write the tables into docs/safety.md; tell whether it changed."""
    return update_readme(path, shipped_tables(), MARKS)


def file_refusals() -> list[tuple[str, str, str]]:
    """Every refusal by name that comes before the checks: what it says of itself, and its limit where it has one."""
    kinds = [getattr(errors, name) for name in sorted(errors.__all__)]
    named = [kind for kind in kinds if issubclass(kind, ImageRefused) and kind is not ImageRefused]
    before = [kind for kind in named if not issubclass(kind, ImageRejected)]
    return [(kind.__name__, kind.__doc__.splitlines()[0], _LIMITS.get(kind.__name__, "")) for kind in before]


def _sentences(name: str) -> list[tuple[str, str, str]]:
    check = CHECKS[name]
    values = {"ages": str(load_spec(_MODEL).ages)}
    codes = [(outcome, check.code(outcome)) for outcome in OUTCOMES]
    return [(name, outcome, str(Message(code, **values))) for outcome, code in codes if code]


def _rule(name: str, rule: Rule, sets: Mapping[str, Mapping]) -> Sequence[str]:
    sign = "over" if rule.side == "above" else "under"
    limits = ("" if value is None else f"{sign} {value:.4g}" for value in (rule.warning, rule.rejection))
    measures = str(Message(CHECKS[name].measures))
    return (name, measures, *limits, rule.source, *(_rates(name, rule, sets.get(shown)) for shown in _SHOWN))


def _rates(name: str, rule: Rule, row: Mapping | None) -> str:
    if row is None:
        return "not measured"
    shares = []
    for letter, key, threshold in (("W", "warned_by_rule", rule.warning), ("R", "by_rule", rule.rejection)):
        if threshold is not None:
            shares.append(f"{letter} {_percent(row[key].get(name, 0), row['images'])}")
    return ", ".join(shares)


def _collections(rows: Iterable[Mapping]) -> list[str]:
    return _table(
        ("collection", "what it is", "pictures", "refused", "read", "of these with a warning"),
        [
            (*map(str, (row["name"], row["description"], row["images"])), *_shares(row), str(row["warned"]))
            for row in rows
        ],
    )


def _shares(row: Mapping) -> list[str]:
    return [f"{row[key]} ({_percent(row[key], row['images'])} %)" for key in ("refused", "read")]


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f}" if whole else "-"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [heads, ["---"] * len(heads), *rows]
    return [f"| {' | '.join(line)} |" for line in lines]
