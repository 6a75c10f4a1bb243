"""What a DICOM file says of itself -> an image that may be decoded, or the refusal that follows from its tags alone.

What a tag does not say is no reason to refuse; it is told, and the picture decides.
"""

import re
from dataclasses import dataclass
from datetime import date

from cxrmodel.errors import ColourImage, MissingPixelData, MultipleImages, WrongModality
from cxrmodel.imaging.dicom.dataset import DataSet, unreadable
from cxrmodel.imaging.dicom.eligibility import check_body_part, check_kind, check_modality, frontal_view

__all__ = ["Raster", "Tags", "check_tags"]


@dataclass(frozen=True)
class Raster:
    """The frame as its tags describe it (PS3.3 C.7.6.3).

    Attributes
    ----------
    rows, columns : int
    allocated, stored, high : int
        Bits of a sample's place, 8 or 16; bits of the value in it; number of its topmost bit.
    signed : bool
    white_is_low : bool
        The lowest value is shown white.
    """

    rows: int
    columns: int
    allocated: int
    stored: int
    high: int
    signed: bool
    white_is_low: bool


@dataclass(frozen=True, repr=False)
class Tags:
    """What else of a file is of use later.

    Attributes
    ----------
    view_position : str or None
        "AP" or "PA", or "frontal" where the file does not say which.
    laterality : str or None
        "L", "R", "B" (both) or "U" (unpaired).
    pixel_spacing : (float, float) or None
        Millimetres between rows and between columns.
    spacing_from : str or None
        Where they were measured: "calibrated" (in the patient), "imager" (at the detector, where an image is larger
        than the patient), "scanned" (on a digitised image), "unstated".
    aspect : float
        Distance of rows over distance of columns.
    orientation : (str, str) or None
        Where in the patient the rows and the columns run to, as one of L, R, F and H each.
    age_years : float or None
    study_uid, series_uid, instance_uid : str or None
    notes : tuple of str
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
    notes: tuple[str, ...]


def check_tags(data: DataSet) -> tuple[Raster, Tags]:
    """Refuse what the tags rule out, and gather what they say of an image.

    Parameters
    ----------
    data : DataSet

    Returns
    -------
    Raster, Tags

    Raises
    ------
    ImageRefused
        One of its subclasses, with a sentence that says what to do.
    """
    check_kind(data)
    notes, unsaid = [], []
    check_modality(data, notes, unsaid)
    check_body_part(data, unsaid)
    view = frontal_view(data, unsaid)
    orientation = _orientation(data)
    raster = _raster(data)
    age = _age(data)
    if age is None:
        unsaid.append("age of the patient")
    if unsaid:
        listed = unsaid[0] if len(unsaid) == 1 else f"{', '.join(unsaid[:-1])} or {unsaid[-1]}"
        notes.append(f"The DICOM file does not state the {listed}: the picture alone decides.")
    spacing, spacing_from, aspect = _spacing(data)
    laterality = data.text("ImageLaterality") or data.text("Laterality")
    return raster, Tags(
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


def _raster(data: DataSet) -> Raster:
    if (data.integer("NumberOfFrames", 1) or 1) > 1:
        raise MultipleImages("This DICOM file holds more than one picture: drop the one image as a file of its own.")
    if data.has("FloatPixelData") or data.has("DoubleFloatPixelData"):
        raise WrongModality(
            "This DICOM file holds floating-point values, which no radiograph has: drop a chest radiograph of modality CR, "
            "DX, DR or RG."
        )
    if not data.has("PixelData"):
        raise MissingPixelData("This DICOM file holds no pixel data: send it again from the archive.")
    photometric = data.text("PhotometricInterpretation")
    samples = data.integer("SamplesPerPixel", 1)
    if photometric not in ("MONOCHROME1", "MONOCHROME2", "") or samples != 1:
        raise ColourImage(
            "This DICOM file holds a colour picture, and a chest radiograph is grey: drop the image itself."
        )
    rows, columns = data.integer("Rows", 0), data.integer("Columns", 0)
    allocated = data.integer("BitsAllocated", 0)
    stored = data.integer("BitsStored", allocated)
    if not photometric or rows < 1 or columns < 1 or allocated not in (8, 16) or not 8 <= stored <= allocated:
        raise unreadable()
    high = data.integer("HighBit", stored - 1)
    if not stored - 1 <= high < allocated:
        high = stored - 1
    return Raster(
        rows=rows,
        columns=columns,
        allocated=allocated,
        stored=stored,
        high=high,
        signed=data.integer("PixelRepresentation", 0) == 1,
        white_is_low=photometric == "MONOCHROME1",
    )


def _spacing(data: DataSet) -> tuple[tuple[float, float] | None, str | None, float]:
    """Spacing, where it was measured, and aspect; what is not positive is missing."""
    found = {}
    for keyword in ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing", "PixelAspectRatio"):
        values = data.numbers(keyword)
        if len(values) == 2 and min(values) > 0:
            found[keyword] = (values[0], values[1])
    imager = found.get("ImagerPixelSpacing")
    spacing = found.get("PixelSpacing") or imager or found.get("NominalScannedPixelSpacing")
    if "PixelSpacing" in found:
        calibrated = data.text("PixelSpacingCalibrationType") or (imager and imager != spacing)
        where = "calibrated" if calibrated else "imager" if imager else "unstated"
    else:
        where = "imager" if imager else "scanned" if spacing else None
    shape = spacing or found.get("PixelAspectRatio") or (1.0, 1.0)
    return spacing, where, shape[0] / shape[1]


_PER_YEAR = {"Y": 1.0, "M": 12.0, "W": 365.25 / 7, "D": 365.25, "": 1.0}
_OLDEST = 130


def _age(data: DataSet) -> float | None:
    """Age in years from the patient's age, else from the dates of birth and study.

    A number without its unit is taken for years.
    """
    stated = re.fullmatch(r"(\d{1,3})([DWMY]?)", data.text("PatientAge"))
    if stated:
        age = int(stated[1]) / _PER_YEAR[stated[2]]
        return age if age <= _OLDEST else None
    born, studied = (_date(data.text(keyword)) for keyword in ("PatientBirthDate", "StudyDate"))
    if born and studied and 0 <= (studied - born).days / 365.25 <= _OLDEST:
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
