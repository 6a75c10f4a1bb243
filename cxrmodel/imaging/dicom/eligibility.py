"""Refuse DICOM objects by their attributes: no image, no projection radiograph, no chest, no frontal view.

Only a value that is known to mean something else is refused; one that means nothing known gives a note. What is known
stands in ``terms.toml``. No message repeats a value of the file, only what it means: it may hold a name anywhere.
"""

import re
from dataclasses import dataclass, field

from pydicom.dataset import Dataset

from cxrmodel.errors import NotAnImage, WrongBodyPart, WrongModality, WrongView
from cxrmodel.imaging.dicom.dataset import DataSet
from cxrmodel.imaging.dicom.own_results import is_own_result
from cxrmodel.imaging.dicom.terminology.terms import CHEST, FRONTAL, NEUTRAL, PART, VIEW, terms
from cxrmodel.messages import Message, listed

# PS3.4 B.5 and PS3.6 A: prefixes of the class UIDs of objects that hold no image, and the code of the refusal.
_STORAGE = "1.2.840.10008.5.1.4.1.1."
_NOT_IMAGES = (
    ("1.2.840.10008.1.3.10", "imaging.dicom.object.directory"),
    (f"{_STORAGE}88.59", "imaging.dicom.object.key_object"),
    (f"{_STORAGE}88.", "imaging.dicom.object.report"),
    (f"{_STORAGE}104.", "imaging.dicom.object.document"),
    (f"{_STORAGE}11.", "imaging.dicom.object.presentation_state"),
    (f"{_STORAGE}9.", "imaging.dicom.object.waveform"),
    (f"{_STORAGE}66.", "imaging.dicom.object.segmentation"),
    (f"{_STORAGE}481.", "imaging.dicom.object.radiotherapy"),
)


def _class(data: DataSet) -> str:
    return data.text("SOPClassUID") or data.text("MediaStorageSOPClassUID")


def check_kind(data: DataSet) -> None:
    """Refuse objects that hold no image, and pictures that this program made.

    Raises
    ------
    NotAnImage
    """
    uids = [data.text(keyword) for keyword in ("SOPInstanceUID", "SeriesInstanceUID", "DeviceUID")]
    if is_own_result(uids, data.text("Manufacturer")):
        raise NotAnImage("imaging.dicom.object.own_result")
    kind = _class(data)
    for prefix, code in _NOT_IMAGES:
        if kind.startswith(prefix):
            raise NotAnImage(code)
    if data.has("DirectoryRecordSequence"):
        raise NotAnImage("imaging.dicom.object.directory")
    if data.has("EncapsulatedDocument"):
        raise NotAnImage("imaging.dicom.object.document")
    if not data.has("PixelData") and not data.has("Rows") and data.has("ContentSequence"):
        raise NotAnImage("imaging.dicom.object.report")


@dataclass(frozen=True)
class Remarks:
    """What the reader of an image should know about its attributes.

    Attributes
    ----------
    notes : list of Message
    not_stated, not_known : list of Message
        Attributes that the file does not state, and those that it states in terms that are not known.
    """

    notes: list[Message] = field(default_factory=list)
    not_stated: list[Message] = field(default_factory=list)
    not_known: list[Message] = field(default_factory=list)

    def add(self, attribute: str, stated: bool) -> None:
        """Add an attribute that decided nothing, by the end of its code."""
        (self.not_known if stated else self.not_stated).append(Message(f"imaging.dicom.attribute.{attribute}"))

    @property
    def messages(self) -> tuple[Message, ...]:
        """All as notes."""
        lists = (("imaging.dicom.not_stated", self.not_stated), ("imaging.dicom.not_known", self.not_known))
        return (*self.notes, *(Message(code, attributes=listed(found)) for code, found in lists if found))


_RAW_CLASS = f"{_STORAGE}1.1.1"
# Words of a modality that are no modality of their own.
_NO_MODALITY = {NEUTRAL, "plain", "generic"}


def check_modality(data: DataSet, remarks: Remarks) -> None:
    """Refuse every known modality but projection radiographs and secondary captures that may be one.

    The modality decides, and without a known one the class of the object.

    Raises
    ------
    WrongModality
    """
    text = data.free_text("Modality")
    named = terms().modalities.find(text)
    kind = _modality_of_class(data)
    plain, capture = "plain" in named, kind == "generic"
    others = [name for name in named if name not in _NO_MODALITY and not (plain and name == "document")]
    if others or (not plain and kind not in _NO_MODALITY):
        raise _wrong_modality((others or [kind])[0])
    if kind not in _NO_MODALITY:
        remarks.notes.append(Message("imaging.dicom.class_contradiction"))
    if capture and not plain:
        remarks.notes.append(Message("imaging.dicom.secondary_capture"))
    if not plain and (not capture or _is_unknown(text, named)):
        remarks.add("modality", _is_unknown(text, named))
    if data.text("PresentationIntentType") == "FOR PROCESSING" or _class(data) == _RAW_CLASS:
        remarks.notes.append(Message("imaging.dicom.raw_values"))


