"""What the header of a received file says: which image it is, whose, and whether it is a chest radiograph at all."""

import re
from dataclasses import dataclass, replace

from cxrmodel.errors import (
    EmptyFile,
    ImageRefused,
    MissingPixelData,
    NotAnImage,
    UnreadableFile,
    WrongBodyPart,
    WrongModality,
)
from cxrmodel.imaging.formats.dicom import DICOM, is_dicom
from cxrmodel.imaging.formats.registry import find_format
from cxrmodel.imaging.radiograph import MAX_BYTES
from cxrmodel.messages import Message
from cxrmodel.store.records import ImageTags

_IDENTITY = ("PatientID", "IssuerOfPatientID", "AccessionNumber", "StationName")
_MOST_BYTES = 1024
"""Of one value."""
_END_OF_SEQUENCE = b"\xfe\xff\xdd\xe0"
"""Tag FFFE,E0DD: encapsulated pixel data are little-endian."""
_UID = re.compile(r"[0-9.]{1,64}")


@dataclass(frozen=True, kw_only=True)
class ImageHeader(ImageTags):
    """Header of a received file. Its ``repr`` has no value of the file.

    Attributes
    ----------
    key : str
        SOP Instance UID of a DICOM object, else ``sha256:`` and the checksum.
    dicom : bool
        Whether the file is a DICOM file; all else of another one is empty.
    other : Message or None
        What the object is, where it is known to be no chest radiograph: a report, a CT, a hand, a result of this
        program. A lateral view goes to the reader, whose report says so.
    """

    key: str
    dicom: bool
    other: Message | None = None

    def __repr__(self) -> str:
        return f"ImageHeader(dicom={self.dicom})"


def read_image_header(data: bytes, sha256: str) -> ImageHeader:
    """Read the header of a file of any registered format, in bounded time and memory, without decoding a pixel.

    Parameters
    ----------
    data : bytes
        A whole file.
    sha256 : str
        Of the file.

    Raises
    ------
    ImageRefused
        The file is empty, of an unknown format, or so damaged that it cannot be told which image it is.
    """
    if not data:
        raise EmptyFile("imaging.empty")
    if not is_dicom(data):
        find_format(data)
        return ImageHeader(key=f"sha256:{sha256}", dicom=False)
    try:
        return _read_dicom(data)
    except ImageRefused:
        raise
    except Exception as error:  # the library raises anything on damaged bytes
        raise UnreadableFile("imaging.dicom.damaged") from error


def refuse_incomplete(data: bytes) -> None:
    """Refuse a file that is not whole, as far as its lengths and end marks show.

    The reader takes what there is of some truncated files; a file that is being written may still become whole.

    Parameters
    ----------
    data : bytes

    Raises
    ------
    ImageRefused
        Also for a file that is no image.
    """
    if not data:
        raise EmptyFile("imaging.empty")
    image_format = find_format(data)
    try:
        image_format.header(data)
    except UnreadableFile:
        raise
    except ImageRefused:  # whatever else it is, admission says
        return
    if image_format is DICOM and not _pixels_end(data):
        raise MissingPixelData("imaging.dicom.damaged")


def _pixels_end(data: bytes) -> bool:
    """Whether the pixel data of a DICOM file have the length that they state, or their end mark."""
    from cxrmodel.imaging.dicom.dataset import open_data_set
    from cxrmodel.imaging.dicom.parser import PIXEL_DATA, UNDEFINED

    found = open_data_set(data)
    pixels = found.elements.get(PIXEL_DATA)
    if pixels is None or pixels.length != UNDEFINED:
        return pixels is None or pixels.start + pixels.length <= len(found.parser.data)
    return _END_OF_SEQUENCE in found.parser.data[pixels.start :]


def _read_dicom(data: bytes) -> ImageHeader:
    from pydicom.datadict import tag_for_keyword
    from pydicom.dataset import Dataset

    from cxrmodel.imaging.dicom.dataset import open_data_set

    found = open_data_set(data)
    identity = Dataset()
    for keyword in _IDENTITY:
        element = found.elements.get(tag_for_keyword(keyword) or 0)
        if element is not None:
            identity[element.tag] = found.parser.raw(element, _MOST_BYTES)
    charset = found.values.original_character_set
    identity.set_original_encoding(found.parser.implicit, found.little_endian, charset)
    named = replace(found, values=identity)
    patient_id, issuer, accession, station = (_text(named.free_text(keyword)) for keyword in _IDENTITY)
    key, study, series, kind = (
        found.text(keyword) for keyword in ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "SOPClassUID")
    )
    if not _UID.fullmatch(key):
        raise UnreadableFile("exchange.no_instance_uid")
    other, age = _eligibility(data)
    return ImageHeader(
        key=key,
        dicom=True,
        sop_class=kind if _UID.fullmatch(kind) else "",
        study_uid=study if _UID.fullmatch(study) else "",
        series_uid=series if _UID.fullmatch(series) else "",
        patient_id=patient_id,
        issuer=issuer,
        accession=accession,
        modality=_text(found.free_text("Modality")).upper(),
        body_part=_text(found.free_text("BodyPartExamined")),
        station=station,
        age_years=age,
        other=other,
    )


def _text(value: str) -> str:
    return value.replace("\0", "").strip(" ")  # PostgreSQL has no text with a NUL


def _eligibility(data: bytes) -> tuple[Message | None, float | None]:
    """What else the object is known to be, and the age; a damaged image is one that the reader refuses itself."""
    from cxrmodel.imaging.dicom.header import DicomHeader

    if len(data) > MAX_BYTES:
        return Message("imaging.too_many_bytes", limit=MAX_BYTES // 2**20), None
    try:
        header = DICOM.header(data)
    except (NotAnImage, WrongModality, WrongBodyPart) as error:
        return error.message, None
    except ImageRefused:
        return None, None
    assert isinstance(header, DicomHeader)
    return None, header.metadata.age_years
