"""One entry in the registry is all that a check needs."""

import json

import pytest

from cxrmodel.checks.check import Check, Stage
from cxrmodel.checks.registry import CHECKS
from cxrmodel.checks.report import REJECTED, WARNING, Rule
from cxrmodel.cli import main as command_line
from cxrmodel.errors import ImageRejected
from cxrmodel.evaluation.audits.checks import tally
from cxrmodel.evaluation.report.safety import shipped_safety_text
from cxrmodel.messages import Message, catalogue
from cxrmodel.reading import Reader
from cxrmodel.web.components.viewer import badges_of


def toy(rejection: float | None = None) -> Check:
    """A check that measures the height of an image, and warns of or rejects every one."""
    return Check(
        "toy",
        Stage.IMAGE,
        lambda image: image.size[0],
        warning="checks.toy.warning",
        rejection="checks.toy.rejected",
        rule=lambda model: Rule(side="above", warning=0.0, rejection=rejection, source="made up"),
        values=lambda image: {"height": image.size[0]},
    )


@pytest.fixture(autouse=True)
def _texts(monkeypatch):
    """Texts of the toy check."""
    for name, text in {"title": "Toy", "measures": "height", "warning": "{height}!", "rejected": "{height}?"}.items():
        monkeypatch.setitem(catalogue().texts, f"checks.toy.{name}", text)


def test_a_registered_check_reaches_reading_evaluation_page_and_documents(demo_image):
    """Its warning is a reason, a badge, a count and a row."""
    with CHECKS.extended(toy()):
        reader = Reader.load("cnn")
        reading = reader.read(demo_image, "image")
        message = Message("checks.toy.warning", height=reading.radiograph.pixels.shape[0])
        assert message in reading.check.warnings
        assert message in reading.reasons
        assert "checks.toy.warning" in reading.as_record("image").codes
        assert ("Toy", str(message)) in badges_of((), reading.check)
        counted = tally("hand", [reader.examine(lambda: demo_image, "image")])
        assert counted.warned_by["toy"] == counted.images == 1
        assert f"| {Message('checks.toy.title')} | " in shipped_safety_text()
    assert "toy" not in CHECKS


def test_a_registered_check_rejects(demo_image):
    """With its own message."""
    with CHECKS.extended(toy(rejection=1.0)):
        reader = Reader.load("cnn")
        with pytest.raises(ImageRejected) as raised:
            reader.read(demo_image, "image")
        assert raised.value.message.code == "checks.toy.rejected"
        report, _ = reader.examine(lambda: demo_image, "image")
        assert {result.check: result.outcome for result in report.results}["toy"] == REJECTED


def test_the_command_line_gives_its_code(project, capsys):
    """``read --json`` picks it up."""
    demo = next((project / "assets" / "demo").glob("*.png"))
    with CHECKS.extended(toy()):
        assert command_line.main(["read", "--json", "--model", "cnn", str(demo)]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert "checks.toy.warning" in json.loads(line)["codes"]


def test_registered_checks_have_unique_stages_in_order():
    """Checks run stage by stage, whatever their order in the registry; the order within a stage is the registry's."""
    stages = [check.stage for check in CHECKS]
    assert stages == sorted(stages, key=list(Stage).index)
    assert toy().code(WARNING) == "checks.toy.warning"
