"""The safety tables hold every refusal, every check and the measured rates."""

from types import SimpleNamespace

from cxrmodel import errors
from cxrmodel.checks.report import Rule
from cxrmodel.evaluation.audits.schema import CheckSet, Inversion
from cxrmodel.evaluation.report.render import render
from cxrmodel.evaluation.report.safety import refusals, safety_context

CLIPPING = Rule(side="above", warning=0.2, rejection=0.5, source="made up")
ROTATION = Rule(side="above", warning=None, rejection=0.75, source="made up")


def test_refusals_before_the_checks():
    """All by name but the root and the checks' own."""
    names = {refusal.name for refusal in refusals()}
    assert {"ColourImage", "EmptyFile", "ImageTooLarge", "ImageTooSmall", "UnsupportedFile"} <= names
    assert not names & {"ImageRefused", "ImageRejected", "NoLungsFound", "OutOfDistribution", "Busy", "CxrError"}
    assert names <= set(errors.__all__)


def test_rates_by_hand(make_spec):
    """One image of eight warned of, two rejected; a check that only rejects has no rate of warnings."""
    counts = {"images": 8, "read": 6, "warned": 1, "rejected": 2}
    row = CheckSet(name="test", **counts, rejected_by={"clipping": 2}, warned_by={"clipping": 1})
    inversion = Inversion(images=9, compared=8, max_difference=0.00123)
    evaluation = SimpleNamespace(checks=SimpleNamespace(sets=(row,), inversion=inversion))
    context = safety_context({"clipping": CLIPPING, "rotation": ROTATION}, make_spec(), evaluation)
    clipping, rotation = context.checks
    assert (clipping.warning, clipping.rejection) == ("over 0.2", "over 0.5")
    assert clipping.rates == ("W 12.5, R 25.0",)
    assert (rotation.warning, rotation.rejection, rotation.rates) == ("", "over 0.75", ("R 0.0",))
    lines = render("safety_tables.md.j2", context).splitlines()
    assert f"| {row.title} | {row.description} | 8 | 2 (25.0\u00a0%) | 6 (75.0\u00a0%) | 1 |" in lines


def test_without_figures_the_thresholds_stand_alone(make_spec):
    """And each outcome with its message."""
    context = safety_context({"rotation": ROTATION}, make_spec(), None)
    assert context.collections == ()
    assert context.checks[0].rates == ()
    assert [outcome for outcome, _ in context.checks[0].messages] == ["rejected"]
