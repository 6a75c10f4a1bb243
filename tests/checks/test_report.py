"""Rules, findings and the report they make."""

import json

import pytest

from cxrmodel.checks.report import ACCEPT, REFUSE, WARN, CheckReport, Finding, Rule, judge, load_rules
from cxrmodel.checks.suite import CHECK_FOLDER
from cxrmodel.checks.wording import MEASURES, SENTENCES
from cxrmodel.errors import ImageRefused, NoLungsFound, PictureRefused, UnfamiliarImage

ABOVE = Rule("clipped", "above", 0.2, 0.5, "")
BELOW = Rule("contrast", "below", 30.0, 10.0, "")


@pytest.mark.parametrize(
    ("rule", "value", "outcome", "threshold"),
    [
        (ABOVE, 0.0, ACCEPT, 0.2),
        (ABOVE, 0.2, ACCEPT, 0.2),
        (ABOVE, 0.2001, WARN, 0.2),
        (ABOVE, 0.5, WARN, 0.2),
        (ABOVE, 0.5001, REFUSE, 0.5),
        (ABOVE, float("nan"), REFUSE, 0.5),
        (BELOW, 30.0, ACCEPT, 30.0),
        (BELOW, 29.9, WARN, 30.0),
        (BELOW, 10.0, WARN, 30.0),
        (BELOW, 9.9, REFUSE, 10.0),
        (BELOW, float("nan"), REFUSE, 10.0),
        (Rule("turned", "above", None, 0.5, ""), 0.4, ACCEPT, 0.5),
        (Rule("mirrored", "above", 0.5, None, ""), 0.9, WARN, 0.5),
    ],
)
def test_a_value_is_held_against_both_thresholds(rule, value, outcome, threshold):
    """At a threshold it is still right; beyond, the graver outcome counts; what is no number is refused."""
    found = judge(rule, value)
    assert (found.outcome, found.threshold) == (outcome, threshold)
    assert found.sentence == ("" if outcome == ACCEPT else SENTENCES[rule.name][outcome])


def test_an_empty_report_accepts():
    """Nothing found is nothing wrong."""
    report = CheckReport()
    assert (report.outcome, report.warnings, report.corrections) == (ACCEPT, (), ())
    report.insist()


def test_the_gravest_finding_decides():
    """Accept, then a warning, then a refusal, whatever their order."""
    fine, warned = judge(ABOVE, 0.1), judge(ABOVE, 0.3)
    assert CheckReport((fine,)).outcome == ACCEPT
    assert CheckReport((warned, fine)).outcome == WARN
    report = CheckReport((judge(BELOW, 1.0),)).plus(warned, fine)
    assert report.outcome == REFUSE
    assert report.warnings == (warned.sentence,)
    assert report.plus(warned).warnings == (warned.sentence,)


@pytest.mark.parametrize(
    ("rule", "kind"),
    [
        ("lung area", NoLungsFound),
        ("lung balance", NoLungsFound),
        ("familiarity", UnfamiliarImage),
        ("turned", PictureRefused),
        ("contrast", PictureRefused),
        ("page", PictureRefused),
    ],
)
def test_the_first_refusal_is_raised_by_name(rule, kind):
    """Its sentence says what to do; the class tells which check it was."""
    refused = Finding(rule, REFUSE, SENTENCES[rule][REFUSE], 1.0, 0.5)
    later = Finding("strange", REFUSE, SENTENCES["strange"][REFUSE], 1.0, 0.5)
    with pytest.raises(kind) as raised:
        CheckReport((judge(ABOVE, 0.3), refused, later)).insist()
    assert str(raised.value) == SENTENCES[rule][REFUSE]
    assert isinstance(raised.value, ImageRefused)


@pytest.mark.parametrize("name", SENTENCES)
def test_every_sentence_says_what_to_do(name):
    """Refusals hold an instruction; every outcome is worded; every rule says what it measures."""
    assert name in MEASURES
    assert set(SENTENCES[name]) <= {WARN, REFUSE}
    for outcome, sentence in SENTENCES[name].items():
        assert sentence[0].isupper()
        assert sentence.endswith(".")
        if outcome == REFUSE:
            assert any(word in sentence for word in ("export", "Use the whole", "turn it", "judge it"))


def test_shipped_thresholds_are_worded():
    """Each rule of the specification has a sentence for each threshold, and no sentence is without one."""
    stored = json.loads((CHECK_FOLDER / "spec.json").read_text(encoding="utf-8"))["rules"]
    rules = load_rules(stored)
    assert set(rules) == set(SENTENCES) - {"familiarity"}
    for name, rule in rules.items():
        given = {WARN} if rule.warn is not None else set()
        given |= {REFUSE} if rule.refuse is not None else set()
        assert set(SENTENCES[name]) == given
        assert rule.source


@pytest.mark.parametrize(
    "stored", [{"no rule": {}}, {"turned": {"side": "beside", "warn": 1, "refuse": 1, "source": ""}}]
)
def test_a_damaged_specification_is_noticed(stored):
    """A missing key, an unknown side."""
    with pytest.raises((ValueError, KeyError)):
        load_rules(stored)
