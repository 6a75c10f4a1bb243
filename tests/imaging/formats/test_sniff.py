"""What people drop by mistake is named to them."""

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxrmodel.imaging.formats.sniff import is_dicom, why_unsupported

PREAMBLE = bytes(128) + b"DICM\x02\0\0\0UL\x04\0"


@pytest.mark.parametrize(
    ("data", "word"),
    [
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
