"""Attributes of a DICOM image: how its pixels are stored, and what else it states.

A missing attribute is no reason to refuse: a note names it, and the pixels decide.
"""

import re
from dataclasses import dataclass
from datetime import date

from cxrmodel.errors import ColourImage, MissingPixelData, MultipleImages, WrongModality
from cxrmodel.imaging.dicom.dataset import DataSet, open_data_set
from cxrmodel.imaging.dicom.eligibility import Remarks, check_body_part, check_kind, check_modality, frontal_view
from cxrmodel.imaging.dicom.parser import damaged_dicom
from cxrmodel.imaging.dicom.terminology.terms import terms
from cxrmodel.imaging.formats.image_format import Header, Metadata
from cxrmodel.messages import Message

_MAX_ASPECT = 1e6


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class DicomHeader(Header):
    """A DICOM image that its attributes do not rule out, not decoded yet.

    ``bits`` are those of a stored value (PS3.3 C.7.6.3).

    Attributes
    ----------
    data : DataSet
    bits_allocated, high_bit : int
        Bits of a sample, 8 or 16, and position of the topmost bit of its value.
    signed : bool
    samples : int
        Components of a pixel, 1 or 3.
    photometric : str
        Photometric interpretation in capitals, without spaces and underscores.
    monochrome1 : bool
        The lowest value is shown white.
    square : (int, int)
        Width and height in square pixels.
    orientation : (str, str) or None
        Direction of the rows and of the columns in the patient, one of L, R, F and H each.
    metadata : Metadata
    notes : tuple of Message
    """

    data: DataSet
    bits_allocated: int
    high_bit: int
    signed: bool
    samples: int
    photometric: str
    monochrome1: bool
    square: tuple[int, int]
    orientation: tuple[str, str] | None
    metadata: Metadata
    notes: tuple[Message, ...]

    @property
    def in_colour(self) -> bool:
        """Whether the pixels are stored as colours, which may all be grey."""
        return self.photometric == "PALETTECOLOR" or self.samples == 3

    @property
    def sizes(self) -> tuple[tuple[int, int], ...]:
        """Width and height as stored and in square pixels."""
        return (self.width, self.height), self.square


def read_dicom_header(file: bytes) -> DicomHeader:
    """Read the attributes of a DICOM file and refuse what they rule out.

    Parameters
    ----------
    file : bytes
        A whole file, with or without preamble.

    Raises
    ------
    ImageRefused
        One of its subclasses.
    Exception
        Anything that the library raises on damaged bytes.
    """
    data = open_data_set(file)
    check_kind(data)
    remarks = Remarks()
    check_modality(data, remarks)
    check_body_part(data, remarks)
    view = frontal_view(data, remarks)
    orientation = _orientation(data)
    photometric = re.sub("[ _]", "", data.text("PhotometricInterpretation"))
    columns, rows, bits, allocated, high_bit = _pixel_format(data, photometric)
    age = patient_age(data)
    if age is None:
        remarks.add("age", stated=False)
    spacing, spacing_from, aspect = _spacing(data)
    if spacing and aspect != 1:
        spacing = (min(spacing), min(spacing))
    # The coarser direction is stretched, so that no detail is lost.
    width = columns if aspect > 1 else round(columns * min(1 / aspect, _MAX_ASPECT))
    height = round(rows * min(aspect, _MAX_ASPECT)) if aspect > 1 else rows
    sides = terms().sides.find(data.free_text("ImageLaterality") or data.free_text("Laterality"))
    return DicomHeader(
        width=columns,
        height=rows,
        bits=bits,
        data=data,
        bits_allocated=allocated,
        high_bit=high_bit,
        signed=data.integer("PixelRepresentation", 0) == 1,
        samples=data.integer("SamplesPerPixel", 1),
        photometric=photometric,
        monochrome1=photometric == "MONOCHROME1",
        square=(width, height),
        orientation=orientation,
        metadata=Metadata(
            view_position=view,
            laterality=sides[0] if len(set(sides)) == 1 else None,
            pixel_spacing=spacing,
            spacing_from=spacing_from,
            age_years=age,
            study_uid=_uid(data, "StudyInstanceUID"),
            series_uid=_uid(data, "SeriesInstanceUID"),
            instance_uid=_uid(data, "SOPInstanceUID"),
        ),
        notes=remarks.messages,
    )


_ALONG = {"L": "LR", "R": "LR", "F": "FH", "H": "FH"}


