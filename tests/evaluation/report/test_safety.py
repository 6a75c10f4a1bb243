"""docs/safety.md says what the program does."""

import re

import pytest

from cxrmodel import errors
from cxrmodel.checks.registry import CHECKS
from cxrmodel.checks.report import Rule
from cxrmodel.evaluation.report.safety import MARKS, SAFETY, file_refusals, safety_tables, shipped_tables, update_safety


@pytest.fixture
def text(project) -> str:
    """The document."""
    return (project / "docs" / "safety.md").read_text(encoding="utf-8")


def test_the_tables_are_those_of_the_program(text):
    """Between the marks stands what thresholds, sentences and stored figures give."""
    assert text.split(MARKS[0])[1].split(MARKS[1])[0].strip() == shipped_tables()


def test_no_figure_is_typed_by_hand(text):
    """Outside the tables no share or threshold is stated."""
    prose = text.split(MARKS[0])[0] + text.split(MARKS[1])[1]
    assert re.findall(r"\b0\.\d+|\d(?:\.\d+)? ?%", prose) == []


def test_every_refusal_and_every_sentence_is_there(text):
    """Each class of refusal before the checks by name, each check's sentence word for word."""
    for name, _, _ in file_refusals():
        assert f"| {name} |" in text
    for check in CHECKS:
        for outcome in ("warning", "rejected"):
            assert (f"| {check.name} | {outcome} |" in text) == (check.code(outcome) is not None)


def test_refusals_before_the_checks():
    """All by name but the root and the checks' own."""
    names = {name for name, _, _ in file_refusals()}
    assert {"ColourImage", "EmptyFile", "ImageTooLarge", "ImageTooSmall", "UnsupportedFile"} <= names
    assert not names & {"ImageRefused", "ImageRejected", "NoLungsFound", "OutOfDistribution", "Busy", "CxrError"}
    assert names <= set(errors.__all__)


def test_rates_by_hand():
    """One image of eight warned of, two refused; a rule that only refuses says nothing of warnings."""
    row = {"name": "test", "description": "made up", "images": 8, "read": 6, "warned": 1, "refused": 2}
    row |= {"by_rule": {"clipping": 2}, "warned_by_rule": {"clipping": 1}}
    evaluation = type("Made", (), {"sections": {"checks": {"sets": [row], "polarity": POLARITY}}})
    rules = {
        "clipping": Rule(side="above", warning=0.2, rejection=0.5, source="made up"),
        "rotation": ROTATION,
    }
    lines = safety_tables(rules, evaluation).splitlines()
    clipped = next(line for line in lines if line.startswith("| clipping | share"))
    assert "| over 0.2 | over 0.5 | made up | W 12.5, R 25.0 | not measured |" in clipped
    turned = next(line for line in lines if line.startswith("| rotation | probability"))
    assert "|  | over 0.75 | made up | R 0.0 |" in turned
    assert "| test | made up | 8 | 2 (25.0 %) | 6 (75.0 %) | 1 |" in lines
    assert "at most 0.0012" in lines[-1]


ROTATION = Rule(side="above", warning=None, rejection=0.75, source="made up")
POLARITY = {"images": 9, "compared": 8, "max_difference": 0.00123}


def test_without_figures_it_says_so():
    """Thresholds stand alone."""
    tables = safety_tables({"rotation": ROTATION}, None)
    assert tables.endswith("Not measured yet.")
    assert "over 0.75" in tables


def test_writing_twice_changes_nothing(tmp_path):
    """A document is changed once, and only between its marks."""
    path = tmp_path / "safety.md"
    path.write_text(f"before\n{MARKS[0]}\nearlier words\n{MARKS[1]}\nafter\n", encoding="utf-8")
    assert update_safety(path)
    assert not update_safety(path)
    text = path.read_text(encoding="utf-8")
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "earlier words" not in text
    assert SAFETY.name == path.name
