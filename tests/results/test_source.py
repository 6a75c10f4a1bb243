"""Whose a result is: patient and study exactly as the image has them, whoever wrote it."""

from contextlib import suppress
from io import BytesIO

import numpy as np
import pydicom
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydicom.datadict import dictionary_VR, keyword_for_tag, tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from cxrmodel.errors import ResultRefused
from cxrmodel.imaging.dicom.dataset import open_data_set
from cxrmodel.imaging.dicom.parser import PIXEL_DATA
from cxrmodel.results.encoding import encode
from cxrmodel.results.source import REQUIRED, STUDY_ELEMENTS, encode_element, read_source
from tests.support.dicom_files import NATIVE, dicom

STORED = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64)
TEXTS = ("PatientName", "PatientID", "IssuerOfPatientID", "OtherPatientNames", "AccessionNumber", "StudyDescription")


def raw_values(data: bytes) -> dict[str, bytes]:
    """Values of all elements but the pixels as they are stored, by keyword; of sequences nothing."""
    opened = open_data_set(data)
    return {
        keyword_for_tag(tag): opened.parser.raw(element, 2**16).value
        for tag, element in opened.elements.items()
        if tag != PIXEL_DATA and keyword_for_tag(tag) and dictionary_VR(tag) != "SQ"
    }


def with_values(data: bytes, values: dict[str, bytes]) -> bytes:
    """A file in explicit little endian with these values, whatever they are, in place of its own."""
    opened = open_data_set(data)
    ends = [element.end for element in opened.elements.values()]
    start = data.index(b"\x08\x00")
    places = zip([start, *ends], ends, opened.elements, strict=False)
    parts = {tag: data[begin:end] for begin, end, tag in places}
    for keyword, value in values.items():
        tag = tag_for_keyword(keyword)
        parts[tag] = encode_element(tag, dictionary_VR(tag), value)
    return data[:start] + b"".join(parts[tag] for tag in sorted(parts))


def of_result(image: bytes) -> bytes:
    """The smallest result of an image: an object with nothing of its own."""
    own = Dataset()
    own.file_meta = pydicom.dataset.FileMetaDataset()
    own.file_meta.MediaStorageSOPClassUID = own.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    own.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    own.SOPClassUID = own.SOPInstanceUID = "1.2.3"
    own.PatientName, own.PatientID, own.StudyInstanceUID = "ANOTHER", "9", "9.9"
    return encode(own, read_source(image))


pytestmark = pytest.mark.filterwarnings("ignore:Unknown encoding:UserWarning")
ANY_TEXT = st.binary(max_size=60).map(lambda value: value + b" " * (len(value) % 2))


