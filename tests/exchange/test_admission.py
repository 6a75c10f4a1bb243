"""What is read of a header, what the filters exclude, and what is done first."""

import logging
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest

from cxrmodel.configuration.schema import FilterSection
from cxrmodel.errors import EmptyFile, ImageRefused, UnreadableFile, UnsupportedFile
from cxrmodel.exchange.admission import Admission, Outcome, Receipt
from cxrmodel.exchange.filters import FILTERS, why_skipped
from cxrmodel.exchange.image_header import ImageHeader, read_image_header, refuse_incomplete
from cxrmodel.messages import Message, catalogue
from tests.exchange.conftest import image, key
from tests.support.dicom_files import IDENTIFIERS


@pytest.mark.parametrize("syntax", ["implicit", "explicit", "big endian", "deflated"])
def test_the_header_says_which_image_it_is(syntax):
    """In every encoding."""
    data = image(syntax=syntax, StationName="XR1", IssuerOfPatientID="HOSPITAL", PatientAge="018M")
    header = read_image_header(data, "0" * 64)
    assert header == ImageHeader(
        key=key(),
        dicom=True,
        sop_class="1.2.840.10008.5.1.4.1.1.1",
        study_uid="1.2.826.0.1.1.1",
        series_uid="1.2.826.0.1.1.2",
        patient_id="P1",
        issuer="HOSPITAL",
        accession="A1",
        modality="CR",
        body_part="CHEST",
        station="XR1",
        age_years=1.5,
    )


def test_accents_and_spaces_of_identifiers_are_kept_apart():
    """The character set of the file counts; padding does not."""
    header = read_image_header(image(SpecificCharacterSet="ISO_IR 100", PatientID=" Ä1 "), "0" * 64)
    assert header.patient_id == "Ä1"


@pytest.mark.parametrize(
    ("elements", "stored", "patient"),
    [({}, b"47\0\0-PID", "47-PID"), ({"SpecificCharacterSet": "utf-7"}, b"\x1b+2AA-PI", "\x1b+2AA-PI")],
    ids=["NUL", "half a character"],
)
def test_text_that_no_database_can_hold_stops_no_inbox(elements, stored, patient, admission, rows):
    """PostgreSQL has no text with a NUL, and no database one with a surrogate."""
    data = image(PatientID="4711-PID", **elements).replace(b"4711-PID", stored)
    assert read_image_header(data, "0" * 64).patient_id == patient
    assert admission.deliver(data, "pacs").outcome is Outcome.RECEIVED
    assert len(rows()) == 1


def test_a_picture_is_known_by_its_checksum(demo_image):
    """It states nothing else."""
    assert read_image_header(demo_image, "a" * 64) == ImageHeader(key=f"sha256:{'a' * 64}", dicom=False)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", EmptyFile),
        (b"nothing that is known", UnsupportedFile),
        (image(SOPInstanceUID="DOE"), UnreadableFile),
        (image(SOPInstanceUID=None), UnreadableFile),
        (image()[:140], UnsupportedFile | UnreadableFile),
    ],
)
def test_what_cannot_be_told_is_refused(admission, rows, data, kind):
    """Nothing is recorded of it by itself."""
    with pytest.raises(kind.__args__ if hasattr(kind, "__args__") else kind):
        admission.deliver(data, "inbox")
    assert rows() == []


@pytest.mark.parametrize("syntax", ["explicit", "implicit", "deflated", "JPEG-LS lossless"])
def test_a_damaged_file_is_refused_or_read_and_nothing_else(syntax):
    """Whatever bytes come from the network."""
    rng, whole = np.random.default_rng(0), image(syntax=syntax)
    for _ in range(100):
        damaged = bytearray(whole[: rng.integers(1, len(whole))] if rng.random() < 0.3 else whole)
        for place in rng.integers(0, min(len(damaged), 1200), rng.integers(1, 6)):
            damaged[place] = rng.integers(0, 256)
        for read in (lambda data: read_image_header(data, "0" * 64), refuse_incomplete):
            with suppress(ImageRefused):
                read(bytes(damaged))


