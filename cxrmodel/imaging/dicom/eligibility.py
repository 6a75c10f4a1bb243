"""DICOM objects that are refused by their tags alone: no picture, no plain radiograph, no chest, no frontal view.

A value is repeated in a refusal only where it is a term of the standard: a damaged file may hold a name anywhere.
"""

import re

from pydicom.dataset import Dataset

from cxrmodel.errors import NotAnImage, WrongBodyPart, WrongModality, WrongView
from cxrmodel.imaging.dicom.dataset import DataSet

__all__ = ["check_body_part", "check_kind", "check_modality", "frontal_view"]

_EXPORT = "drop the DICOM file of the image itself."
# PS3.4 B.5 and PS3.6 A: beginnings of the class UIDs of objects that hold no picture of their own.
_STORAGE = "1.2.840.10008.5.1.4.1.1."
_NO_PICTURES = (
    ("1.2.840.10008.1.3.10", f"This is a DICOMDIR, the table of contents of a disc: {_EXPORT}"),
    (f"{_STORAGE}88.59", f"This is a DICOM key object selection, not an image: {_EXPORT}"),
    (f"{_STORAGE}88.", f"This is a DICOM structured report, not an image: {_EXPORT}"),
    (f"{_STORAGE}104.", f"This is a document within a DICOM file, not an image: {_EXPORT}"),
    (f"{_STORAGE}11.", f"This is a DICOM presentation state, which describes how to show an image: {_EXPORT}"),
    (f"{_STORAGE}9.", f"This is a DICOM waveform, not an image: {_EXPORT}"),
    (f"{_STORAGE}66.", f"This is a DICOM segmentation or registration, not an image: {_EXPORT}"),
    (f"{_STORAGE}481.", f"This is a DICOM object of radiotherapy, not an image: {_EXPORT}"),
)


def _class(data: DataSet) -> str:
    return data.text("SOPClassUID") or data.text("MediaStorageSOPClassUID")


def check_kind(data: DataSet) -> None:
    """Refuse objects that hold no picture of their own.

    Raises
    ------
    NotAnImage
    """
    kind = _class(data)
    for beginning, sentence in _NO_PICTURES:
        if kind.startswith(beginning):
            raise NotAnImage(sentence)
    if data.has("DirectoryRecordSequence"):
        raise NotAnImage(_NO_PICTURES[0][1])
    if data.has("EncapsulatedDocument"):
        raise NotAnImage(_NO_PICTURES[3][1])
    if not data.has("PixelData") and not data.has("Rows") and data.has("ContentSequence"):
        raise NotAnImage(_NO_PICTURES[2][1])


# PS3.3 C.7.3.1.1.1. DR is the name that some devices give to DX.
_PROJECTIONS = {"CR", "DX", "DR", "RG"}
_PROJECTION_CLASSES = {f"{_STORAGE}1", f"{_STORAGE}1.1", f"{_STORAGE}1.1.1"}
_CAPTURES = {f"{_STORAGE}7", f"{_STORAGE}7.1", f"{_STORAGE}7.2", f"{_STORAGE}7.3", f"{_STORAGE}7.4"}
_CAPTURE_MODALITIES = {"OT", "SC", "HC", "DD"}
_NAMES = {
    "CT": "computed tomography",
    "MR": "magnetic resonance",
    "US": "ultrasound",
    "MG": "mammography",
    "NM": "nuclear medicine",
    "PT": "positron emission tomography",
    "XA": "angiography",
    "RF": "fluoroscopy",
    "PX": "a panoramic dental image",
    "IO": "a dental image",
    "ES": "endoscopy",
    "XC": "a photograph",
    "SM": "a microscope slide",
    "OP": "ophthalmic photography",
    "ECG": "an electrocardiogram",
    "BMD": "bone densitometry",
}


def check_modality(data: DataSet, notes: list[str], unsaid: list[str]) -> None:
    """Refuse what is neither a projection radiograph nor a secondary capture that may be one.

    Parameters
    ----------
    data : DataSet
    notes, unsaid : list of str
        To which sentences, and names of what the file does not say, are added.

    Raises
    ------
    WrongModality
    """
    modality, kind = data.text("Modality"), _class(data)
    capture = kind in _CAPTURES
    if modality in _PROJECTIONS:
        pass
    elif modality in _CAPTURE_MODALITIES | {""} and capture:
        notes.append(
            "This is a secondary capture: a copy of an image from a screen or scanner, whose grey levels may differ "
            "from the image's."
        )
    elif not modality and (kind in _PROJECTION_CLASSES or not kind):
        unsaid.append("modality")
    else:
        named = f" ({_NAMES[modality]})" if modality in _NAMES else ""
        raise WrongModality(
            f"The DICOM file names another modality than a plain radiograph{named}: drop a chest radiograph of "
            "modality CR, DX, DR or RG."
        )
    if data.text("PresentationIntentType") == "FOR PROCESSING" or kind == f"{_STORAGE}1.1.1":
        notes.append(
            "The file holds the detector's raw values, meant for processing and not for viewing: "
            "prefer the processed image of the same exposure."
        )


