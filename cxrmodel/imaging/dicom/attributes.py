"""Attributes of a DICOM file in words, for a person who looks at its tags, and which of them may identify someone.

Technical attributes are named; everything else counts as identity. That goes further than the Basic Confidentiality
Profile (PS3.15 annex E): it also covers free text, dates and attributes that the profile does not know. Age and sex are
shown, as by the profile's option to retain patient characteristics. Private attributes are never read.
"""

from dataclasses import dataclass
from typing import Any

from pydicom.charset import convert_encodings
from pydicom.datadict import dictionary_description, dictionary_VR, keyword_for_tag
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from cxrmodel.errors import UnreadableFile
from cxrmodel.imaging.dicom.dataset import open_data_set
from cxrmodel.imaging.dicom.parser import Element, Parser
from cxrmodel.messages import Message

MOST = 1000
"""Attributes that are listed."""
_LONGEST, _LONGEST_WORDS, _DEEPEST = 4096, 200, 4

_TECHNICAL_VRS = frozenset(["AT", "CS", "DS", "FD", "FL", "IS", "SL", "SS", "SV", "UL", "US", "UV"])
"""Codes and numbers."""
_TEXT_VRS = frozenset(["AE", "AS", "DA", "DT", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UI", "UR", "UT"])
_PERSONAL_GROUPS = frozenset((0x0010, 0x0012, 0x0032, 0x0038, 0x0088, 0x0400, 0x4000, 0x4008, 0x4010))
"""Patient, trial, request, visit, storage, signatures, results."""
_SHOWN = frozenset(
    [
        "PatientAge",
        "PatientSex",
        "MediaStorageSOPClassUID",
        "TransferSyntaxUID",
        "SOPClassUID",
        "Manufacturer",
        "ManufacturerModelName",
        "CodeValue",
        "CodingSchemeDesignator",
    ]
)
_CODES = frozenset(
    ["ViewCodeSequence", "ViewModifierCodeSequence", "AnatomicRegionSequence", "PatientOrientationCodeSequence"]
)
"""Sequences whose code meanings are the standard's."""


@dataclass(frozen=True)
class Attribute:
    """One attribute in words.

    Attributes
    ----------
    tag : str
        ``(0028,0010)``; in a sequence after those of the sequence.
    name, value : str
    identity : bool
        Whether it may identify someone.
    """

    tag: str
    name: str
    value: str
    identity: bool


@dataclass(frozen=True)
class Attributes:
    """What a file states.

    Attributes
    ----------
    listed : tuple of Attribute
    private : int
        Private attributes, which are not listed.
    """

    listed: tuple[Attribute, ...] = ()
    private: int = 0


def read_attributes(file: bytes) -> Attributes:
    """List the attributes of a DICOM file; none where it is damaged.

    Parameters
    ----------
    file : bytes
        A whole DICOM file.
    """
    try:
        data = open_data_set(file)
    except Exception:  # the library raises anything on damaged bytes
        return Attributes()
    charset = data.values.get_item("SpecificCharacterSet")
    listing = _Listing(data.parser, getattr(charset, "value", None))
    for tag in sorted(item.tag for item in data.values if item.tag.group == 2):
        listing.add_value(int(tag), data.values, "", 0)
    listing.add(data.elements, "", 0, names_codes=False)
    return Attributes(tuple(listing.found), listing.private)


class _Listing:
    def __init__(self, parser: Parser, charset: object) -> None:
        self.parser, self.found, self.private = parser, list[Attribute](), 0
        stated = charset.decode("ascii", "replace") if isinstance(charset, bytes) else ""
        try:
            self.charset = convert_encodings([part.strip() for part in stated.split("\\")])
        except Exception:  # the library raises anything on damaged values
            self.charset = ["iso8859"]

    def add(self, elements: dict[int, Element], path: str, depth: int, names_codes: bool) -> None:
        """List elements, and those of their sequences."""
        for tag, element in elements.items():
            if (tag >> 16) % 2:
                self.private += 1
            elif len(self.found) < MOST:
                self._add(tag, element, path, depth, names_codes)

    def _add(self, tag: int, element: Element, path: str, depth: int, names_codes: bool) -> None:
        vr, keyword = _vr(tag, element), keyword_for_tag(tag)
        place, personal = f"{path}({tag >> 16:04X},{tag & 0xFFFF:04X})", _is_personal(tag, vr, keyword, names_codes)
        if vr == "SQ":
            if depth < _DEEPEST:
                for item in self._items(element):
                    self.add(item, f"{place} ", depth + 1, keyword in _CODES)
            return
        value = self._value(element, vr, tag)
        self.found.append(Attribute(place, _name(tag), value, personal))

    def add_value(self, tag: int, values: Dataset, path: str, depth: int) -> None:
        """List an element that is converted already."""
        vr, keyword = dictionary_VR(tag), keyword_for_tag(tag)
        place = f"{path}({tag >> 16:04X},{tag & 0xFFFF:04X})"
        self.found.append(
            Attribute(place, _name(tag), _words(values[tag].value), _is_personal(tag, vr, keyword, False))
        )

    def _items(self, element: Element) -> list[dict[int, Element]]:
        try:
            return self.parser.items(element)
        except UnreadableFile:
            return []

    def _value(self, element: Element, vr: str, tag: int) -> str:
        if vr not in _TEXT_VRS | _TECHNICAL_VRS:
            return str(Message("imaging.dicom.bytes", bytes=max(0, element.end - element.start)))
        try:
            values = Dataset()
            values[tag] = self.parser.raw(element, _LONGEST)._replace(VR=vr)
            values.set_original_encoding(self.parser.implicit, self.parser.little_endian, self.charset)
            values.decode()
            return _words(values[tag].value)
        except Exception:  # the library raises anything on damaged values
            return "?"


def _words(value: Any) -> str:
    parts = value if isinstance(value, list | MultiValue) else ["" if value is None else value]
    text = "".join(letter if letter.isprintable() else " " for letter in " \\ ".join(str(part) for part in parts))
    return text if len(text) <= _LONGEST_WORDS else f"{text[:_LONGEST_WORDS]}…"


def _vr(tag: int, element: Element) -> str:
    try:
        known = dictionary_VR(tag)
    except KeyError:
        known = "UN"
    stated = element.vr if element.vr not in (None, "UN") else known
    return (stated or "UN").split(" ")[0]


def _name(tag: int) -> str:
    try:
        return dictionary_description(tag)
    except KeyError:
        return ""


def _is_personal(tag: int, vr: str, keyword: str, names_codes: bool) -> bool:
    if keyword in _SHOWN or (names_codes and keyword == "CodeMeaning"):
        return False
    return tag >> 16 in _PERSONAL_GROUPS or not keyword or vr not in _TECHNICAL_VRS | {"OB", "OW", "OF", "OD"}
