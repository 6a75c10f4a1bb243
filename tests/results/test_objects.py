"""Result objects: which there are, their UIDs and bytes, and what refers to what."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from cxrmodel.errors import (
    ImageRejected,
    NotAnImage,
    ResultRefused,
    UnreadableFile,
    WrongBodyPart,
    WrongModality,
    WrongView,
)
from cxrmodel.imaging.dicom.own_results import MANUFACTURER, MODEL_NAME, is_own_uid
from tests.results.conftest import MADE_AT
from tests.support.stand_ins import SPEC, fake_reading

REJECTED = ImageRejected("imaging.empty")


def uids(made) -> dict[str, str]:
    """SOP instance UID by kind."""
    return {kind: result.uid for kind, result in made.items()}


def test_the_same_input_gives_the_same_bytes(results):
    first, second = results(), results()
    assert first == second
    assert set(first) == {"sr", "sc"}


def test_threads_do_not_disturb_each_other(results):
    """A worker makes the results of several images at one time."""
    alone = results()
    with ThreadPoolExecutor(4) as pool:
        assert all(made == alone for made in pool.map(lambda _: results(), range(12)))


def test_at_another_time_only_times_differ(results, parsed):
    now, later = results(), results(made_at=MADE_AT + timedelta(days=1, seconds=1))
    assert uids(now) == uids(later)
    for kind in now:
        other = parsed(later[kind])
        changed = {element.keyword for element in parsed(now[kind]) if element != other.get(element.tag)}
        times = {"ContentDate", "ContentTime", "InstanceCreationDate", "InstanceCreationTime"}
        times |= {"ContributingEquipmentSequence"}
        captured = {"DateOfSecondaryCapture", "TimeOfSecondaryCapture"}
        assert changed == (times | captured if kind == "sc" else times)


@pytest.mark.parametrize(
    "change",
    [
        lambda results, file, pixels: results(dicom=file(SOPInstanceUID="1.2.3.4.6")),
        lambda results, file, pixels: results(prevalence=0.2),
        lambda results, file, pixels: results(fake_reading(pixels), spec=SPEC.replace(version="densenet121 other")),
    ],
    ids=["image", "prevalence", "model"],
)
def test_another_image_model_or_prevalence_gives_other_uids(results, file, pixels, change):
    known, others = uids(results()), uids(change(results, file, pixels))
    assert len({*known.values(), *others.values()}) == 4


def test_every_uid_of_a_result_is_known_as_its_own(results, parsed):
    for result in results().values():
        written = parsed(result)
        assert result.uid == written.SOPInstanceUID == written.file_meta.MediaStorageSOPInstanceUID
        assert result.sop_class == written.SOPClassUID == written.file_meta.MediaStorageSOPClassUID
        assert all(map(is_own_uid, (result.uid, written.SeriesInstanceUID, written.DeviceUID)))
        assert all(len(uid) <= 64 for uid in (result.uid, written.SeriesInstanceUID))
        assert (written.Manufacturer, written.ManufacturerModelName) == (MANUFACTURER, MODEL_NAME)
    assert not any(map(is_own_uid, ("", "1.2.3", "2.25.1", "2.25." + "9" * 39, "2.25.12x")))


def test_kinds_are_made_in_the_order_asked_for(results):
    assert list(results(kinds=("sc", "sr"))) == ["sc", "sr"]
    assert list(results(kinds=("sr",))) == ["sr"]
    with pytest.raises(ValueError, match="kinds"):
        results(kinds=("pdf",))


@pytest.mark.parametrize("refusal", [REJECTED, WrongView("imaging.dicom.damaged"), UnreadableFile("imaging.empty")])
def test_an_image_that_was_not_read_has_a_report_alone(results, refusal):
    assert list(results(refusal)) == ["sr"]


@pytest.mark.parametrize("kind", [NotAnImage, WrongModality, WrongBodyPart])
def test_what_is_no_chest_radiograph_gets_nothing(results, kind):
    assert results(kind("imaging.dicom.wrong_modality")) == {}


@pytest.mark.parametrize("keyword", ["StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID"])
@pytest.mark.parametrize("value", [None, "", "1.2.x"])
def test_without_a_uid_to_refer_to_there_is_no_result(results, file, keyword, value):
    with pytest.raises(ResultRefused) as refused:
        results(dicom=file("implicit", meta=False, **{keyword: value}))
    assert refused.value.message.code == "results.missing_uid"
    assert refused.value.message.values == {"attribute": keyword}


@pytest.mark.parametrize(("data", "code"), [(b"\x89PNG\r\n", "results.not_dicom"), (b"", "results.not_dicom")])
def test_what_is_no_dicom_file_gets_no_result(results, data, code):
    with pytest.raises(ResultRefused) as refused:
        results(dicom=data)
    assert refused.value.message.code == code


@pytest.mark.parametrize(("offset", "written"), [("+0530", "103607"), ("-0330", "013607"), (None, None)])
def test_times_are_written_as_the_image_writes_them(results, parsed, file, offset, written):
    """A time beside a stated offset must be of that offset, else it would be read as another one."""
    elements = {"TimezoneOffsetFromUTC": offset} if offset else {}
    for result in results(dicom=file(**elements)).values():
        made = parsed(result)
        assert made.get("TimezoneOffsetFromUTC") == offset
        assert str(made.ContentTime) == (written or MADE_AT.astimezone().strftime("%H%M%S"))


@pytest.mark.parametrize("offset", ["+9900", "-2400", "+0960", "100"])
def test_an_offset_that_is_none_does_not_keep_an_image_from_its_results(results, parsed, file, offset):
    """It is copied as it stands, and times are those of this machine."""
    for result in results(dicom=file(TimezoneOffsetFromUTC=offset)).values():
        made = parsed(result)
        assert made.TimezoneOffsetFromUTC == offset
        assert str(made.ContentTime) == MADE_AT.astimezone().strftime("%H%M%S")