def _is_unknown(text: str, named: list[str]) -> bool:
    """Whether a text that decides nothing says something all the same."""
    return not {NEUTRAL, CHEST, "generic"} & set(named) and any(letter.isalnum() for letter in text)


def _modality_of_class(data: DataSet) -> str:
    """Modality of a class of the standard; ``NEUTRAL`` for any other and for none."""
    kind = _class(data)
    if not kind.startswith(_STORAGE):
        return NEUTRAL
    end = kind.removeprefix(_STORAGE)
    return next((name for name, ends in terms().classes.items() if end in ends), "other")


def _wrong_modality(name: str) -> WrongModality:
    if name in ("document", "other"):
        return WrongModality("imaging.dicom.wrong_modality")
    return WrongModality("imaging.dicom.wrong_modality_named", modality=Message(f"imaging.dicom.modality.{name}"))


_STANDARD_SCHEMES = {"SCT", "SRT", "SNM3", "99SDM"}


def check_body_part(data: DataSet, remarks: Remarks) -> None:
    """Refuse every known part of the body but the chest.

    Where the chest and another part are named, the image is read with a note, unless the other one makes it a study of
    its own, as the ribs do.

    Raises
    ------
    WrongBodyPart
    """
    text = data.free_text("BodyPartExamined")
    named = terms().anatomy.find(text)
    parts = [name.removeprefix(PART) for name in dict.fromkeys(named) if name.startswith(PART)]
    chest = CHEST in named
    refused = [part for part in parts if not chest or part in terms().apart]
    if refused:
        raise WrongBodyPart("imaging.dicom.wrong_body_part_named", part=_part(refused[0]))
    if parts:
        remarks.notes.append(Message("imaging.dicom.more_parts", parts=tuple(map(_part, parts))))
    if chest:
        return
    regions = _standard_codes(data, "AnatomicRegionSequence")
    if any(code in terms().chest_codes for code in regions):
        return
    if any(code in terms().other_part_codes for code in regions):
        raise WrongBodyPart("imaging.dicom.wrong_body_part")
    remarks.add("body_part", bool(regions) or _is_unknown(text, named))


def _part(name: str) -> Message:
    return Message(f"imaging.dicom.part.{name}")


def _standard_codes(data: DataSet, keyword: str) -> list[str]:
    """Codes of a sequence (PS3.3 section 8.8) that come from a scheme of the standard."""
    codes = [_code(item) for item in data.sequence(keyword)]
    return [value for scheme, value in codes if scheme in _STANDARD_SCHEMES]


def _code(item: Dataset) -> tuple[str, str]:
    """Scheme and value of a code; empty where there is none."""
    try:
        return str(item.get("CodingSchemeDesignator", "")).strip(), str(item.get("CodeValue", "")).strip()
    except Exception:  # the library converts on demand and raises anything on damaged values
        return "", ""


# PS3.3 C.7.6.1.1.1: at most one of each pair of opposites.
_DIRECTION = re.compile("(?!.*(L.*R|R.*L|A.*P|P.*A|H.*F|F.*H))[LRAPHF]{1,3}")


def frontal_view(data: DataSet, remarks: Remarks) -> str | None:
    """Find the view, and refuse every known one that is not frontal.

    The view may also stand beside the part of the body, where "PA AND LATERAL" names a study and not the view.

    Returns
    -------
    str or None
        "AP", "PA" or "frontal"; None where the file states none that is known.

    Raises
    ------
    WrongView
    """
    text = data.free_text("ViewPosition")
    position = terms().positions.find(text)
    beside = terms().anatomy.find(data.free_text("BodyPartExamined"))
    codes = _standard_codes(data, "ViewCodeSequence")
    coded = [name for code in codes for name, known in terms().view_codes.items() if code in known]
    others = [name.removeprefix(VIEW) for name in position if name.startswith(VIEW)]
    others += [name for name in coded if name not in terms().frontal]
    if not any(name.startswith(FRONTAL) for name in beside):
        others += [name.removeprefix(VIEW) for name in beside if name.startswith(VIEW)]
    directions = [value for value in data.texts("PatientOrientation")[:2] if _DIRECTION.fullmatch(value)]
    rows_and_columns = [value[0] for value in directions]
    if {"A", "P"} & set(rows_and_columns):
        others.append("lateral")
    if others:
        raise WrongView("imaging.dicom.wrong_view", view=Message(f"imaging.dicom.view.{others[0]}"))
    named = [name.removeprefix(FRONTAL) for name in position if name.startswith(FRONTAL)] + coded
    if not named and {"L", "R"} & set(rows_and_columns) and {"F", "H"} & set(rows_and_columns):
        named = ["frontal"]  # the rows and columns span a frontal plane
    if not named:
        remarks.add("view", bool(codes) or _is_unknown(text, position))
    return named[0] if named else None
