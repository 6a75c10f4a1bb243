"""Formats that are recognised but not supported, so that the refusal can name them."""

_SIGNATURES = (
    (0, b"%PDF", "imaging.unsupported.pdf"),
    (0, b"PK\x03\x04", "imaging.unsupported.zip"),
    (0, b"PK\x05\x06", "imaging.unsupported.zip"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "imaging.unsupported.office"),
    (0, b"\x1f\x8b", "imaging.unsupported.archive"),
    (0, b"BZh", "imaging.unsupported.archive"),
    (0, b"\xfd7zXZ\0", "imaging.unsupported.archive"),
    (0, b"\x28\xb5\x2f\xfd", "imaging.unsupported.archive"),
    (257, b"ustar", "imaging.unsupported.archive"),
    (0, b"\x00\x05\x16\x07", "imaging.unsupported.companion"),
    (0, b"\x00\x05\x16\x00", "imaging.unsupported.companion"),
    (0, b"Bud1", "imaging.unsupported.companion"),
    (4, b"Bud1", "imaging.unsupported.companion"),
    (0, b"7z\xbc\xaf\x27\x1c", "imaging.unsupported.archive"),
    (0, b"Rar!", "imaging.unsupported.archive"),
    (0, b"GIF8", "imaging.unsupported.gif"),
    (0, b"BM", "imaging.unsupported.bmp"),
    (4, b"ftypavi", "imaging.unsupported.avif"),
    (4, b"ftyphei", "imaging.unsupported.heic"),
    (4, b"ftyphev", "imaging.unsupported.heic"),
    (4, b"ftypmif1", "imaging.unsupported.heic"),
    (4, b"ftyp", "imaging.unsupported.video"),
    (0, b"\x00\x00\x00\x0cjP  ", "imaging.unsupported.jpeg2000"),
    (0, b"\xff\x4f\xff\x51", "imaging.unsupported.jpeg2000"),
    (0, b"\x00\x00\x00\x0cJXL ", "imaging.unsupported.jpegxl"),
    (0, b"\xff\x0a", "imaging.unsupported.jpegxl"),
)
"""Offset and bytes of a signature, and the code of the refusal. The first that matches counts."""


def unsupported_code(data: bytes) -> str | None:
    """Recognise a file of a format that is not supported.

    Parameters
    ----------
    data : bytes
        A whole file.

    Returns
    -------
    str or None
        Code of the refusal; None for bytes of an unknown format.
    """
    for offset, signature, code in _SIGNATURES:
        if data.startswith(signature, offset):
            return code
    return "imaging.unsupported.text" if data[:512].isascii() and b"\0" not in data[:512] else None
