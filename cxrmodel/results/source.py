"""The image that a result belongs to: whose it is, byte for byte, and how it is referred to.

Patient and study are copied as they are stored, in whatever character set, so that an archive files the result under
the same patient and the same study. Nothing is decoded, corrected or checked.
"""

import re
import struct
from dataclasses import dataclass, field

import numpy as np
from pydicom.config import RAISE
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.valuerep import validate_value

from cxrmodel.errors import ResultRefused
from cxrmodel.imaging.dicom.dataset import DataSet, open_data_set
from cxrmodel.imaging.dicom.parser import Element, Parser
from cxrmodel.imaging.formats.dicom import LONG_VRS, is_dicom

PATIENT_GROUPS = (0x0010, 0x0012)
"""Patient, and clinical trial: every standard element of these is copied."""
STUDY_ELEMENTS = (
    "SpecificCharacterSet",
    "TimezoneOffsetFromUTC",
    "StudyDate",
    "StudyTime",
    "AccessionNumber",
    "IssuerOfAccessionNumberSequence",
    "ReferringPhysicianName",
    "ReferringPhysicianIdentificationSequence",
    "ConsultingPhysicianName",
    "ConsultingPhysicianIdentificationSequence",
    "StudyDescription",
    "ProcedureCodeSequence",
    "PhysiciansOfRecord",
    "PhysiciansOfRecordIdentificationSequence",
    "NameOfPhysiciansReadingStudy",
    "PhysiciansReadingStudyIdentificationSequence",
    "AdmittingDiagnosesDescription",
    "AdmittingDiagnosesCodeSequence",
    "ReferencedStudySequence",
    "ReferencedPatientSequence",
    "StudyInstanceUID",
    "StudyID",
    "RequestingService",
    "RequestingServiceCodeSequence",
    "ReasonForPerformedProcedureCodeSequence",
    "AdmissionID",
    "IssuerOfAdmissionIDSequence",
    "ServiceEpisodeID",
    "ServiceEpisodeDescription",
    "IssuerOfServiceEpisodeIDSequence",
    "PatientState",
)
"""Elements of General Study, Patient and Patient Study (PS3.3 C.7.1.1, C.7.2) in other groups."""
REQUIRED = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyDate",
    "StudyTime",
    "AccessionNumber",
    "ReferringPhysicianName",
    "StudyID",
)
"""Elements of type 2: empty in the result where the image lacks them."""

_UID = re.compile(r"[0-9.]{1,64}")
_ITEM = b"\xfe\xff\x00\xe0"
_LONGEST = 0xFFFE
"""Bytes of a value that is no sequence; those of short value representations cannot have more."""
_DEEPEST = 8
_MEASURED_VRS = ("AS", "DS", "IS")
"""Age, size, weight and their like, which identify nobody: left out where they break the rules of their encoding."""
_TEXT_VRS = frozenset(["AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UR", "UT"])
"""Those of which a value of odd length is padded by a space."""
_WIDTHS = {"US": 2, "SS": 2, "OW": 2, "AT": 2, "UL": 4, "SL": 4, "FL": 4, "OF": 4, "OL": 4, "FD": 8, "OD": 8, "UV": 8}
"""Bytes whose order depends on the encoding; of all other values it does not."""


@dataclass(frozen=True)
class SourceImage:
    """The image that a result belongs to.

    Attributes
    ----------
    sop_class, instance_uid, series_uid, study_uid : str
    offset : str
        Offset from UTC of the times in the image, ``+0100``; empty where it states none.
    identity : dict of int to bytes
        Elements of patient and study by tag, in explicit little endian, with their headers.
    """

    sop_class: str
    instance_uid: str
    series_uid: str
    study_uid: str
    offset: str
    identity: dict[int, bytes] = field(repr=False)


