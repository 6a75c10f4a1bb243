"""TIFF files with previews, further pages, and tags that lead nowhere."""

import struct
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from cxrmodel import errors
from cxrmodel.imaging.radiograph import read_radiograph

LEVELS = np.random.default_rng(0).integers(60, 200, (141, 161)).astype(np.uint8)
DEEP = LEVELS.astype(np.uint16) * 257
HALF, SMALL, MOST = LEVELS[::2, ::2], LEVELS[:40, :30], LEVELS[:100, :81]
PREVIEW, DAMAGED = ["imaging.note.preview"], ["imaging.note.damaged_parts"]
SEVERAL = "imaging.multiple_images"


def pages(*images, **options):
    """A TIFF of several pages."""
    out = BytesIO()
    first, *others = (Image.fromarray(image) for image in images)
    first.save(out, "TIFF", save_all=True, append_images=others, **options)
    return out.getvalue()


def result(data, samples=LEVELS, tolerance=0.0):
    """Codes of the notes of a file, or the code of its refusal."""
    try:
        image = read_radiograph(data, "image")
    except errors.ImageRefused as refusal:
        return refusal.message.code
    white = 255 if samples.dtype == np.uint8 else 65535
    assert np.abs(image.pixels - samples / np.float32(white)).max() <= tolerance
    return [note.code for note in image.notes]


@pytest.mark.parametrize("options", [{}, {"compression": "tiff_lzw"}, {"big_tiff": True}])
@pytest.mark.parametrize(
    ("images", "expected"),
    [
        ((LEVELS,), []),
        ((LEVELS, SMALL), PREVIEW),
        ((LEVELS, HALF), PREVIEW),
        ((LEVELS, HALF, SMALL), PREVIEW),
        ((LEVELS, SMALL.T), PREVIEW),
        ((SMALL, LEVELS), PREVIEW),
        ((SMALL, LEVELS, HALF), PREVIEW),
        ((LEVELS, LEVELS), SEVERAL),
        ((LEVELS, MOST), SEVERAL),
        ((MOST, LEVELS), SEVERAL),
        ((LEVELS, SMALL, LEVELS), SEVERAL),
    ],
)
def test_pages_of_a_tiff(images, expected, options):
    """The one image is read wherever it stands, if all others are at most half as large."""
    assert result(pages(*images, **options)) == expected


def test_a_deep_page_after_its_preview_is_read():
    """Polarity and depth are those of the image, not of the preview."""
    assert result(pages(SMALL, DEEP), DEEP) == PREVIEW


def test_pages_that_lead_nowhere_are_refused(tiff):
    """A further page may have been another image; one that is the same again is none."""
    data = tiff(LEVELS)
    start = struct.unpack_from("<I", data, 4)[0]
    link = start + 2 + 12 * struct.unpack_from("<H", data, start)[0]
    following = {start: [], len(data) + 9: SEVERAL, len(data) - 3: SEVERAL, 8: SEVERAL}
    for position, expected in following.items():
        changed = bytearray(data)
        struct.pack_into("<I", changed, link, position)
        assert result(bytes(changed)) == expected


def with_tag(tiff, tag, kind, count, value):
    """A TIFF with one more tag, of any kind, at the place of its orientation or in front of the others."""
    data = bytearray(tiff(LEVELS, tags={274: 1}))
    place = struct.unpack_from("<I", data, 4)[0] + 2
    while struct.unpack_from("<H", data, place)[0] != 274:
        place += 12
    struct.pack_into("<HHII", data, place, tag, kind, count, value)
    return bytes(data)


@pytest.mark.parametrize(
    ("tag", "kind", "count", "value", "expected"),
    [
        (270, 2, 5_000, 2**31, DAMAGED),
        (282, 5, 1, 2**31, DAMAGED),
        (305, 2, 2**31, 8, DAMAGED),
        (700, 1, 3_000, 2**31, DAMAGED),
        (34_675, 7, 100_000, 8, DAMAGED),
        (34_853, 4, 1, 2**31, []),
        (50_000, 12, 9, 2**31, DAMAGED),
        (50_000, 99, 2**31, 2**31, []),
        (266, 0, 1, 1, []),
        (320, 3, 768, 2**31, "imaging.damaged"),
        (339, 3, 2**30, 8, "imaging.damaged"),
    ],
)
def test_tags_that_lead_nowhere(tiff, tag, kind, count, value, expected):
    """One that only describes the image is passed over with a note; unknown kinds have no value."""
    assert result(with_tag(tiff, tag, kind, count, value)) == expected


@pytest.mark.parametrize("mode", ["L", "RGB", "YCbCr"])
def test_a_tiff_of_jpeg_strips_is_read(mode):
    """Grey or in colour."""
    levels = np.uint8(np.add.outer(np.arange(141), np.arange(100)))
    out = BytesIO()
    Image.fromarray(levels).convert(mode).save(out, "TIFF", compression="jpeg", quality=95)
    assert result(out.getvalue(), levels, 0.02) == []


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({}, []),
        ({279: None}, DAMAGED),
        ({279: 60_000}, DAMAGED),
        ({279: 100}, []),
        ({278: None}, []),
        ({278: 65_535}, []),
        ({273: 500, 279: None}, "imaging.damaged"),
    ],
)
@pytest.mark.parametrize("samples", [LEVELS, DEEP], ids=["8 bits", "16 bits"])
def test_lengths_of_native_strips_follow_from_the_size(tiff, samples, tags, expected):
    """They may be missing or too long, if the file holds all pixels."""
    assert result(tiff(samples, tags=tags), samples) == expected
