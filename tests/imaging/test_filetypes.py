"""What people drop by mistake is named to them."""

import pytest

from cxrmodel.imaging.filetypes import why_unsupported

PREAMBLE = bytes(128) + b"DICM\x02\0\0\0UL\x04\0"


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (PREAMBLE, "DICOM file, which is not read yet"),
        (b"II*\0" + PREAMBLE[4:], "DICOM"),
        (b"MM\0*" + PREAMBLE[4:], "DICOM"),
        (b"\x08\0\x05\0CS\x0a\0ISO_IR 100", "DICOM"),
        (b"\x02\0\0\0UL\x04\0" + bytes(200), "DICOM"),
        (b"%PDF-1.7\n", "PDF"),
        (b"PK\x03\x04\x14\0", "ZIP archive or an office document"),
        (b"\x1f\x8b\x08\0", "compressed archive"),
        (b"7z\xbc\xaf\x27\x1c", "compressed archive"),
        (b"Rar!\x1a\x07", "compressed archive"),
        (b"GIF89a", "GIF"),
        (b"BM\x36\0\0\0", "BMP"),
        (b"\0\0\0\x20ftypheic", "HEIC photograph"),
        (b"\0\0\0\x20ftypmif1", "HEIC photograph"),
        (b"\0\0\0\x20ftypavif", "AVIF"),
        (b"\0\0\0\x20ftypisom", "video"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
        (b"\xff\x4f\xff\x51\0", "JPEG 2000"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
        (b"\xff\x0a\0\0", "JPEG XL"),
        (b"file,label\n1.png,0\n", "text"),
        (b"<!DOCTYPE html><html>", "text"),
    ],
)
def test_each_type_has_its_sentence(data, word):
    """The sentence names the type and tells what to export."""
    sentence = why_unsupported(data)
    assert word in sentence
    assert sentence.endswith(".")
    assert "PNG or TIFF" in sentence


def test_pictures_that_are_read_and_unknown_bytes_have_none(varieties, save):
    """Nothing is said of the types that are read, nor of bytes of no known type."""
    for data, *_ in varieties.values():
        assert why_unsupported(data) is None
    assert why_unsupported(save(varieties["PNG grey"][1] > 0.5, "JPEG", mode="L")) is None
    assert why_unsupported(b"\0\1\2\3" * 50) is None
