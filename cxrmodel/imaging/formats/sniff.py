"""The types of file that people drop by mistake, known by their first bytes, and what to do about each."""

import struct

__all__ = ["is_dicom", "why_unsupported"]

_AS_PNG = "export the image itself as a PNG or TIFF and drop that."

_SENTENCES = (
    (0, b"%PDF", f"This is a PDF document, which is not read: {_AS_PNG}"),
    (0, b"PK\x03\x04", f"This is a ZIP archive or an office document, which is not read: {_AS_PNG}"),
    (0, b"\x1f\x8b", f"This is a compressed archive, which is not read: unpack it, {_AS_PNG}"),
    (0, b"7z\xbc\xaf\x27\x1c", f"This is a compressed archive, which is not read: unpack it, {_AS_PNG}"),
    (0, b"Rar!", f"This is a compressed archive, which is not read: unpack it, {_AS_PNG}"),
    (0, b"GIF8", f"This is a GIF, which may be animated and has too few grey levels for an image: {_AS_PNG}"),
    (0, b"BM", f"This is a BMP picture, which is not read: {_AS_PNG}"),
    (4, b"ftypavi", f"This is an AVIF picture, which is not read: {_AS_PNG}"),
    (4, b"ftyphei", f"This is a HEIC photograph, as phones take them, which is not read: {_AS_PNG}"),
    (4, b"ftyphev", f"This is a HEIC photograph, as phones take them, which is not read: {_AS_PNG}"),
    (4, b"ftypmif1", f"This is a HEIC photograph, as phones take them, which is not read: {_AS_PNG}"),
    (4, b"ftyp", f"This is a video, which is not read: {_AS_PNG}"),
    (0, b"\x00\x00\x00\x0cjP  ", f"This is a JPEG 2000 picture, which is not read: {_AS_PNG}"),
    (0, b"\xff\x4f\xff\x51", f"This is a JPEG 2000 picture, which is not read: {_AS_PNG}"),
    (0, b"\x00\x00\x00\x0cJXL ", f"This is a JPEG XL picture, which is not read: {_AS_PNG}"),
    (0, b"\xff\x0a", f"This is a JPEG XL picture, which is not read: {_AS_PNG}"),
)


def why_unsupported(data: bytes) -> str | None:
    """Say what a file is that is not read here, and what to do instead.

    Parameters
    ----------
    data : bytes
        A whole file.

    Returns
    -------
    str or None
        A sentence; None for a picture type that is read, and for bytes of no known type.
    """
    for offset, magic, sentence in _SENTENCES:
        if data.startswith(magic, offset):
            return sentence
    if data[:512].isascii() and b"\0" not in data[:512]:
        return f"This is text, not a picture: {_AS_PNG}"
    return None


# Value representations of explicit DICOM encodings; those on the second line have a length of four bytes.
_SHORT_VRS = frozenset(b"AE AS AT CS DA DS DT FL FD IS LO LT PN SH SL SS ST TM UI UL US".split())
_LONG_VRS = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
# A data set begins with its file meta information or with its identification.
_FIRST_GROUPS = (2, 8)
# Elements that must follow each other as the standard says before bytes without a preamble are taken for DICOM.
_ENOUGH, _ENOUGH_META = 4, 2


def is_dicom(data: bytes) -> bool:
    """Whether bytes are a DICOM file: by its preamble, or by elements in due order where there is none.

    Parameters
    ----------
    data : bytes
        A whole file.
    """
    if data[128:132] == b"DICM":
        return True
    return any(_elements(data, order, explicit) >= _ENOUGH for order in "<>" for explicit in (True, False))


def _elements(data: bytes, order: str, explicit: bool) -> int:
    """Count the elements at the start that are well formed: even lengths within the file, tags that rise."""
    position, last = 0, -1
    for count in range(_ENOUGH):
        head = data[position : position + 12].ljust(12, b"\0")
        group, element, vr, short = struct.unpack_from(f"{order}HH2sH", head)
        tag = group << 16 | element
        if last >> 16 == 2 != group:
            # File meta information has come to its end; what follows may be encoded in any way.
            return _ENOUGH if count >= _ENOUGH_META else count
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
    return _ENOUGH
