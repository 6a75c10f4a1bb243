"""Pixel padding is black, whatever its value, and does not count for the grey scale (PS3.3 C.7.5.1.1.2)."""

import numpy as np
import pytest

from cxrmodel.messages import Message

SIZE = (64, 80)
CORNER = np.add.outer(np.arange(SIZE[0]), np.arange(SIZE[1])) < 40
VALUES = np.linspace(1000, 3400, SIZE[0] * SIZE[1]).reshape(SIZE)
WINDOW = {"WindowCenter": 2048, "WindowWidth": 3800, "VOILUTFunction": "LINEAR_EXACT"}
TABLE = [
    # stored bits, type, padding value in the pixels, PixelPaddingValue, PixelPaddingRangeLimit
    (16, "u2", 65535, 65535, None),
    (16, "u2", 0, 0, None),
    (12, "u2", 4095, 4095, None),
    (12, "u2", 0, 0, None),
    (12, "u2", 2000, 2000, None),
    (12, "u2", 4000, 3900, 4095),
    (12, "u2", 30, 100, 0),
    (12, "u2", 65535, 65535, None),
    (12, "u2", 63536, 63536, None),
    (16, "i2", -2000, -2000, None),
    (16, "i2", -32768, -32768, None),
    (13, "i2", -4096, -4096, None),
    (13, "i2", -32768, -32768, None),
]


def padded(bits, dtype, filled, value, limit):
    """An image of slowly rising values with a corner of padding, and the attributes that state it."""
    samples = VALUES.astype(dtype)
    samples[samples == value] += 1
    samples[CORNER] = filled
    representation = "SS" if dtype == "i2" else "US"
    raw = [(0x00280120, representation, value)]
    raw += [] if limit is None else [(0x00280121, representation, limit)]
    return samples, {"bits": bits, "raw": raw}


@pytest.mark.parametrize(("bits", "dtype", "filled", "value", "limit"), TABLE)
@pytest.mark.parametrize("syntax", ["explicit", "implicit", "big endian"])
@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_padding_is_black_after_the_polarity(read, bits, dtype, filled, value, limit, syntax, photometric):
    """Through a window, which the other pixels keep."""
    samples, options = padded(bits, dtype, filled, value, limit)
    image = read(samples, syntax, PhotometricInterpretation=photometric, **WINDOW, **options)
    shown = (VALUES.astype(dtype) - 148.0) / 3800
    inside = ~CORNER & (samples == VALUES.astype(dtype))
    assert (image.pixels[CORNER] == 0).all()
    assert np.allclose(image.pixels[inside], (1 - shown if image.inverted else shown)[inside], atol=1e-6)


@pytest.mark.parametrize(("bits", "dtype", "filled", "value", "limit"), TABLE)
@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_padding_does_not_count_for_the_grey_scale(read, bits, dtype, filled, value, limit, photometric):
    """Without a window, an image has the same levels whatever surrounds it."""
    samples, options = padded(bits, dtype, filled, value, limit)
    image = read(samples, PhotometricInterpretation=photometric, **options)
    proper = samples[~CORNER].astype(float)
    shown = (proper - proper.min()) / np.ptp(proper)
    assert (image.pixels[CORNER] == 0).all()
    assert np.allclose(image.pixels[~CORNER], 1 - shown if image.inverted else shown, atol=1e-6)


@pytest.mark.parametrize(
    ("photometric", "filled", "noted"), [("MONOCHROME2", 4095, True), ("MONOCHROME1", 4095, False)]
)
def test_a_note_says_what_was_made_black(read, photometric, filled, noted):
    """Where padding is black already, nothing changes."""
    samples, options = padded(12, "u2", filled, filled, None)
    image = read(samples, PhotometricInterpretation=photometric, **WINDOW, **options)
    assert (Message("imaging.dicom.padding") in image.notes) is noted


@pytest.mark.parametrize("value", [0, 4000, 63536])
def test_padding_that_no_pixel_has_changes_nothing(read, value):
    """Many files state it."""
    samples = VALUES.astype("u2")
    stated = read(samples, bits=12, **WINDOW, raw=[(0x00280120, "US", value)])
    plain = read(samples, bits=12, **WINDOW)
    assert np.array_equal(stated.pixels, plain.pixels)
    assert stated.notes == plain.notes


def test_padding_that_every_pixel_has_is_a_wrong_statement(read):
    """The image is shown."""
    samples = VALUES.astype("u2")
    raw = [(0x00280120, "US", 0), (0x00280121, "US", 4095)]
    assert np.array_equal(read(samples, bits=12, **WINDOW, raw=raw).pixels, read(samples, bits=12, **WINDOW).pixels)