@given(st.fixed_dictionaries({}, optional=dict.fromkeys((*TEXTS, "SpecificCharacterSet"), ANY_TEXT)))
@example({"PatientName": b"", "PatientID": b"", "AccessionNumber": b""})
@example({"SpecificCharacterSet": b"ISO_IR 192", "PatientName": "Ωμέγα^Ж=山田^太郎=やまだ".encode() + b" "})
@example(
    {"SpecificCharacterSet": b"\\ISO 2022 IR 87 ", "PatientName": b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B"}
)
@example({"SpecificCharacterSet": b"no such set ", "PatientName": b"M\xfcller^J\xf6rg ", "PatientID": b"4711\\12 "})
@example({"PatientID": b"A^B=C\x00", "PatientName": b"a" * 60})
def test_identity_is_copied_byte_for_byte(values):
    """In any character set, stated or not, even values that no character set explains."""
    image = with_values(dicom(STORED), values)
    before, after = raw_values(image), raw_values(of_result(image))
    assert {keyword: after[keyword] for keyword in values} == values
    for keyword in (*REQUIRED, "StudyInstanceUID"):
        assert (after[keyword] or b"") == (before.get(keyword) or b"")


def nested(depth: int = 0) -> Dataset:
    """An item as archives nest them: codes, numbers of two and four bytes, a private element, a further sequence."""
    item = Dataset()
    item.PatientID, item.IssuerOfPatientID, item.TypeOfPatientID = "B-2", "CLINIC", "TEXT"
    item.Rows, item.SelectorATValue, item.SelectorFDValue = 513, 0x00100020, 0.1
    item.add_new(0x00990010, "LO", "maker")
    item.add_new(0x00991001, "LO", "private")
    if depth < 3:
        item.IssuerOfPatientIDQualifiersSequence = Sequence([nested(depth + 1), Dataset()])
    return item


@pytest.mark.parametrize("syntax", NATIVE)
@pytest.mark.parametrize("undefined", [False, True])
def test_sequences_are_copied_from_every_encoding(syntax, undefined):
    """Of stated or undefined length, in either byte order, empty ones too."""
    sequences = {
        "OtherPatientIDsSequence": Sequence([nested()]),
        "IssuerOfAccessionNumberSequence": Sequence([]),
        "ReferencedStudySequence": Sequence([Dataset()]),
    }
    for sequence in sequences.values():
        for item in sequence:
            item.is_undefined_length_sequence_item = undefined
    made = Dataset()
    for keyword, value in sequences.items():
        setattr(made, keyword, value)
        made[keyword].is_undefined_length = undefined
    image = dicom(STORED, syntax, raw=[(element.tag, "SQ", element.value) for element in made])
    result = pydicom.dcmread(BytesIO(of_result(image)))
    expected = pydicom.dcmread(BytesIO(image))
    for keyword, value in sequences.items():
        assert len(result[keyword].value) == len(value)
    for public in (result, expected):
        public.remove_private_tags()
    for keyword in sequences:
        assert result[keyword].value == expected[keyword].value


@pytest.mark.parametrize("syntax", NATIVE)
def test_all_of_patient_and_study_is_copied_and_nothing_else(syntax):
    elements = {
        "PatientBirthTime": "010203",
        "EthnicGroup": "x",
        "PatientComments": "kept",
        "MilitaryRank": "kept",
        "PatientSize": "1.1",
        "ClinicalTrialProtocolID": "T",
        "StudyID": "S",
        "ReferringPhysicianName": "REF^ER",
        "TimezoneOffsetFromUTC": "+0100",
    }
    elsewhere = {"InstitutionName": "I", "StationName": "S", "SeriesDescription": "D", "ProtocolName": "P"}
    image = dicom(STORED, syntax, **elements, **elsewhere, raw=[(0x00110010, "LO", "maker"), (0x00111001, "LO", "x")])
    source, result = pydicom.dcmread(BytesIO(image)), pydicom.dcmread(BytesIO(of_result(image)))
    copied = {e.keyword for e in source if e.keyword in STUDY_ELEMENTS or e.tag.group in (0x10, 0x12)}
    assert set(elements) <= copied
    assert {keyword: result[keyword].value for keyword in copied} == {k: source[k].value for k in copied}
    assert {e.keyword for e in result} == copied | set(REQUIRED) | {"SOPClassUID", "SOPInstanceUID"}


def test_what_an_image_lacks_is_empty():
    """All elements of type 2, and no other one is made up."""
    bare = dicom(STORED, PatientName=None, PatientID=None, AccessionNumber=None, PatientBirthDate=None, StudyDate=None)
    result = pydicom.dcmread(BytesIO(of_result(bare)))
    assert [keyword for keyword in REQUIRED if result[keyword].value] == []
    assert {e.keyword for e in result} == {
        *REQUIRED,
        *("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "StudyDescription", "PatientAge"),
    }


@pytest.mark.parametrize(
    ("keyword", "value", "kept"),
    [
        ("PatientAge", b"003Y", True),
        ("PatientAge", b"62", False),
        ("PatientAge", b"3 years ", False),
        ("PatientSize", b"1.05", True),
        ("PatientSize", b"1,05", False),
        ("PatientWeight", b"14kg", False),
        ("PregnancyStatus", b"\4\0", True),
    ],
)
def test_measured_values_are_left_out_where_they_are_not_valid(keyword, value, kept):
    """They identify nobody, and one of them makes the whole result invalid."""
    result = raw_values(of_result(with_values(dicom(STORED), {keyword: value})))
    assert result.get(keyword) == (value if kept else None)


@pytest.mark.parametrize("cut", [200, 300, 500])
def test_a_damaged_file_gets_no_result(cut):
    with pytest.raises(ResultRefused):
        read_source(dicom(STORED)[:cut])


@settings(max_examples=200)
@given(st.data())
def test_damaged_bytes_give_a_source_or_a_refusal(data):
    """Nothing else, whatever the bytes."""
    image = bytearray(
        dicom(STORED, data.draw(st.sampled_from(sorted(NATIVE))), OtherPatientIDsSequence=Sequence([nested()]))
    )
    for _ in range(data.draw(st.integers(1, 8))):
        image[data.draw(st.integers(0, 1200))] = data.draw(st.integers(0, 255))
    with suppress(ResultRefused):
        of_result(bytes(image))
