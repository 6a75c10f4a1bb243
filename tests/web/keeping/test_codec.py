"""A row that was kept says everything that it said before, without its image."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from cxrmodel.checks.report import PASSED, REJECTED, WARNING, CheckReport, CheckResult
from cxrmodel.imaging.dicom.attributes import Attribute, Attributes
from cxrmodel.imaging.radiograph import Radiograph
from cxrmodel.imaging.repairs import INVERT
from cxrmodel.messages import Message
from cxrmodel.model.spec import load_spec
from cxrmodel.paths import ASSETS
from cxrmodel.pipeline import RefusedImage
from cxrmodel.store.packing import pack, unpack
from cxrmodel.web.keeping.codec import entry_of, row_of
from cxrmodel.web.room.card import card
from cxrmodel.web.room.row import Row
from tests.support.stand_ins import fake_reading

IMAGE = np.full((90, 80), 0.5, np.float32)
SPEC = load_spec("densenet121")
CHECKS = CheckReport(
    (
        CheckResult("contrast", PASSED, None, float("nan"), None),
        CheckResult("tilt", WARNING, Message("web.room.full", rows=7), 7.5, 6.0, "straightened"),
        CheckResult("inverted_greyscale", REJECTED, Message("web.room.cancelled"), 0.9, 0.5, "", INVERT),
    )
)
DICOM = Radiograph(
    IMAGE,
    "a.dcm",
    "0" * 64,
    "DICOM",
    12,
    (Message("common.or", first=Message("common.word", word="x"), last="y"),),
    view_position="PA",
    pixel_spacing=(0.14, 0.15),
    spacing_from="imager",
    age_years=4.5,
    stored_range=(0, 4095),
    study_uid="1.2.3",
)
ATTRIBUTES = Attributes(
    (
        Attribute("(0010,0020)", "Patient ID", "P1", True),
        Attribute("(0010,0021)", "Issuer of Patient ID", "A", True),
        Attribute("(0020,000D)", "Study Instance UID", "1.2.3", True),
    )
)


def read(**changes) -> Row:
    """A row with a reading of the shipped model."""
    reading = fake_reading(IMAGE, **{"model": SPEC.version, "operating_points": SPEC.operating_points} | changes)
    when = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
    return Row("a" * 8, reading.name, 9, "read", reading=reading, read_at=when, identity=reading.radiograph.identity)


def refused(image: Radiograph) -> Row:
    """A row that a check refused."""
    reason = Message("web.room.cancelled")
    row = Row("a" * 8, image.name, 9, "refused", refused=RefusedImage(image, CHECKS), reason=reason)
    row.read_at, row.identity = datetime(2026, 1, 2, tzinfo=UTC), image.identity
    return row


def kept(row: Row) -> Row:
    """The row after it was stored."""
    entry = entry_of(row, with_images=False)
    return row_of(
        replace(entry, result=json.loads(json.dumps(entry.result)), reason=json.loads(json.dumps(entry.reason)))
    )


ROWS = {
    "read": read(),
    "uncertain": read(probability=0.5, finding="uncertain", heat_in_lungs=0.2),
    "empty map": read(heat=np.zeros((224, 224), np.float32), heat_in_lungs=None),
    "at another prevalence": read(),
    "noted": replace(read(), seen=True, mark="agree", note="\u202eלום", repairs=("invert",)),
    "refused": refused(replace(DICOM, name="b.png", notes=())),
    "failed": Row("b" * 8, "c.png", 3, "failed", reason=Message("web.room.lost")),
    "cancelled": Row("b" * 8, "c.png", 3, "cancelled", reason=Message("web.room.cancelled")),
}
ROWS["at another prevalence"].reading = ROWS["read"].reading.at(0.02)


@pytest.mark.parametrize("name", ROWS)
def test_a_kept_row_says_the_same(name):
    """Its card, its line in the list and its numbers; only the image is gone, and with it what needs one."""
    row, back = ROWS[name], kept(ROWS[name])
    without = ("released", "gone", "hasImage", "thumb", "wanted", "version", "outcome")
    said = {key: value for key, value in row.as_json().items() if key not in without}
    assert {key: value for key, value in back.as_json().items() if key not in without} == said
    assert not back.has_image
    if row.status in ("read", "refused"):
        assert back.is_gone
        before = card(row) | {"repair": None}
        assert card(back)["repair"]["offered"] == []
        assert card(back) | {"repair": None} == before
    if row.reading:
        assert back.reading.as_record(row.name) == row.reading.as_record(row.name)


def test_checks_and_metadata_come_back():
    """Every field; a measure that is no number is one no more."""
    reading = fake_reading(IMAGE, radiograph=DICOM, check=CHECKS)
    back = kept(Row("a" * 8, "a.dcm", 9, "read", reading=reading, identity="0" * 64)).reading
    for name in ("sha256", "file_format", "bits", "notes", "inverted", *vars(DICOM)):
        if name != "pixels":
            assert getattr(back.radiograph, name) == getattr(DICOM, name)
    assert back.radiograph.pixels.shape == IMAGE.shape
    assert np.isnan(back.check.results[0].value)
    assert back.check.results[1:] == CHECKS.results[1:]


def test_only_what_forgetting_needs_is_taken_from_the_tags():
    """And small pictures only with the file."""
    row = replace(read(), attributes=ATTRIBUTES, thumbnail="data:x", has_file=True)
    entry = entry_of(row, with_images=True)
    assert (entry.patient_id, entry.issuer, entry.study_uid) == ("P1", "A", "1.2.3")
    assert entry.thumbnail == "data:x"
    assert entry_of(row, with_images=False).thumbnail is None
    assert entry_of(replace(row, has_file=False), with_images=True).thumbnail is None
    assert kept(row).attributes is None


@pytest.mark.parametrize("status", ["waiting", "reading"])
def test_what_was_not_read_yet_waits_again(status):
    """Its file is asked for once more."""
    assert kept(Row("a" * 8, "x.png", 3, status)).status == "waiting"


def test_a_demo_image_is_found_again():
    """It comes with the program, so that it is never gone."""
    path = min((ASSETS / "demo").glob("*.png"))
    assert kept(replace(read(), demo=path)).demo == path
    assert not kept(replace(read(), demo=path)).is_gone
    assert kept(replace(read(), demo=Path("none.png"))).demo is None


@pytest.mark.parametrize(
    "changes",
    [
        {"reason": pack(Message("of.another.version"))},
        {"result": {"image": {}}},
        {"status": "read", "result": {"reading": None}},
    ],
)
def test_what_another_version_wrote_is_refused(changes):
    """Before a page draws it."""
    with pytest.raises((ValueError, KeyError)):
        row_of(replace(entry_of(read(), with_images=False), **changes))


def test_a_message_comes_back_equal():
    """With messages and tuples inside."""
    message = Message("a.b", count=1, share=0.5, flag=True, none=None, text="x", parts=(Message("c.d", n=2), "y"))
    assert unpack(json.loads(json.dumps(pack(message)))) == message