_CHEST = r"CHEST|THORAX|TORAX|LUNGS?"
_QUALIFIERS = (
    r"PORTABLE|PORT|MOBILE|BEDSIDE|FRONTAL|SUPINE|ERECT|UPRIGHT|STANDING|SITTING|P[AE]+DIATRIC|PED|INFANT|CHILD|"
    r"PA|AP|VIEWS?|[^A-Z]+"
)
# PS3.16 annex L: names of other parts that are repeated in the refusal.
_LIMBS = {"ANKLE", "ARM", "ELBOW", "EXTREMITY", "FEMUR", "FINGER", "FOOT", "FOREARM", "HAND", "KNEE", "LEG", "WRIST"}
_OTHER_PARTS = _LIMBS | {"ABDOMEN", "HEAD", "HIP", "NECK", "PELVIS", "RIB", "RIBCAGE", "SHOULDER", "SKULL", "SPINE"}
_STANDARD_SCHEMES = {"SCT", "SRT", "SNM3", "99SDM"}
_CHEST_CODES = {"51185008", "816094009", "43799004", "39607008", "86598002", "T-D3000", "T-D3200", "T-28000", "T-280A0"}


def check_body_part(data: DataSet, unsaid: list[str]) -> None:
    """Refuse a part of the body other than the chest alone.

    Raises
    ------
    WrongBodyPart
    """
    part = data.text("BodyPartExamined")
    rest = re.sub(_QUALIFIERS, "", re.sub(_CHEST, "", part))
    refusal = WrongBodyPart(
        f"The DICOM file names another part of the body than the chest"
        f"{f' ({part.lower()})' if part in _OTHER_PARTS else ''}: drop a frontal chest radiograph."
    )
    if part and (rest or not re.search(_CHEST, part)):
        raise refusal
    regions = [_code(item) for item in data.sequence("AnatomicRegionSequence")]
    known = [value in _CHEST_CODES for scheme, value in regions if scheme in _STANDARD_SCHEMES]
    if not part and known and not any(known):
        raise refusal
    if not part and not any(known):
        unsaid.append("part of the body")


def _code(item: Dataset) -> tuple[str, str]:
    """Scheme and value of a code, PS3.3 section 8.8; empty where it has none."""
    try:
        return str(item.get("CodingSchemeDesignator", "")).strip(), str(item.get("CodeValue", "")).strip()
    except Exception:  # The library converts on demand and raises whatever it likes on damaged values.
        return "", ""


# PS3.3 C.8.1.1.1 and C.8.7.7: laterals, decubitus and oblique views.
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


def frontal_view(data: DataSet, unsaid: list[str]) -> str | None:
    """Refuse what is named a lateral, oblique or decubitus view.

    Returns
    -------
    str or None
        "AP", "PA" or "frontal"; None where the file does not say or says it in no known way.

    Raises
    ------
    WrongView
    """
    refusal = WrongView(
        "The DICOM file says that this is no frontal view but a lateral, oblique or decubitus one: "
        "drop the frontal (AP or PA) chest radiograph."
    )
    position = data.text("ViewPosition")
    words = re.findall("[A-Z]+", position.replace("ANTERO-P", "ANTEROP").replace("POSTERO-A", "POSTEROA"))
    codes = [_code(item) for item in data.sequence("ViewCodeSequence")]
    coded = [value for scheme, value in codes if scheme in _STANDARD_SCHEMES]
    rows_and_columns = [value[:1] for value in data.texts("PatientOrientation")[:2]]
    if any(_NOT_FRONTAL.fullmatch(word) for word in words) or any(code not in _VIEW_CODES for code in coded):
        raise refusal
    if {"A", "P"} & set(rows_and_columns):
        raise refusal
    named = [_FRONTAL[word] for word in words if word in _FRONTAL] + [_VIEW_CODES[code] for code in coded]
    if not named and {"L", "R"} & set(rows_and_columns) and {"F", "H"} & set(rows_and_columns):
        named = ["frontal"]  # rows and columns lie in the plane of a frontal view
    if not named:
        unsaid.append("view")
    return named[0] if named else None
