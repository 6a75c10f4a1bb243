"""Refuse DICOM objects by their attributes: no image, no projection radiograph, no chest, no frontal view.

A refusal repeats a value only where it is a term of the standard: a damaged file may hold a name anywhere.
"""

import re

from pydicom.dataset import Dataset

from cxrmodel.errors import NotAnImage, WrongBodyPart, WrongModality, WrongView
from cxrmodel.imaging.dicom.dataset import DataSet
from cxrmodel.messages import Message

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
    """Refuse objects that hold no image.

    Raises
    ------
    NotAnImage
    """
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


# PS3.3 C.7.3.1.1.1. Some devices write DR for DX.
_PROJECTIONS = {"CR", "DX", "DR", "RG"}
_PROJECTION_CLASSES = {f"{_STORAGE}1", f"{_STORAGE}1.1", f"{_STORAGE}1.1.1"}
_CAPTURES = {f"{_STORAGE}7", f"{_STORAGE}7.1", f"{_STORAGE}7.2", f"{_STORAGE}7.3", f"{_STORAGE}7.4"}
_CAPTURE_MODALITIES = {"OT", "SC", "HC", "DD"}
_NAMED = frozenset(["CT", "MR", "US", "MG", "NM", "PT", "XA", "RF", "PX", "IO", "ES", "XC", "SM", "OP", "ECG", "BMD"])
"""Other modalities that the refusal names."""


def check_modality(data: DataSet, notes: list[Message], not_stated: list[Message]) -> None:
    """Refuse anything but projection radiographs and secondary captures that may be one.

    Parameters
    ----------
    data : DataSet
    notes, not_stated : list of Message
        To which notes, and attributes that the file does not state, are appended.

    Raises
    ------
    WrongModality
    """
    modality, kind = data.text("Modality"), _class(data)
    capture = kind in _CAPTURES
    if modality in _PROJECTIONS:
        pass
    elif modality in _CAPTURE_MODALITIES | {""} and capture:
        notes.append(Message("imaging.dicom.secondary_capture"))
    elif not modality and (kind in _PROJECTION_CLASSES or not kind):
        not_stated.append(Message("imaging.dicom.attribute.modality"))
    else:
        if modality in _NAMED:
            name = Message(f"imaging.dicom.modality.{modality}")
            raise WrongModality("imaging.dicom.wrong_modality_named", modality=name)
        raise WrongModality("imaging.dicom.wrong_modality")
    if data.text("PresentationIntentType") == "FOR PROCESSING" or kind == f"{_STORAGE}1.1.1":
        notes.append(Message("imaging.dicom.raw_values"))


_CHEST = r"CHEST|THORAX|TORAX|LUNGS?"
_QUALIFIERS = (
    r"PORTABLE|PORT|MOBILE|BEDSIDE|FRONTAL|SUPINE|ERECT|UPRIGHT|STANDING|SITTING|P[AE]+DIATRIC|PED|INFANT|CHILD|"
    r"PA|AP|VIEWS?|[^A-Z]+"
)
# PS3.16 annex L: terms for other parts that the refusal repeats.
_LIMBS = {"ANKLE", "ARM", "ELBOW", "EXTREMITY", "FEMUR", "FINGER", "FOOT", "FOREARM", "HAND", "KNEE", "LEG", "WRIST"}
_OTHER_PARTS = _LIMBS | {"ABDOMEN", "HEAD", "HIP", "NECK", "PELVIS", "RIB", "RIBCAGE", "SHOULDER", "SKULL", "SPINE"}
_STANDARD_SCHEMES = {"SCT", "SRT", "SNM3", "99SDM"}
_CHEST_CODES = {"51185008", "816094009", "43799004", "39607008", "86598002", "T-D3000", "T-D3200", "T-28000", "T-280A0"}


def check_body_part(data: DataSet, not_stated: list[Message]) -> None:
    """Refuse any part of the body but the chest.

    Raises
    ------
    WrongBodyPart
    """
    part = data.text("BodyPartExamined")
    rest = re.sub(_QUALIFIERS, "", re.sub(_CHEST, "", part))
    refusal = (
        WrongBodyPart("imaging.dicom.wrong_body_part_named", part=part.lower())
        if part in _OTHER_PARTS
        else WrongBodyPart("imaging.dicom.wrong_body_part")
    )
    if part and (rest or not re.search(_CHEST, part)):
        raise refusal
    regions = [_code(item) for item in data.sequence("AnatomicRegionSequence")]
    known = [value in _CHEST_CODES for scheme, value in regions if scheme in _STANDARD_SCHEMES]
    if not part and known and not any(known):
        raise refusal
    if not part and not any(known):
        not_stated.append(Message("imaging.dicom.attribute.body_part"))


def _code(item: Dataset) -> tuple[str, str]:
    """Scheme and value of a code (PS3.3 section 8.8); empty where there is none."""
    try:
        return str(item.get("CodingSchemeDesignator", "")).strip(), str(item.get("CodeValue", "")).strip()
    except Exception:  # the library converts on demand and raises anything on damaged values
        return "", ""


# PS3.3 C.8.1.1.1 and C.8.7.7: lateral, decubitus and oblique views.
_NOT_FRONTAL = re.compile(r".*(LAT|OBL|DECUB|AXIAL|LORDOT).*|LL|RL|[LR]L[DO]|[LR][AP]O")
_FRONTAL = {"AP": "AP", "PA": "PA", "ANTEROPOSTERIOR": "AP", "POSTEROANTERIOR": "PA", "FRONTAL": "frontal"}
_VIEW_CODES = {
    "399348003": "AP",
    "272479007": "PA",
    "399033003": "frontal",
    "R-10206": "AP",
    "R-10214": "PA",
    "R-40888": "PA",
    "R-10202": "frontal",
}


def frontal_view(data: DataSet, not_stated: list[Message]) -> str | None:
    """Find the view, and refuse lateral, oblique and decubitus ones.

    Returns
    -------
    str or None
        "AP", "PA" or "frontal"; None where the file states none that is known.

    Raises
    ------
    WrongView
    """
    position = data.text("ViewPosition")
    words = re.findall("[A-Z]+", position.replace("ANTERO-P", "ANTEROP").replace("POSTERO-A", "POSTEROA"))
    codes = [_code(item) for item in data.sequence("ViewCodeSequence")]
    coded = [value for scheme, value in codes if scheme in _STANDARD_SCHEMES]
    rows_and_columns = [value[:1] for value in data.texts("PatientOrientation")[:2]]
    lateral = any(_NOT_FRONTAL.fullmatch(word) for word in words) or {"A", "P"} & set(rows_and_columns)
    if lateral or any(code not in _VIEW_CODES for code in coded):
        raise WrongView("imaging.dicom.wrong_view")
    named = [_FRONTAL[word] for word in words if word in _FRONTAL] + [_VIEW_CODES[code] for code in coded]
    if not named and {"L", "R"} & set(rows_and_columns) and {"F", "H"} & set(rows_and_columns):
        named = ["frontal"]  # the rows and columns span a frontal plane
    if not named:
        not_stated.append(Message("imaging.dicom.attribute.view"))
    return named[0] if named else None
