"""Formats are recognised by content; what is not supported is named."""

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxrmodel.errors import ImageTooSmall, UnreadableFile, UnsupportedFile
from cxrmodel.imaging.formats.dicom import is_dicom
from cxrmodel.imaging.formats.image_format import DecodedImage, Header, ImageFormat
from cxrmodel.imaging.formats.registry import FORMATS, extensions, find_format, format_names
from cxrmodel.imaging.formats.unsupported import unsupported_code
from cxrmodel.imaging.radiograph import read_radiograph
from cxrmodel.messages import catalogue

PREAMBLE = bytes(128) + b"DICM\x02\0\0\0UL\x04\0"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"%PDF-1.7\n", "pdf"),
        (b"PK\x03\x04\x14\0", "zip"),
        (b"\x1f\x8b\x08\0", "archive"),
        (b"7z\xbc\xaf\x27\x1c", "archive"),
        (b"Rar!\x1a\x07", "archive"),
        (b"GIF89a", "gif"),
        (b"BM\x36\0\0\0", "bmp"),
        (b"\0\0\0\x20ftypheic", "heic"),
        (b"\0\0\0\x20ftypmif1", "heic"),
        (b"\0\0\0\x20ftypavif", "avif"),
        (b"\0\0\0\x20ftypisom", "video"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "jpeg2000"),
        (b"\xff\x4f\xff\x51\0", "jpeg2000"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "jpegxl"),
        (b"\xff\x0a\0\0", "jpegxl"),
        (b"file,label\n1.png,0\n", "text"),
        (b"<!DOCTYPE html><html>", "text"),
    ],
)
def test_unsupported_formats_are_recognised(data, code):
    """By their first bytes; each has a text of its own."""
    with pytest.raises(UnsupportedFile) as raised:
        find_format(data)
    assert raised.value.message.code == f"imaging.unsupported.{code}"
    assert raised.value.message.code in catalogue().texts


def test_supported_formats_and_unknown_bytes_are_not_unsupported(varieties, save):
    """A code is for formats that are known and not supported."""
    for data, *_ in varieties.values():
        assert unsupported_code(data) is None
    assert unsupported_code(save(varieties["PNG grey"][1] > 0.5, "JPEG", mode="L")) is None
    assert unsupported_code(b"\0\1\2\3" * 50) is None


def test_bytes_of_an_unknown_format_are_refused():
    """The refusal lists the formats that are read."""
    with pytest.raises(UnsupportedFile) as raised:
        find_format(bytes(1000))
    assert raised.value.message.code == "imaging.unknown_format"
    assert raised.value.message.values["formats"] == format_names()


TOY = ImageFormat(
    "toy",
    ("toy", "ty"),
    lambda data: data.startswith(b"TOY1"),
    lambda data: Header(data[4], data[5], 8),
    lambda data, header: DecodedImage(np.full((header.height, header.width), 0.5, np.float32)),
)


def test_a_registered_format_needs_no_other_edit():
    """It is read, checked against the limits, and listed by name and by file extension."""
    with FORMATS.extended(TOY):
        image = read_radiograph(b"TOY1\x50\x60", "image")
        assert (image.file_format, image.pixels.shape) == ("toy", (96, 80))
        assert "toy" in str(format_names())
        assert extensions()[-2:] == ("toy", "ty")
        with pytest.raises(ImageTooSmall):
            read_radiograph(b"TOY1\x50\x20", "image")
        with pytest.raises(UnreadableFile) as raised:
            read_radiograph(b"TOY1", "image")
        assert raised.value.message.values == {"format": "toy"}
    with pytest.raises(UnsupportedFile):
        read_radiograph(b"TOY1\x50\x60", "image")


META = [(2, 2, b"UI", b"1.2.840.10008.5.1.4.1.1.1\0"), (2, 16, b"UI", b"1.2.840.10008.1.2\0")]
HEAD = [(8, 5, b"CS", b"ISO_IR 100"), (8, 22, b"UI", b"1.2\0"), (8, 24, b"UI", b"1.2.3\0"), (8, 96, b"CS", b"CR")]


def elements(listed, order="<", explicit=True):
    """Encode data elements."""
    form = f"{order}HH2sH" if explicit else f"{order}HHI"
    return b"".join(
        struct.pack(form, group, element, *([vr] if explicit else []), len(value)) + value
        for group, element, vr, value in listed
    )


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (PREAMBLE, True),
        (b"II*\0" + PREAMBLE[4:], True),
        (b"MM\0*" + PREAMBLE[4:], True),
        (elements(META) + b"anything that follows", True),
        (elements(META[:1]) + b"anything that follows", False),
        (elements(HEAD), True),
        (elements(HEAD, explicit=False), True),
        (elements(HEAD, ">"), True),
        (elements(HEAD[:3]), False),
        (elements(HEAD[::-1]), False),
        (elements([HEAD[0]] * 4), False),
        (elements(HEAD)[:-1], False),
        (elements([(8, element, b"ZZ", value) for _, element, _, value in HEAD]), False),
        (elements([(9, element, vr, value) for _, element, vr, value in HEAD]), False),
        (elements(HEAD)[:8], False),
        (b"", False),
        (b"DICM", False),
    ],
)
def test_dicom_is_known_by_its_prefix_or_by_elements_in_order(data, expected):
    """Four elements in due order, or file meta information: no single number makes a file DICOM."""
    assert is_dicom(data) is expected


@settings(max_examples=200, deadline=None)
@given(st.sampled_from([b"", b"\2\0", b"\x08\0", b"\0\x08", b"\x08\0\5\0CS"]), st.binary(max_size=300))
def test_noise_is_not_taken_for_dicom(start, noise):
    """Whatever it starts with."""
    assert not is_dicom(start + noise)


def test_arrays_of_numbers_are_not_taken_for_dicom():
    """Raw samples that happen to begin with the number of a DICOM group."""
    for dtype in ("u1", "<u2", ">u2", "<u4", "<f4"):
        for first in (2, 8):
            assert not is_dicom(np.arange(first, first + 500).astype(dtype).tobytes())
            assert not is_dicom(np.full(500, first, dtype).tobytes())
