"""Where and of whom a DICOM image was taken: for tables of many images, never for a reading."""

import re
from dataclasses import dataclass

from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset

from cxrmodel.imaging.dicom.dataset import DataSet, open_data_set
from cxrmodel.imaging.dicom.eligibility import Remarks, frontal_view
from cxrmodel.imaging.dicom.header import patient_age
from cxrmodel.imaging.formats.dicom import is_dicom

_LONGEST, _LONGEST_TEXT = 1024, 64
_SEXES = ("M", "F", "O")


@dataclass(frozen=True, kw_only=True, repr=False)
class Study:
    """What a file states; None where it states nothing usable, and all None for other formats than DICOM.

    Attributes
    ----------
    year : int or None
        Of the study.
    age : float or None
        Of the patient in years.
    sex : str or None
        "M", "F" or "O".
    modality, manufacturer, device : str or None
        Of the device; ``device`` is the name of its model. At most 64 characters, all printable.
    view : str or None
        "AP", "PA" or "frontal".
    patient_id, accession, study_uid, series_uid, instance_uid : str or None
        Identity.
    """

    year: int | None = None
    age: float | None = None
    sex: str | None = None
    modality: str | None = None
    manufacturer: str | None = None
    device: str | None = None
    view: str | None = None
    patient_id: str | None = None
    accession: str | None = None
    study_uid: str | None = None
    series_uid: str | None = None
    instance_uid: str | None = None


NOTHING = Study()


def read_study(file: bytes) -> Study:
    """Read what a file states of its study, whatever its bytes.

    Parameters
    ----------
    file : bytes
        A whole file.
    """
    try:
        if not is_dicom(file):
            return NOTHING
        data = open_data_set(file)
        sex = _text(data, "PatientSex")
        return Study(
            year=_year(data),
            age=patient_age(data),
            sex=sex if sex in _SEXES else None,
            modality=_text(data, "Modality"),
            manufacturer=_text(data, "Manufacturer"),
            device=_text(data, "ManufacturerModelName"),
            view=_view(data),
            patient_id=_text(data, "PatientID"),
            accession=_text(data, "AccessionNumber"),
            study_uid=_text(data, "StudyInstanceUID"),
            series_uid=_text(data, "SeriesInstanceUID"),
            instance_uid=_text(data, "SOPInstanceUID"),
        )
    except Exception:  # the library raises anything on damaged bytes
        return NOTHING


def _text(data: DataSet, keyword: str) -> str | None:
    """The value of an element, whether or not a reading uses it, as one line of printable text."""
    element = data.elements.get(tag_for_keyword(keyword) or 0)
    if element is None:
        return None
    try:
        values = Dataset()
        values[element.tag] = data.parser.raw(element, _LONGEST)
        values.set_original_encoding(
            data.parser.implicit, data.parser.little_endian, data.values.original_character_set
        )
        value = values[element.tag].value
    except Exception:  # the library raises anything on damaged values
        return None
    text = " ".join("".join(letter if letter.isprintable() else " " for letter in str(value or "")).split())
    return text[:_LONGEST_TEXT] or None


def _year(data: DataSet) -> int | None:
    found = re.match(r"(19|20)\d\d", data.text("StudyDate"))
    return int(found[0]) if found else None


def _view(data: DataSet) -> str | None:
    try:
        return frontal_view(data, Remarks())
    except Exception:  # another view, which the reading refuses by name
        return None