HEADER = ImageHeader(
    key="1.2", dicom=True, patient_id="P", modality="CR", body_part="CHEST", station="XR1", age_years=3.0
)


@pytest.mark.parametrize(
    ("changes", "settings", "code"),
    [
        ({}, {}, None),
        ({"modality": "CT"}, {}, "modality"),
        ({"modality": "dx"}, {}, None),
        ({"modality": ""}, {}, None),
        ({"modality": "CT"}, {"modalities": ()}, None),
        ({"patient_id": ""}, {}, "patient_id"),
        ({"patient_id": ""}, {"needs_patient_id": False}, None),
        ({"patient_id": "", "modality": "", "dicom": False}, {}, None),
        ({}, {"body_parts": ("HAND",)}, "body_part"),
        ({}, {"body_parts": ("hand", " chest ")}, None),
        ({"body_part": ""}, {"body_parts": ("CHEST",)}, None),
        ({}, {"stations": ("XR2",)}, "station"),
        ({"station": ""}, {"stations": ("XR2",)}, None),
        ({}, {"least_age_years": 3.0, "most_age_years": 3.0}, None),
        ({}, {"least_age_years": 3.1}, "age"),
        ({}, {"most_age_years": 2.9}, "age"),
        ({"age_years": None}, {"most_age_years": 2.9}, None),
    ],
)
def test_filters(changes, settings, code):
    """What a header does not state passes."""
    assert why_skipped(replace(HEADER, **changes), FilterSection(**settings)) == (
        code and Message(f"exchange.skipped.{code}")
    )


def test_what_an_object_is_counts_before_the_filters():
    """A report is named as a report."""
    report = Message("imaging.dicom.object.report")
    header = ImageHeader(key="1.2", dicom=True, modality="SR", other=report)
    assert why_skipped(header, FilterSection()) == report


def test_every_filter_has_words():
    """A skipped image always has a reason."""
    assert [one.name for one in FILTERS if f"exchange.skipped.{one.name}" not in catalogue().texts] == []


def test_an_image_is_received_then_known(admission, rows):
    """By its UID, whatever else a second copy says."""
    assert admission.deliver(image(), "inbox") == Receipt(Outcome.RECEIVED)
    assert admission.deliver(image(PatientID="OTHER"), "inbox") == Receipt(Outcome.KNOWN)
    assert len(rows()) == 1


def test_a_new_version_of_the_model_reads_again(store, admission, rows):
    """The same file, another job."""
    admission.deliver(image(), "inbox")
    newer = Admission(store, "newer", FilterSection())
    assert newer.deliver(image(), "inbox") == Receipt(Outcome.RECEIVED)
    assert [row.key for row in rows()] == [key(), key()]


def test_the_file_is_on_disk_before_the_store_knows_it(admission, store, monkeypatch):
    """And the store knows it before anything is acknowledged."""
    steps = []
    keep, receive = store.files.keep, store.receive
    monkeypatch.setattr(store.files, "keep", lambda data: (keep(data), steps.append("file"))[0])
    monkeypatch.setattr(store, "receive", lambda *given, **named: (receive(*given, **named), steps.append("job"))[0])
    admission.deliver(image(), "inbox")
    assert steps == ["file", "job"]


def test_no_identity_in_logs_reasons_and_representations(admission, caplog):
    """Neither of what is taken in nor of what is not."""
    with caplog.at_level(logging.DEBUG):
        receipts = [
            admission.deliver(image(1, PatientID=IDENTIFIERS[1]), "inbox"),
            admission.deliver(image(2, PatientID=IDENTIFIERS[1], Modality="CT"), "inbox"),
        ]
        with pytest.raises(UnreadableFile) as caught:
            admission.deliver(image(3, PatientID=IDENTIFIERS[1]), "inbox", expected="1.2.3")
    header = read_image_header(image(PatientID=IDENTIFIERS[1]), "0" * 64)
    said = (
        caplog.text + repr(receipts) + "".join(str(one.reason) for one in receipts) + str(caught.value) + repr(header)
    )
    assert [one for one in (*IDENTIFIERS, key(1), key(2), "A1") if one in said] == []
