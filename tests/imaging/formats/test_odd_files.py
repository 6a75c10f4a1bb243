"""PNG and WebP files that are damaged where their image is not, hold more than it, or are something else."""

import struct
import zlib

import numpy as np
import pytest

from cxrmodel import errors
from cxrmodel.imaging.radiograph import read_radiograph

LEVELS = np.random.default_rng(0).integers(60, 200, (72, 80)).astype(np.uint8)
DAMAGED, NO_END, SURPLUS = (f"imaging.note.{code}" for code in ("damaged_parts", "no_end", "surplus"))
REFUSED = "imaging.damaged"


def result(data):
    """Codes of the notes of a file, or the code of its refusal."""
    try:
        image = read_radiograph(data, "image")
    except errors.ImageRefused as refusal:
        return refusal.message.code
    assert np.array_equal(image.pixels, LEVELS / np.float32(255))
    return [note.code for note in image.notes]


def broken(chunk, kind, body=b"text"):
    """A chunk with a wrong checksum."""
    whole = chunk(kind, body)
    return whole[:-1] + bytes([whole[-1] ^ 1])


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (b"tEXt", [DAMAGED]),
        (b"iTXt", [DAMAGED]),
        (b"pHYs", [DAMAGED]),
        (b"gAMA", [DAMAGED]),
        (b"iCCP", [DAMAGED]),
        (b"tIME", [DAMAGED]),
        (b"prVt", [DAMAGED]),
        (b"tRNS", REFUSED),
        (b"eXIf", REFUSED),
        (b"PLTE", REFUSED),
        (b"IDAT", REFUSED),
        (b"te\0t", REFUSED),
    ],
)
@pytest.mark.parametrize("place", [33, -12])
def test_a_damaged_chunk_of_a_png(save, chunk, place, kind, expected):
    """One that only describes the image is passed over with a note, before the pixels or after them."""
    data = save(LEVELS, "PNG")
    assert result(data[:place] + broken(chunk, kind) + data[place:]) == expected


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda data: data[:-12], [NO_END]),
        (lambda data: data[:-4], [NO_END]),
        (lambda data: data[:-1] + b"\0", [DAMAGED]),
        (lambda data: data[:-12] + bytes(12), REFUSED),
        (lambda data: data[:-13], REFUSED),
        (lambda data: data[:-16] + data[-12:], REFUSED),
        (lambda data: data + bytes(500), []),
        (lambda data: data + b"\n", [SURPLUS]),
        (lambda data: data + data, [SURPLUS]),
    ],
)
def test_the_end_of_a_png(save, change, expected):
    """It may be missing if the compressed image has reached its own."""
    assert result(change(save(LEVELS, "PNG"))) == expected


@pytest.mark.parametrize("colour_type", [0, 2])
@pytest.mark.parametrize("kept", range(1, 8))
def test_a_png_that_lacks_chunks_of_its_image_is_refused(chunk, colour_type, kept):
    """Each chunk is intact, but the compressed image goes on in the next one."""
    samples = LEVELS.astype(np.uint16) * 257
    samples = np.dstack([samples] * 3) if colour_type else samples
    packed = zlib.compress(b"".join(b"\0" + row.astype(">u2").tobytes() for row in samples))
    parts = [packed[start : start + len(packed) // 8 + 1] for start in range(0, len(packed), len(packed) // 8 + 1)]
    head = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 80, 72, 16, colour_type, 0, 0, 0))
    whole = [chunk(b"IDAT", part) for part in parts]
    assert result(head + b"".join(whole)) == [NO_END]
    assert result(head + b"".join(whole[:kept])) == REFUSED
    assert result(head + b"".join(whole[:kept]) + chunk(b"IEND", b"")) == REFUSED


@pytest.mark.parametrize(("images", "expected"), [(1, []), (2, "imaging.multiple_images")])
def test_an_animation_of_one_image_is_none(save, chunk, images, expected):
    """Some programs write every image as an animation."""
    data = save(LEVELS, "PNG")
    assert result(data[:33] + chunk(b"acTL", struct.pack(">II", images, 0)) + data[33:]) == expected


def test_the_end_of_a_webp(save):
    """Its length may be wrong, but not that of its image."""
    data = save(LEVELS, "WEBP", lossless=True, mode="RGB")
    described = save(LEVELS, "WEBP", lossless=True, mode="RGB", exif=b"Exif\0\0II*\0" + bytes(200))
    longer = data[:4] + struct.pack("<I", len(data)) + data[8:]
    assert result(data) == result(described) == result(data + bytes(99)) == []
    assert result(longer) == result(described[:-50]) == [NO_END]
    assert result(data + b"more") == [SURPLUS]
    for cut in (data[:-2], data[: len(data) // 2], longer[:-2], described[: len(data) - 50]):
        assert result(cut) == REFUSED


@pytest.mark.parametrize(
    ("start", "code"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "office"),
        (b"PK\x05\x06", "zip"),
        (b"BZh91AY", "archive"),
        (b"\xfd7zXZ\0", "archive"),
        (b"\x28\xb5\x2f\xfd", "archive"),
        (b"n" * 257 + b"ustar", "archive"),
        (b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X", "companion"),
        (b"\0\0\0\1Bud1", "companion"),
        (b"<!DOCTYPE html><html><body>Sign in</body></html>" * 20, "text"),
    ],
)
def test_other_files_are_named(start, code):
    """What comes with images from discs and servers."""
    assert result(start + (b"" if code == "text" else bytes(600))) == f"imaging.unsupported.{code}"
