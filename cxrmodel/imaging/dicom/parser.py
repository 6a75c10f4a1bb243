"""Elements of a DICOM file, found in bounded time and memory without converting a value (PS3.5 section 7).

Written for files as they come from the field: value representations that contradict the transfer syntax, sequences
without their delimiter, data after the image. What is read in spite of that is remembered.
"""

import re
import struct
from dataclasses import dataclass, field

from pydicom.dataelem import RawDataElement
from pydicom.tag import BaseTag

from cxrmodel.errors import UnreadableFile
from cxrmodel.imaging.formats.dicom import LONG_VRS, SHORT_VRS

PIXEL_DATA = 0x7FE00010
UNDEFINED = 0xFFFFFFFF
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_DELIMITERS = {_ITEM, _ITEM_END, _SEQUENCE_END}

_FUTURE_VR = re.compile(b"[A-Z]{2}")

# Headers of elements and items, of which an image has a few hundred.
_MAX_HEADERS = 50_000
_MAX_DEPTH = 32


def damaged_dicom() -> UnreadableFile:
    """Build the refusal of a damaged DICOM file."""
    return UnreadableFile("imaging.dicom.damaged")


@dataclass(frozen=True)
class Element:
    """One element as stored.

    Attributes
    ----------
    tag : int
    vr : str or None
        Value representation; None where the encoding is implicit.
    length : int
        As stated, or ``UNDEFINED``.
    start, end : int
        Positions of the value, and after it with its delimiter. The value ends with the file where less is there.
    """

    tag: int
    vr: str | None
    length: int
    start: int
    end: int


@dataclass(eq=False)
class Parser:
    """Finds elements in bytes of one encoding.

    Attributes
    ----------
    data : bytes
    implicit, little_endian : bool
    left : int
        Number of headers that may still be read.
    position : int
        After the last element found.
    missing_delimiter : bool
        A sequence without its delimiter was found.
    """

    data: bytes
    implicit: bool
    little_endian: bool
    left: int = _MAX_HEADERS
    position: int = field(default=0, init=False)
    missing_delimiter: bool = field(default=False, init=False)

    def elements(self, position: int, end: int, group: int | None = None) -> dict[int, Element]:
        """Find the elements from a position to an end, to the pixel data, or to the first one of another group.

        Where a tag comes twice, the first element counts.

        Raises
        ------
        UnreadableFile
        """
        found: dict[int, Element] = {}
        self.position = position
        while position + 8 <= end:
            tag, vr, length, start = self._header(position)
            if tag > PIXEL_DATA or group not in (None, tag >> 16):
                break
            if tag == PIXEL_DATA:
                found[tag] = Element(tag, vr, length, start, end)
                break
            self.position = position = self._end(tag, length, start, end, 0)
            found.setdefault(tag, Element(tag, vr, length, start, position))
        return found

    def items(self, sequence: Element) -> list[dict[int, Element]]:
        """Find the elements of each item of a sequence.

        Raises
        ------
        UnreadableFile
        """
        found, position = [], sequence.start
        while position + 8 <= sequence.end:
            tag, _, length, start = self._header(position)
            if tag != _ITEM:
                break
            position = self._item_end(length, start, sequence.end, 0)
            found.append(self.elements(start, position))
        return found

    def raw(self, element: Element, longest: int) -> RawDataElement:
        """Take an element's value out, for the library to convert.

        Raises
        ------
        UnreadableFile
            It has more than `longest` bytes.
        """
        end = element.end if element.length == UNDEFINED else element.start + element.length
        if end - element.start > longest:
            raise UnreadableFile("imaging.dicom.long_element", tag=f"{element.tag >> 16:04X},{element.tag & 65535:04X}")
        value, tag = self.data[element.start : end], BaseTag(element.tag)
        return RawDataElement(tag, element.vr, len(value), value, 0, self.implicit, self.little_endian)

    def _header(self, position: int) -> tuple[int, str | None, int, int]:
        """Tag, value representation, length, and position of the value."""
        self.left -= 1
        if self.left < 0:
            raise UnreadableFile("imaging.dicom.too_many_elements")
        order = "<" if self.little_endian else ">"
        group, number, vr, short = struct.unpack_from(f"{order}HH2sH", self.data, position)
        tag = group << 16 | number
        if not self.implicit and tag not in _DELIMITERS:
            if vr in SHORT_VRS:
                return tag, vr.decode(), short, position + 8
            # A value representation of the future has a length of four bytes (section 6.2).
            if (vr in LONG_VRS or _FUTURE_VR.fullmatch(vr)) and position + 12 <= len(self.data):
                return tag, vr.decode(), struct.unpack_from(f"{order}I", self.data, position + 8)[0], position + 12
        # Some devices put elements without a value representation among those that have one.
        return tag, None, struct.unpack_from(f"{order}I", self.data, position + 4)[0], position + 8

    def _end(self, tag: int, length: int, start: int, end: int, depth: int) -> int:
        """Position after an element."""
        if length == UNDEFINED:
            return self._sequence_end(tag, start, end, depth)
        if start + length > end:
            raise damaged_dicom()
        return start + length

    def _sequence_end(self, tag: int, position: int, end: int, depth: int) -> int:
        """Position after a sequence of undefined length."""
        if depth > _MAX_DEPTH:
            raise UnreadableFile("imaging.dicom.too_many_elements")
        while position + 8 <= end:
            found, _, length, start = self._header(position)
            if found == _SEQUENCE_END:
                return start
            if found != _ITEM:
                # A later element of the data set tells that only the delimiter is missing.
                if depth or found <= tag or found in _DELIMITERS:
                    raise damaged_dicom()
                self.missing_delimiter = True
                return position
            position = self._item_end(length, start, end, depth)
        raise damaged_dicom()

    def _item_end(self, length: int, position: int, end: int, depth: int) -> int:
        """Position after an item, of undefined length or not."""
        if length != UNDEFINED:
            if position + length > end:
                raise damaged_dicom()
            return position + length
        while position + 8 <= end:
            tag, _, length, start = self._header(position)
            if tag == _ITEM_END:
                return start
            if tag in _DELIMITERS:
                # The next item, or the end of the sequence: only the item's delimiter is missing.
                self.missing_delimiter = True
                return position
            position = self._end(tag, length, start, end, depth + 1)
        raise damaged_dicom()