def read_source(data: bytes) -> SourceImage:
    """Take from a DICOM image what its results share with it.

    Parameters
    ----------
    data : bytes
        A whole file; it is not trusted.

    Raises
    ------
    ResultRefused
        When it is no DICOM file, is damaged, or lacks a UID without which nothing can refer to it.
    """
    if not is_dicom(data):
        raise ResultRefused("results.not_dicom")
    try:
        opened = open_data_set(data)
        return SourceImage(
            sop_class=_uid(opened, "SOPClassUID"),
            instance_uid=_uid(opened, "SOPInstanceUID"),
            series_uid=_uid(opened, "SeriesInstanceUID"),
            study_uid=_uid(opened, "StudyInstanceUID"),
            offset=_offset(opened),
            identity=_identity(opened),
        )
    except ResultRefused:
        raise
    except Exception as error:  # the library raises anything on damaged bytes
        raise ResultRefused("results.damaged") from error


def encode_element(tag: int, vr: str, value: bytes) -> bytes:
    """Encode an element in explicit little endian (PS3.5 section 7.1.2).

    Parameters
    ----------
    tag : int
    vr : str
        Value representation.
    value : bytes
        At most 65,534 where the value representation has a short length.
    """
    value += (b" " if vr in _TEXT_VRS else b"\0") * (len(value) % 2)
    head = struct.pack("<HH2s", tag >> 16, tag & 0xFFFF, vr.encode())
    if vr.encode() in LONG_VRS:
        return head + struct.pack("<HI", 0, len(value)) + value
    return head + struct.pack("<H", len(value)) + value


def _uid(data: DataSet, keyword: str) -> str:
    found = data.text(keyword).strip("\0 ")
    if not _UID.fullmatch(found):
        raise ResultRefused("results.missing_uid", attribute=keyword)
    return found


def _offset(data: DataSet) -> str:
    element = data.elements.get(_tag("TimezoneOffsetFromUTC"))
    value = _value(data.parser, element) if element else b""
    return value.decode("ascii", "replace").strip("\0 ")


def _identity(data: DataSet) -> dict[int, bytes]:
    empty = {tag: encode_element(tag, dictionary_VR(tag), b"") for tag in map(_tag, REQUIRED)}
    copied = {
        tag: encoded
        for tag, element in data.elements.items()
        if (tag in _TAGS or tag >> 16 in PATIENT_GROUPS) and (encoded := _encoded(data.parser, tag, element, 0))
    }
    return empty | copied


def _encoded(parser: Parser, tag: int, element: Element, depth: int) -> bytes:
    """An element in explicit little endian; nothing of a group's length, or of a sequence nested without end."""
    vr = _vr(tag, element)
    if not tag & 0xFFFF or depth > _DEEPEST:
        return b""
    if vr == "SQ":
        items = [
            b"".join(_encoded(parser, inner, found, depth + 1) for inner, found in sorted(item.items()))
            for item in parser.items(element)
        ]
        return encode_element(tag, vr, b"".join(_ITEM + struct.pack("<I", len(item)) + item for item in items))
    value = _value(parser, element)
    if vr in _MEASURED_VRS and not _is_valid(vr, value):
        return b""
    width = 1 if parser.little_endian else _WIDTHS.get(vr, 1)
    if width > 1:
        value = np.frombuffer(value, f"u{width}", len(value) // width).byteswap().tobytes()
    return encode_element(tag, vr, value)


def _is_valid(vr: str, value: bytes) -> bool:
    try:
        for part in value.decode("ascii").strip("\0 ").split("\\"):
            validate_value(vr, part, RAISE)
    except ValueError:
        return False
    return True


def _vr(tag: int, element: Element) -> str:
    """The value representation of the standard; of an element that it does not know, the one that is stated."""
    try:
        return dictionary_VR(tag).split(" ")[0]
    except KeyError:
        return element.vr or "UN"


def _value(parser: Parser, element: Element) -> bytes:
    return bytes(parser.raw(element, _LONGEST).value or b"")


def _tag(keyword: str) -> int:
    tag = tag_for_keyword(keyword)
    assert tag is not None
    return tag


_TAGS = frozenset(map(_tag, STUDY_ELEMENTS))
