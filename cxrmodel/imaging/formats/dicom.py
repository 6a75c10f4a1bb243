"""DICOM, in any transfer syntax that ``cxrmodel.imaging.dicom`` decodes."""

import struct
from collections.abc import Container
from typing import TYPE_CHECKING

from cxrmodel.imaging.formats.image_format import DecodedImage, Header, ImageFormat

if TYPE_CHECKING:
    from cxrmodel.imaging.dicom.header import DicomHeader

# Value representations of explicit DICOM encodings; those on the second line have a length of four bytes.
SHORT_VRS = frozenset(b"AE AS AT CS DA DS DT FL FD IS LO LT PN SH SL SS ST TM UI UL US".split())
LONG_VRS = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
# A data set begins with the group of its file meta information or with that of its identification.
_FIRST_GROUPS = (2, 8)
# Well-formed elements that make bytes without a prefix DICOM.
MIN_ELEMENTS, _MIN_META_ELEMENTS = 4, 2


_PREFIX = b"DICM"
_PREAMBLE = 128
ENCODINGS = ((True, True), (False, True), (False, False), (True, False))
"""Whether value representations are implicit, and whether the byte order is little-endian."""


def is_dicom(data: bytes) -> bool:
    """Whether bytes are a DICOM file: by its prefix, or by elements in ascending order where there is none.

    Parameters
    ----------
    data : bytes
        A whole file.
    """
    return start_of(data) is not None


def start_of(data: bytes) -> int | None:
    """Position of the first element, after preamble and prefix if the file has them; None where it is no DICOM file."""
    if data.startswith(_PREFIX, _PREAMBLE):
        return _PREAMBLE + len(_PREFIX)
    # Preamble or prefix alone may be missing.
    for start in (0, _PREAMBLE, len(_PREFIX)):
        if any(leading_elements(data, start, *encoding, _FIRST_GROUPS) >= MIN_ELEMENTS for encoding in ENCODINGS):
            return start
    return None


def leading_elements(
    data: bytes, position: int, implicit: bool, little_endian: bool, first: Container[int] = range(2, 0x7FE0)
) -> int:
    """Count well-formed elements from a position on, up to ``MIN_ELEMENTS``: even lengths, ascending tags.

    Parameters
    ----------
    data : bytes
    position : int
    implicit, little_endian : bool
        One of ``ENCODINGS``.
    first : container of int
        Groups of which the first element may be.
    """
    last, order = -1, "<" if little_endian else ">"
    for count in range(MIN_ELEMENTS):
        head = data[position : position + 12].ljust(12, b"\0")
        group, element, vr, short = struct.unpack_from(f"{order}HH2sH", head)
        tag = group << 16 | element
        if last >> 16 == 2 != group:
            # The file meta information ends here; the rest may be encoded in any way.
            return MIN_ELEMENTS if count >= _MIN_META_ELEMENTS else count
        if tag <= last or (not count and group not in first):
            return count
        if implicit:
            (length,) = struct.unpack_from(f"{order}I", head, 4)
            position += 8
        elif vr in LONG_VRS:
            (length,) = struct.unpack_from(f"{order}I", head, 8)
            position += 12
        elif vr in SHORT_VRS:
            length = short
            position += 8
        else:
            return count
        if length % 2 or position + length > len(data):
            return count
        position, last = position + length, tag
    return MIN_ELEMENTS


# The DICOM libraries take half a second to import, which no other image needs.
def _read_header(data: bytes) -> "DicomHeader":
    from cxrmodel.imaging.dicom.header import read_dicom_header

    return read_dicom_header(data)


def _decode(data: bytes, header: Header) -> DecodedImage:
    from cxrmodel.imaging.dicom.header import DicomHeader
    from cxrmodel.imaging.dicom.image import decode_dicom

    assert isinstance(header, DicomHeader)
    return decode_dicom(header)


DICOM = ImageFormat(
    "DICOM", ("dcm",), is_dicom, _read_header, _decode, damaged="imaging.dicom.damaged", bytes_per_pixel=12
)
