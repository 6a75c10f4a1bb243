"""What the card of an image says, and that its templates become the program's own sentences at any prevalence."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from cxrmodel.checks.report import OUTCOMES, PASSED, REJECTED, WARNING, CheckReport, CheckResult
from cxrmodel.evaluation.nearest import shipped_evidence
from cxrmodel.imaging.repairs import CROP, INVERT, STEPS, Repairs
from cxrmodel.messages import Message, catalogue
from cxrmodel.model.spec import load_spec
from cxrmodel.pipeline import RefusedImage
from cxrmodel.prevalence import EVEN_ODDS, prevalence_percent
from cxrmodel.report.wording import evidence_sentence, facts, reason_for_finding, written
from cxrmodel.web.room.card import card
from cxrmodel.web.room.room import Room
from cxrmodel.web.room.row import Row
from tests.support.rooms import give, settle
from tests.support.stand_ins import FakeReader, fake_reading

IMAGE = np.full((90, 80), 0.5, np.float32)
SPEC = load_spec("densenet121")
PARTS = ("right", "left", "upper", "middle", "lower", "outside")


def row_of(**changes) -> Row:
    """A row with a reading of the shipped model."""
    reading = fake_reading(IMAGE, **{"model": SPEC.version, "operating_points": SPEC.operating_points} | changes)
    return Row("a" * 8, reading.name, 9, "read", reading=reading, read_at=datetime(2026, 1, 2, tzinfo=UTC))


def checked(*results: CheckResult) -> CheckReport:
    """A report on an image."""
    return CheckReport(results)


def result(check: str, outcome: str, repair: str = "", correction: str = "") -> CheckResult:
    """The result of one check."""
    message = None if outcome == PASSED else Message(f"checks.{check}.{outcome}")
    return CheckResult(check, outcome, message, 0.0004, 0.5, correction, repair)


def filled(template: str, words, share) -> str:
    """What the browser makes of a template."""
    values = {"probability": words.shown.probability, **words.shown.thresholds, "share": share}
    return template.format(**values, prevalence=words.prevalence, assumed=words.assumed)


@pytest.mark.parametrize("probability", [0.001, 0.2, 0.97])
@pytest.mark.parametrize("prevalence", [EVEN_ODDS, 0.02, 0.9])
def test_templates_become_the_sentences_of_the_report(probability, prevalence):
    """At another prevalence than the one that the card was made at."""
    row = row_of(probability=probability, finding="uncertain" if probability == 0.2 else "pneumonia")
    made, reading = card(row), row.reading.at(prevalence)
    found = shipped_evidence(reading.model, reading.logit, prevalence)
    words = written(reading, found)
    assert filled(made["reason"], words, words.share) == str(reason_for_finding(reading))
    assert [filled(value, words, words.share) for _, value in made["facts"]] == [str(v) for _, v in facts(reading)]
    assert filled(made["evidence"]["sentence"], words, words.share) == str(evidence_sentence(reading, found))
    numbers = (found.images, found.positives, found.test_share)
    assert tuple(made["evidence"][name] for name in ("images", "positives", "testShare")) == numbers
    text = [filled(line, words, words.share) if follows else line for line, follows in made["text"]]
    assert str(Message("card.text.finding", finding=reading.finding)) in text
    assert any(words.shown.probability in line for line in text)
    assert prevalence_percent(prevalence) in " ".join(text)


def test_words_of_the_browser_match_the_server():
    """Beside a number and as a fact, the browser names a prevalence as the server does."""
    texts = catalogue().texts
    assert texts["card.even_odds"] == texts["reading.even_odds"]
    assert texts["card.prevalence"] == texts["reading.prevalence"]
    assert texts["card.even_odds_value"] == texts["report.fact.even_odds"]


def test_warnings_and_notes_are_apart():
    """First that the image is unlike those of training, with error rates; what was done is no warning."""
    unlike = Message("checks.unlike.clearly", ages="1 to 5 years")
    warning, note = Message("checks.mirroring.warning"), Message("imaging.repair.flip")
    row = row_of()
    found = [CheckResult("other_population", WARNING, unlike, 1.0, 0.5), result("mirroring", WARNING, "flip")]
    row.reading = replace(
        row.reading,
        reasons=(unlike, warning, note),
        check=checked(*found),
        radiograph=replace(row.reading.radiograph, notes=(note,)),
    )
    made = card(row)
    assert made["unlike"][0] == str(unlike)
    assert len(made["unlike"]) == 2
    assert made["warnings"] == [str(warning)]
    assert made["notes"] == [str(note)]
    assert made["shares"]["doubtful"]
    assert row.as_json()["warnings"] == 2
    outcomes = {one["title"]: (one["outcome"], one["value"]) for one in made["checks"]}
    outcome, value = outcomes[str(Message("checks.mirroring.title"))]
    assert outcome == WARNING
    assert "<\u00a00.001" in value
    assert "0.5" in value


def test_an_empty_map_has_no_shares():
    """A faint one has a sentence instead."""
    heat = np.zeros((224, 224), np.float32)
    assert card(row_of(heat=heat, heat_in_lungs=None))["shares"] is None
    heat[100, 60] = 0.01
    assert "faint" in card(row_of(heat=heat, heat_in_lungs=1.0))["shares"]["said"]


@pytest.mark.parametrize(
    ("correction", "withheld"), [("", set()), ("cropped", {CROP}), ("straightened", {CROP}), ("inverted", {INVERT})]
)
def test_repairs_that_would_not_be_seen_are_not_offered(correction, withheld):
    """What a check has corrected stays as it is."""
    row = row_of()
    row.reading = replace(row.reading, check=checked(result("margins", WARNING, correction=correction)))
    assert set(card(row)["repair"]["offered"]) == set(STEPS) - withheld


@pytest.mark.parametrize(
    ("results", "first"),
    [
        ([result("rotation", REJECTED, "rotate_left")], "rotate_left"),
        ([result("projection", REJECTED, "crop"), result("rotation", REJECTED, "rotate_180")], "rotate_180"),
        ([result("ct", REJECTED), result("rotation", REJECTED, "rotate_180")], ""),
        ([result("contrast", REJECTED)], ""),
    ],
)
def test_a_rejected_image_brings_its_checks_and_its_likely_repair(results, first):
    """An orientation before a crop; none for what is no chest X-ray."""
    image = fake_reading(IMAGE).radiograph
    row = Row("a" * 8, "x.png", 9, "refused", refused=RefusedImage(image, checked(*results)), repairs=("flip",))
    made = card(row)
    assert made["repair"] == {"offered": list(STEPS), "first": first, "done": [str(Message("imaging.repair.flip"))]}
    assert [one["outcome"] for one in made["checks"]] == [REJECTED] * len(results)
    assert str(Message("card.fact.size_value", width=80, height=90)) in dict(made["file"]).values()


def test_a_file_that_is_no_image_offers_no_repair():
    """It has a name and nothing else."""
    made = card(Row("a" * 8, "x.txt", 9, "refused"))
    assert made["repair"]["offered"] == made["checks"] == []
    assert dict(made["file"]) == {str(Message("card.fact.name")): "x.txt"}


def test_a_repaired_row_is_read_again(make_image, png):
    """The browser is asked for the file once more; repairs take the place of earlier ones and can be taken back."""
    room = Room("browser")
    room.use(FakeReader())
    data = png(make_image(0, (90, 120)))
    (row_id,) = give(room, ("a.png", data))
    settle(room)
    row, before = room.row(row_id), room.row(row_id).identity
    for steps, shape in ((["rotate_left"], (120, 90)), (["crop:0:0:0.8:1", "invert"], (90, 96)), ([], (90, 120))):
        room.repair(row_id, Repairs.parse(steps))
        assert (row.status, row.wanted, row.reading) == ("waiting", True, None)
        room.reserve(row_id, len(data))
        room.fill(row_id, data)
        settle(room)
        assert row.status == "read"
        assert row.reading.radiograph.pixels.shape == shape
        assert row.as_json()["repairs"] == list(row.repairs) == list(row.reading.radiograph.repairs)
        assert [reason.code for reason in row.reading.reasons] == [note.code for note in Repairs.parse(steps).notes]
        assert (row.identity == before) == (not steps)


def test_every_text_of_the_card_is_used(project):
    """By the scripts in the browser or by the server."""
    folder = project / "assets" / "result"
    scripts = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.js"))
    server = (project / "cxrmodel" / "web" / "room" / "card.py").read_text(encoding="utf-8")
    indirect = {f"step.{step}" for step in STEPS} | {f"share.{name}" for name in PARTS}
    indirect |= {f"outcome.{outcome}" for outcome in OUTCOMES} | {
        "refused",
        "failed",
        "cancelled",
        "waiting",
        "reading",
    }
    names = {code.removeprefix("card.") for code in catalogue().texts if code.startswith("card.")}
    unused = {name for name in names - indirect if f"words.{name}" not in scripts and f'"{name}"' not in server}
    assert unused == set()
    assert indirect <= names
