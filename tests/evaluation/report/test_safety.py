"""The safety tables hold every refusal, every check and the measured rates."""

from types import SimpleNamespace

from cxrmodel import errors
from cxrmodel.checks.registry import CHECKS
from cxrmodel.checks.report import Rule
from cxrmodel.evaluation.audits.schema import CheckSet, Inversion
from cxrmodel.evaluation.report.safety import refusals, safety_text
from cxrmodel.messages import Message

CLIPPING = Rule(side="above", warning=0.2, rejection=0.5, source="made up")
ROTATION = Rule(side="above", warning=None, rejection=0.75, source="made up")


def rows_of(text: str, check: str) -> list[list[str]]:
    """Cells of the rows of a check, after its title."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()]
    return [row[1:] for row in rows if row[0] == str(Message(CHECKS[check].title))]


def test_refusals_before_the_checks():
    """All of them by name, without the base class and the refusals of the checks."""
    names = set(refusals())
    assert {"ColourImage", "EmptyFile", "ImageTooLarge", "ImageTooSmall", "UnsupportedFile"} <= names
    assert not names & {"ImageRefused", "ImageRejected", "NoLungsFound", "CxrError"}
    assert names <= set(errors.__all__)


def test_rates_by_hand(make_spec):
    """Of eight images one is warned and two are rejected; a check that gave no result anywhere has no rate."""
    counts = {"images": 8, "read": 6, "warned": 1, "rejected": 2}
    row = CheckSet(
        name="test", **counts, measured=("clipping", "rotation"), rejected_by={"clipping": 2}, warned_by={"clipping": 1}
    )
    inversion = Inversion(images=9, compared=8, max_difference=0.00123)
    evaluation = SimpleNamespace(checks=SimpleNamespace(sets=(row,), inversion=inversion))
    text = safety_text({"clipping": CLIPPING, "rotation": ROTATION, "contrast": CLIPPING}, make_spec(), evaluation)
    assert rows_of(text, "clipping")[0][1:] == ["over 0.2", "over 0.5", "made up", "W 12.5, R 25.0"]
    assert rows_of(text, "rotation")[0][1:] == ["", "over 0.75", "made up", "R 0.0"]
    assert rows_of(text, "contrast")[0][-1] == str(Message("explanations.not_measured"))
    assert f"| {row.title} | {row.description} | 8 | 2 (25.0\u00a0%) | 6 (75.0\u00a0%) | 1 |  |" in text.splitlines()


def test_without_figures_the_thresholds_stand_alone(make_spec):
    """Each outcome has its message, and no rate is given."""
    thresholds, message = rows_of(safety_text({"rotation": ROTATION}, make_spec(), None), "rotation")
    assert thresholds[1:] == ["", "over 0.75", "made up"]
    assert message[0] == "rejected"
