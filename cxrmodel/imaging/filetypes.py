"""The types of file that people drop by mistake, known by their first bytes, and what to do about each."""

__all__ = ["why_unsupported"]

_AS_PNG = "export the film itself as a PNG or TIFF and drop that."
_DICOM = "This is a DICOM file, which is not read yet: export the film from its viewer as a PNG or TIFF and drop that."

_SENTENCES = (
    (0, b"%PDF", f"This is a PDF document, which is not read: {_AS_PNG}"),
    (0, b"PK\x03\x04", f"This is a ZIP archive or an office document, which is not read: {_AS_PNG}"),
    (0, b"\x1f\x8b", f"This is a compressed archive, which is not read: unpack it, {_AS_PNG}"),
    (0, b"7z\xbc\xaf\x27\x1c", f"This is a compressed archive, which is not read: unpack it, {_AS_PNG}"),
    (0, b"Rar!", f"This is a compressed archive, which is not read: unpack it, {_AS_PNG}"),
    (0, b"GIF8", f"This is a GIF, which may be animated and has too few grey levels for a film: {_AS_PNG}"),
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
    if data[128:132] == b"DICM" or _starts_as_dicom(data):
        return _DICOM
    for offset, magic, sentence in _SENTENCES:
        if data.startswith(magic, offset):
            return sentence
    if data[:512].isascii() and b"\0" not in data[:512]:
        return f"This is text, not a picture: {_AS_PNG}"
    return None


def _starts_as_dicom(data: bytes) -> bool:
    """Whether a data set starts at once, as old DICOM files without a preamble do."""
    return data[:2] in (b"\x02\x00", b"\x08\x00") and data[4:6] in (b"UL", b"UI", b"CS", b"OB", b"SH", b"DA")
