"""Attributes of a DICOM image: how its pixels are stored, and what else it states.

A missing attribute is no reason to refuse: a note names it, and the pixels decide.
"""

import re
from dataclasses import dataclass
from datetime import date

from cxrmodel.errors import ColourImage, MissingPixelData, MultipleImages, WrongModality
from cxrmodel.imaging.dicom.dataset import DataSet, damaged_dicom
from cxrmodel.imaging.dicom.eligibility import check_body_part, check_kind, check_modality, frontal_view
from cxrmodel.messages import Message, listed

__all__ = ["ImageAttributes", "PixelDescription", "read_attributes"]


@dataclass(frozen=True)
class PixelDescription:
    """How the pixels of one frame are stored (PS3.3 C.7.6.3).

    Attributes
    ----------
    rows, columns : int
    bits_allocated, bits_stored, high_bit : int
        Bits of a sample, 8 or 16; bits of its value; position of the topmost of these.
    signed : bool
    monochrome1 : bool
        The lowest value is shown white.
    """

    rows: int
    columns: int
    bits_allocated: int
    bits_stored: int
    high_bit: int
    signed: bool
    monochrome1: bool


@dataclass(frozen=True, repr=False)
class ImageAttributes:
    """What else a file states about its image.

    Attributes
    ----------
    view_position : str or None
        "AP", "PA", or "frontal" where the file does not state which.
    laterality : str or None
        "L", "R", "B" (both) or "U" (unpaired).
    pixel_spacing : (float, float) or None
        Millimetres between rows and between columns.
    spacing_from : str or None
        Where it was measured: "calibrated" (in the patient), "imager" (at the detector, where an image is larger
        than the patient), "scanned" (on a digitised image), "unstated".
    aspect : float
        Distance of rows over distance of columns.
    orientation : (str, str) or None
        Direction of the rows and of the columns in the patient, one of L, R, F and H each.
    age_years : float or None
    study_uid, series_uid, instance_uid : str or None
    notes : tuple of Message
    """

    view_position: str | None
    laterality: str | None
    pixel_spacing: tuple[float, float] | None
    spacing_from: str | None
    aspect: float
    orientation: tuple[str, str] | None
    age_years: float | None
    study_uid: str | None
    series_uid: str | None
    instance_uid: str | None
    notes: tuple[Message, ...]


def read_attributes(data: DataSet) -> tuple[PixelDescription, ImageAttributes]:
    """Read the attributes of an image, and refuse what they rule out.

    Parameters
    ----------
    data : DataSet

    Returns
    -------
    PixelDescription, ImageAttributes

    Raises
    ------
    ImageRefused
        One of its subclasses.
    """
    check_kind(data)
    notes: list[Message] = []
    not_stated: list[Message] = []
    check_modality(data, notes, not_stated)
    check_body_part(data, not_stated)
    view = frontal_view(data, not_stated)
    orientation = _orientation(data)
    pixels = _pixel_description(data)
    age = _age(data)
    if age is None:
        not_stated.append(Message("imaging.dicom.attribute.age"))
    if not_stated:
        notes.append(Message("imaging.dicom.not_stated", attributes=listed(not_stated)))
    spacing, spacing_from, aspect = _spacing(data)
    laterality = data.text("ImageLaterality") or data.text("Laterality")
    return pixels, ImageAttributes(
        view_position=view,
        laterality=laterality if laterality in ("L", "R", "B", "U") else None,
        pixel_spacing=spacing,
        spacing_from=spacing_from,
        aspect=aspect,
        orientation=orientation,
        age_years=age,
        study_uid=_uid(data, "StudyInstanceUID"),
        series_uid=_uid(data, "SeriesInstanceUID"),
        instance_uid=_uid(data, "SOPInstanceUID"),
        notes=tuple(notes),
    )


_ALONG = {"L": "LR", "R": "LR", "F": "FH", "H": "FH"}


def _orientation(data: DataSet) -> tuple[str, str] | None:
    directions = data.texts("PatientOrientation")
    if len(directions) != 2 or not all(re.fullmatch("[LRAPHF]{1,3}", value) for value in directions):
        return None
    row, column = (value[0] for value in directions)
    return (row, column) if {_ALONG.get(row), _ALONG.get(column)} == {"LR", "FH"} else None


def _pixel_description(data: DataSet) -> PixelDescription:
    if data.integer("NumberOfFrames", 1) > 1:
        raise MultipleImages("imaging.dicom.multiple_frames")
    if data.has("FloatPixelData") or data.has("DoubleFloatPixelData"):
        raise WrongModality("imaging.dicom.floating_point")
    if not data.has("PixelData"):
        raise MissingPixelData("imaging.dicom.no_pixel_data")
    photometric = data.text("PhotometricInterpretation")
    samples = data.integer("SamplesPerPixel", 1)
    if photometric not in ("MONOCHROME1", "MONOCHROME2", "") or samples != 1:
        raise ColourImage("imaging.dicom.colour")
    rows, columns = data.integer("Rows", 0), data.integer("Columns", 0)
    allocated = data.integer("BitsAllocated", 0)
    stored = data.integer("BitsStored", allocated)
    if not photometric or rows < 1 or columns < 1 or allocated not in (8, 16) or not 8 <= stored <= allocated:
        raise damaged_dicom()
    high = data.integer("HighBit", stored - 1)
    if not stored - 1 <= high < allocated:
        high = stored - 1
    return PixelDescription(
        rows=rows,
        columns=columns,
        bits_allocated=allocated,
        bits_stored=stored,
        high_bit=high,
        signed=data.integer("PixelRepresentation", 0) == 1,
        monochrome1=photometric == "MONOCHROME1",
    )


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


_PER_YEAR = {"Y": 1.0, "M": 12.0, "W": 365.25 / 7, "D": 365.25, "": 1.0}
_MAX_AGE = 130


def _age(data: DataSet) -> float | None:
    """Age in years from the patient's age, or from the dates of birth and study.

    A number without a unit is taken as years.
    """
    stated = re.fullmatch(r"(\d{1,3})([DWMY]?)", data.text("PatientAge"))
    if stated:
        age = int(stated[1]) / _PER_YEAR[stated[2]]
        return age if age <= _MAX_AGE else None
    born, studied = (_date(data.text(keyword)) for keyword in ("PatientBirthDate", "StudyDate"))
    if born and studied and 0 <= (studied - born).days / 365.25 <= _MAX_AGE:
        return (studied - born).days / 365.25
    return None


def _date(text: str) -> date | None:
    digits = re.fullmatch(r"(\d{4})[.]?(\d\d)[.]?(\d\d)", text)
    try:
        return date(*map(int, digits.groups())) if digits else None
    except ValueError:
        return None


def _uid(data: DataSet, keyword: str) -> str | None:
    text = data.text(keyword)
    return text if re.fullmatch(r"[0-9.]{1,64}", text) else None
