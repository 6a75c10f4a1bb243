"""Values of the safety tables: refusals, checks with thresholds and measured rates, collections of images."""

from collections.abc import Mapping

from cxrmodel import errors
from cxrmodel.checks.registry import CHECKS
from cxrmodel.checks.report import OUTCOMES, Rule
from cxrmodel.checks.spec import load_check_spec
from cxrmodel.checks.suite import check_rules
from cxrmodel.errors import EvaluationError, ImageRefused, ImageRejected
from cxrmodel.evaluation.audits.valid_cases import LARGEST_DIFFERENCE
from cxrmodel.evaluation.report.render import render
from cxrmodel.evaluation.schema import Evaluation
from cxrmodel.evaluation.storage import load_evaluation
from cxrmodel.imaging.radiograph import MAX_ASPECT, MAX_BYTES, MAX_PIXELS, MIN_SIDE
from cxrmodel.messages import Message, catalogue
from cxrmodel.model.spec import ModelSpec, load_spec
from cxrmodel.models import DEFAULT_MODEL

_SHOWN = ("test", "not_chest_grey", "adults")
"""Collections whose rates stand beside each check."""
_KINDS = ("ct", "mr", "hand")
"""Checks that name a kind of image."""
_LIMITS = {
    "ImageTooLarge": f"{MAX_BYTES // 2**20} MiB, {MAX_PIXELS // 10**6} million pixels",
    "ImageTooSmall": f"{MIN_SIDE} pixels a side",
    "ImplausibleShape": f"{MAX_ASPECT:g} times as long as wide",
}


def safety_text(rules: Mapping[str, Rule], spec: ModelSpec, evaluation: Evaluation | None) -> str:
    """Write the safety tables. Messages are given with the ages; measured values stay in braces.

    Parameters
    ----------
    rules : mapping of str to Rule
        By the name of the check, in the order in which the checks run.
    spec : ModelSpec
        Whose ages the messages name.
    evaluation : Evaluation or None
        Whose section ``checks`` holds the rates; without it only thresholds are given.
    """
    measured = evaluation.checks if evaluation else None
    return render(
        "safety_tables.md.j2",
        refusals=refusals(),
        limits=_LIMITS,
        checks=[(CHECKS[name], rule) for name, rule in rules.items()],
        outcomes=OUTCOMES,
        texts=catalogue().texts,
        ages=str(spec.ages),
        measured=measured,
        largest_difference=LARGEST_DIFFERENCE,
        shown=[found for found in measured.sets if found.name in _SHOWN] if measured else [],
        kinds=[CHECKS[name] for name in _KINDS],
        named=[found for found in measured.sets if set(_KINDS) <= set(found.measured)] if measured else [],
    )


def shipped_safety_text() -> str:
    """Write the safety tables of the shipped checks, default model and evaluation.

    Raises
    ------
    ModelError
        When the checks or the model's specification are missing or damaged.
    """
    spec = load_spec(DEFAULT_MODEL)
    rules = check_rules(load_check_spec(), spec)
    try:
        evaluation = load_evaluation(DEFAULT_MODEL)
    except EvaluationError:
        evaluation = None
    return safety_text(rules, spec, evaluation)


def refusals() -> dict[str, Message]:
    """Give every refusal that comes before the checks: name of the error, and what it means."""
    return {
        name: Message(f"refusals.{name}")
        for name in sorted(errors.__all__)
        if issubclass(kind := getattr(errors, name), ImageRefused)
        and kind is not ImageRefused
        and not issubclass(kind, ImageRejected)
    }
