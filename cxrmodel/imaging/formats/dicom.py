"""DICOM, in any transfer syntax that ``cxrmodel.imaging.dicom`` decodes."""

import struct
from typing import TYPE_CHECKING

from cxrmodel.imaging.formats.image_format import DecodedImage, Header, ImageFormat

if TYPE_CHECKING:
    from cxrmodel.imaging.dicom.header import DicomHeader

# Value representations of explicit DICOM encodings; those on the second line have a length of four bytes.
_SHORT_VRS = frozenset(b"AE AS AT CS DA DS DT FL FD IS LO LT PN SH SL SS ST TM UI UL US".split())
_LONG_VRS = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
# A data set begins with the group of its file meta information or with that of its identification.
_FIRST_GROUPS = (2, 8)
# Well-formed elements that make bytes without a prefix DICOM.
_MIN_ELEMENTS, _MIN_META_ELEMENTS = 4, 2


def is_dicom(data: bytes) -> bool:
    """Whether bytes are a DICOM file: by its prefix, or by elements in ascending order where there is none.

    Parameters
    ----------
    data : bytes
        A whole file.
    """
    if data[128:132] == b"DICM":
        return True
    return any(
        _leading_elements(data, order, explicit) >= _MIN_ELEMENTS for order in "<>" for explicit in (True, False)
    )


def _leading_elements(data: bytes, order: str, explicit: bool) -> int:
    """Count well-formed elements at the start: even lengths within the file, ascending tags."""
    position, last = 0, -1
    for count in range(_MIN_ELEMENTS):
        head = data[position : position + 12].ljust(12, b"\0")
        group, element, vr, short = struct.unpack_from(f"{order}HH2sH", head)
        tag = group << 16 | element
        if last >> 16 == 2 != group:
            # The file meta information ends here; the rest may be encoded in any way.
            return _MIN_ELEMENTS if count >= _MIN_META_ELEMENTS else count
        if tag <= last or (not count and group not in _FIRST_GROUPS):
            return count
        if not explicit:
            (length,) = struct.unpack_from(f"{order}I", head, 4)
            position += 8
        elif vr in _LONG_VRS:
            (length,) = struct.unpack_from(f"{order}I", head, 8)
            position += 12
        elif vr in _SHORT_VRS:
            length = short
            position += 8
        else:
            return count
        if length % 2 or position + length > len(data):
            return count
        position, last = position + length, tag
    return _MIN_ELEMENTS


# The DICOM libraries take half a second to import, which no other image needs.
def _read_header(data: bytes) -> "DicomHeader":
    from cxrmodel.imaging.dicom.header import read_dicom_header

    return read_dicom_header(data)


def _decode(data: bytes, header: Header) -> DecodedImage:
    from cxrmodel.imaging.dicom.header import DicomHeader
    from cxrmodel.imaging.dicom.image import decode_dicom

    assert isinstance(header, DicomHeader)
    return decode_dicom(header)


DICOM = ImageFormat("DICOM", ("dcm",), is_dicom, _read_header, _decode, damaged="imaging.dicom.damaged")
