"""Rules, results and reports."""

import json

import pytest
from pydantic import ValidationError

from cxrmodel.checks.check import Check, Stage
from cxrmodel.checks.registry import CHECKS
from cxrmodel.checks.report import OUTCOMES, PASSED, REJECTED, WARNING, CheckReport, Rule
from cxrmodel.checks.spec import load_check_spec
from cxrmodel.checks.suite import check_rules
from cxrmodel.errors import AlteredWeights, ImageRefused, ImageRejected, NoLungsFound
from cxrmodel.messages import Message, catalogue
from cxrmodel.model.spec import load_spec
from cxrmodel.paths import CHECK_FOLDER

ABOVE = Rule(side="above", warning=0.2, rejection=0.5, source="")
BELOW = Rule(side="below", warning=30.0, rejection=10.0, source="")


def result(name: str, value: float, rule: Rule):
    """The result of a registered check's messages on a given value and rule."""
    shipped = CHECKS[name]
    check = Check(
        name,
        Stage.IMAGE,
        lambda image: value,
        warning=shipped.warning,
        rejection=shipped.rejection,
        error=shipped.error,
    )
    return check.result(None, {name: rule})


@pytest.mark.parametrize(
    ("rule", "value", "outcome", "threshold"),
    [
        (ABOVE, 0.0, PASSED, 0.2),
        (ABOVE, 0.2, PASSED, 0.2),
        (ABOVE, 0.2001, WARNING, 0.2),
        (ABOVE, 0.5, WARNING, 0.2),
        (ABOVE, 0.5001, REJECTED, 0.5),
        (ABOVE, float("nan"), REJECTED, 0.5),
        (BELOW, 30.0, PASSED, 30.0),
        (BELOW, 29.9, WARNING, 30.0),
        (BELOW, 10.0, WARNING, 30.0),
        (BELOW, 9.9, REJECTED, 10.0),
        (BELOW, float("nan"), REJECTED, 10.0),
        (Rule(side="above", warning=None, rejection=0.5, source=""), 0.4, PASSED, 0.5),
        (Rule(side="above", warning=0.5, rejection=None, source=""), 0.9, WARNING, 0.5),
    ],
)
def test_a_value_is_compared_with_both_thresholds(rule, value, outcome, threshold):
    """A value at a threshold does not exceed it; the more severe outcome counts; NaN is rejected."""
    found = result("clipping", value, rule)
    assert (found.outcome, found.threshold) == (outcome, threshold)
    assert found.message == (None if outcome == PASSED else Message(f"checks.clipping.{outcome}"))


def test_a_check_that_does_not_apply_has_no_result():
    """A measure of None is neither passed nor rejected."""
    assert Check("none", Stage.IMAGE, lambda image: None).result(None, {"none": ABOVE}) is None


def test_an_empty_report_passes():
    """Without results there is nothing to report."""
    report = CheckReport()
    assert (report.outcome, report.warnings, report.corrections) == (PASSED, (), ())
    report.raise_if_rejected()


def test_the_most_severe_result_decides():
    """Passed, then a warning, then a rejection, whatever their order."""
    passed, warned = result("clipping", 0.1, ABOVE), result("clipping", 0.3, ABOVE)
    assert CheckReport((passed,)).outcome == PASSED
    assert CheckReport((warned, passed)).outcome == WARNING
    report = CheckReport((result("contrast", 1.0, BELOW),)).extended((warned, passed))
    assert report.outcome == REJECTED
    assert report.warnings == (Message("checks.clipping.warning"),)
    assert report.extended((warned,)).warnings == report.warnings
    assert report.has_warning("clipping")
    assert not report.has_warning("contrast")


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("lung_area", NoLungsFound),
        ("lung_balance", NoLungsFound),
        ("rotation", ImageRejected),
        ("contrast", ImageRejected),
        ("image_extent", ImageRejected),
    ],
)
def test_the_first_rejection_is_raised(name, error):
    """With its message and the error class of its check."""
    rejected, later = result(name, 1.0, ABOVE), result("projection", 1.0, ABOVE)
    with pytest.raises(error) as raised:
        CheckReport((result("clipping", 0.3, ABOVE), rejected, later)).raise_if_rejected()
    assert type(raised.value) is error
    assert raised.value.message == rejected.message
    assert isinstance(raised.value, ImageRefused)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_every_check_has_its_texts(check):
    """Title, measure and messages are in the catalogue."""
    codes = {check.title, check.measures, check.clear_warning, *(check.code(outcome) for outcome in OUTCOMES)} - {None}
    assert codes <= set(catalogue().texts)


@pytest.mark.parametrize("model", ["densenet121", "cnn"])
def test_every_threshold_has_a_message(model):
    """And no message is without a threshold."""
    rules = check_rules(load_check_spec(), load_spec(model))
    assert tuple(rules) == CHECKS.names
    for name, rule in rules.items():
        assert (rule.warning is not None) == (CHECKS[name].warning is not None)
        assert (rule.clear is not None) == (CHECKS[name].clear_warning is not None)
        assert (rule.rejection is not None) == (CHECKS[name].rejection is not None)
        assert rule.source


@pytest.mark.parametrize(
    "changes",
    [
        {"side": "beside"},
        {"warning": None, "rejection": None},
        {"warning": 0.6},
        {"rejection": float("nan")},
        {"refuse": 1.0},
    ],
)
def test_a_damaged_rule_is_noticed(changes):
    """An unknown side, no threshold, thresholds out of order, NaN, an unknown key."""
    with pytest.raises(ValidationError):
        Rule.model_validate({**ABOVE.model_dump(), **changes})


@pytest.mark.parametrize("changes", [{"format": 1}, {"lungs_sha256": "short"}, {"rules": {"size": {}}}, {"more": 1}])
def test_a_specification_of_another_format_is_refused(tmp_path, changes):
    """By the schema, with the file's path."""
    stored = json.loads((CHECK_FOLDER / "spec.json").read_text(encoding="utf-8"))
    (tmp_path / "spec.json").write_text(json.dumps(stored | changes), encoding="utf-8")
    with pytest.raises(AlteredWeights) as raised:
        load_check_spec(tmp_path)
    assert raised.value.message.code == "checks.damaged_spec"
    assert raised.value.message.values["path"] == str(tmp_path / "spec.json")
    assert next(iter(changes)) in raised.value.message.values["problem"]