def _orientation(data: DataSet) -> tuple[str, str] | None:
    directions = data.texts("PatientOrientation")
    if len(directions) != 2 or not all(re.fullmatch("[LRAPHF]{1,3}", value) for value in directions):
        return None
    row, column = (value[0] for value in directions)
    return (row, column) if {_ALONG.get(row), _ALONG.get(column)} == {"LR", "FH"} else None


# PS3.3 C.7.6.3.1.2. With one component, a pixel has no colour of its own, whatever is stated.
_THREE = ("RGB", "YBRFULL", "YBRFULL422", "YBRICT", "YBRRCT", "MONOCHROME2")
_STORED_BY_SAMPLES = {1: (*_THREE, "MONOCHROME1", "PALETTECOLOR"), 3: _THREE}


def _pixel_format(data: DataSet, photometric: str) -> tuple[int, int, int, int, int]:
    """Columns, rows, bits stored, bits allocated, and the highest bit."""
    if data.integer("NumberOfFrames", 1) > 1:
        raise MultipleImages("imaging.dicom.multiple_frames")
    if data.has("FloatPixelData") or data.has("DoubleFloatPixelData"):
        raise WrongModality("imaging.dicom.floating_point")
    if not data.has("PixelData"):
        raise MissingPixelData("imaging.dicom.no_pixel_data")
    if photometric not in _STORED_BY_SAMPLES.get(data.integer("SamplesPerPixel", 1), ()) and photometric:
        raise ColourImage("imaging.dicom.colour")
    rows, columns = data.integer("Rows", 0), data.integer("Columns", 0)
    allocated = data.integer("BitsAllocated", 0)
    stored = data.integer("BitsStored", allocated)
    if not photometric or rows < 1 or columns < 1 or allocated not in (8, 16) or not 8 <= stored <= allocated:
        raise damaged_dicom()
    high = data.integer("HighBit", stored - 1)
    return columns, rows, stored, allocated, high if stored - 1 <= high < allocated else stored - 1


def _spacing(data: DataSet) -> tuple[tuple[float, float] | None, str | None, float]:
    """Spacing, where it was measured, and aspect; a value that is not positive counts as missing."""
    found = {}
    for keyword in ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing", "PixelAspectRatio"):
        values = data.numbers(keyword)
        if len(values) == 2 and min(values) > 0:
            found[keyword] = (values[0], values[1])
    imager = found.get("ImagerPixelSpacing")
    spacing = found.get("PixelSpacing") or imager or found.get("NominalScannedPixelSpacing")
    where: str | None
    if "PixelSpacing" in found:
        calibrated = data.text("PixelSpacingCalibrationType") or (imager and imager != spacing)
        where = "calibrated" if calibrated else "imager" if imager else "unstated"
    else:
        where = "imager" if imager else "scanned" if spacing else None
    shape = spacing or found.get("PixelAspectRatio") or (1.0, 1.0)
    return spacing, where, shape[0] / shape[1]


_PER_YEAR = {"years": 1.0, "months": 12.0, "weeks": 365.25 / 7, "days": 365.25}
_MAX_AGE = 130


def patient_age(data: DataSet) -> float | None:
    """Age in years from the patient's age, or from the dates of birth and study.

    "003Y", and what people write: "3 yrs 6 mo", "3,5 años". A number without a unit is taken as years.
    """
    years = _stated_years(data.free_text("PatientAge").strip("\0 "))
    if years is None:
        born, studied = (_date(data.text(keyword)) for keyword in ("PatientBirthDate", "StudyDate"))
        years = (studied - born).days / 365.25 if born and studied else None
    return years if years is not None and 0 <= years <= _MAX_AGE else None


_AGE = re.compile(r"(?:\d{1,4}(?:[.,]\d{1,2})?[^\w]*[^\W\d_]*[^\w]*){1,3}")


def _stated_years(text: str) -> float | None:
    """Sum of the numbers with their units; None where the text is anything else."""
    if not _AGE.fullmatch(text):
        return None
    years = 0.0
    for number, unit in re.findall(r"(\d+(?:[.,]\d+)?)[^\w]*([^\W\d_]*)", text):
        named = terms().units.find(unit) if unit else ["years"]
        if not named:
            return None
        years += float(number.replace(",", ".")) / _PER_YEAR[named[0]]
    return years


def _date(text: str) -> date | None:
    digits = re.fullmatch(r"(\d{4})[.:/-]?(\d\d)[.:/-]?(\d\d)", text)
    try:
        return date(*map(int, digits.groups())) if digits else None
    except ValueError:
        return None


def _uid(data: DataSet, keyword: str) -> str | None:
    text = data.text(keyword)
    return text if re.fullmatch(r"[0-9.]{1,64}", text) else None
