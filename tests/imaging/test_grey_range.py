"""Black and white of images whose files do not state them: the image's own range, without isolated values."""

import cv2
import numpy as np
import pytest

from cxrmodel.errors import UnreadableFile
from cxrmodel.imaging.grey_range import Scale, find_grey_range
from cxrmodel.imaging.radiograph import read_radiograph
from cxrmodel.messages import Message


@pytest.fixture(scope="module")
def film(make_image):
    """A drawn image whose values fill 0..255, float64, finer than eight bits."""
    image = make_image()
    return 255.0 * (image - image.min()) / np.ptp(image)


def stored(film, low, high, dtype=np.uint16):
    """The film with its scale from `low` to `high`."""
    values = low + film / 255 * (high - low)
    return np.rint(values).astype(dtype) if np.issubdtype(dtype, np.integer) else values.astype(dtype)


def painted(samples, *boxes):
    """With rectangles (top, left, height, width, value, blur) painted on; a blurred one has edges of all values."""
    image = samples.astype(np.float64)
    for top, left, height, width, value, blur in boxes:
        mask = np.zeros(samples.shape)
        mask[top : top + height, left : left + width] = 1
        mask = cv2.GaussianBlur(mask, (0, 0), blur) if blur else mask
        image = image * (1 - mask) + value * mask
    return np.rint(image).astype(samples.dtype)


@pytest.mark.parametrize(
    ("low", "high", "dtype"),
    [
        (500, 2957, np.uint16),
        (1000, 3047, np.uint16),
        (0, 2457, np.uint16),
        (0, 45000, np.uint16),
        (30000, 34095, np.uint16),
        (-1024, 1500, np.int32),
        (0, 2457, np.int32),
        (0, 3_000_000_000, np.uint32),
        (0.0, 0.6, np.float32),
        (0.1, 0.7, np.float32),
        (-1.0, 1.0, np.float32),
        (-1024.0, 3071.0, np.float32),
        (0.0, 600.0, np.float32),
    ],
)
@pytest.mark.parametrize("inverse", [False, True])
def test_an_image_that_fills_no_scale_has_its_own_range(film, low, high, dtype, inverse):
    """To within 6 % at the bright end, which no pixel of the film saturates, and rounding at the dark one."""
    found = find_grey_range(stored(255 - film if inverse else film, low, high, dtype), inverse=inverse)
    bright, dark = (found.scale.low, found.scale.high) if inverse else (found.scale.high, found.scale.low)
    length = high - low
    assert found.own
    assert not found.isolated
    assert dark == pytest.approx(high if inverse else low, abs=0.001 * length)
    assert bright == pytest.approx(low - 0.064 * length if inverse else high + 0.064 * length, abs=0.002 * length)


@pytest.mark.parametrize(
    ("low", "high", "dtype", "scale"),
    [
        (0, 4095, np.uint16, (0, 4095, 12)),
        (0, 3500, np.uint16, (0, 4095, 12)),
        (0, 1000, np.uint16, (0, 1023, 10)),
        (0, 16000, np.uint16, (0, 16383, 14)),
        (0, 32000, np.uint16, (0, 32767, 15)),
        (0, 60000, np.uint16, (0, 65535, 16)),
        (0, 200, np.uint16, (0, 255, 8)),
        (0, 4000, np.int32, (0, 4095, 12)),
        (0, 4000, np.uint32, (0, 4095, 12)),
        (0.0, 0.95, np.float32, (0, 1, 0)),
    ],
)
def test_a_scale_in_general_use_is_recognised(film, low, high, dtype, scale):
    """By its highest value, if the lowest is near 0."""
    found = find_grey_range(stored(film, low, high, dtype))
    assert found.scale == Scale(*scale)
    assert not found.own


@pytest.mark.parametrize("bits", [10, 12, 14])
def test_bits_in_higher_places_are_recognised(film, bits):
    """As a multiple of the scale."""
    shift = 16 - bits
    samples = stored(film, 0, 0.95 * (2**bits - 1)) << np.uint16(shift)
    assert find_grey_range(samples).scale == Scale(0, (2**bits - 1) << shift, bits)


@pytest.mark.parametrize(
    ("multiplied", "scale"),
    [
        (lambda levels: levels.astype(np.uint16) * 257, (0, 65535)),
        (lambda levels: levels.astype(np.uint16) * 256, (0, 65280)),
        (lambda levels: levels.astype(np.uint16) * 16, (0, 4080)),
        (lambda levels: levels.astype(np.uint16) * 8 + 1000, (1000, 3040)),
        (lambda levels: np.rint(levels * (2457 / 255)).astype(np.uint16), (0, 2457)),
        (lambda levels: levels.astype(np.uint32) * 16843009, (0, 4294967295)),
        (lambda levels: (levels / 255).astype(np.float32), (0, 1)),
        (lambda levels: levels.astype(np.float32), (0, 255)),
    ],
)
def test_eight_bits_are_recognised_however_multiplied(film, multiplied, scale):
    """Also where the film reaches only 0.7 of white."""
    levels = np.rint(film * 0.7).astype(np.uint8)
    levels[0, 0] = 0
    found = find_grey_range(multiplied(levels))
    assert found.scale.bits == 8
    assert found.scale[:2] == pytest.approx(scale, rel=0.003)


MARKERS = {
    "one": [(10, 10, 40, 60, 65535, 0)],
    "blurred": [(10, 10, 40, 60, 65535, 2)],
    "two": [(10, 10, 40, 60, 65535, 1), (400, 400, 40, 40, 20000, 1)],
    "two far from white": [(10, 10, 40, 40, 65535, 1), (400, 400, 40, 40, 15000, 1)],
    "bright and dark": [(10, 10, 40, 60, 65535, 1), (10, 300, 40, 60, 0, 1)],
    "dark": [(10, 10, 40, 60, 0, 1)],
    "seven in a hundred": [(10, 10, 120, 156, 65535, 1)],
    "letters": [(row, column, 3, 24, 65535, 0) for row in range(10, 80, 7) for column in range(10, 300, 30)],
    "a hot pixel": [(50, 50, 1, 1, 65535, 0)],
}


@pytest.mark.parametrize("boxes", MARKERS.values(), ids=MARKERS)
@pytest.mark.parametrize("inverse", [False, True])
def test_isolated_values_do_not_set_the_range(film, boxes, inverse):
    """Bright or dark, several of different values, with blurred edges, of up to a few in a hundred pixels."""
    plain = stored(film, 6000, 10000)
    samples = painted(plain, *boxes)
    if inverse:
        plain, samples = 65535 - plain, 65535 - samples
    found = find_grey_range(samples, inverse=inverse)
    assert found.isolated
    assert (found.lowest, found.highest) == pytest.approx((plain.min(), plain.max()), abs=120)


@pytest.mark.parametrize(
    "boxes",
    [
        [],
        [(10, 10, 40, 60, 4095, 1)],
        [(10, 10, 40, 60, 0, 1)],
        [(0, 0, 480, 80, 0, 0)],
        [(0, 0, 480, 250, 0, 0)],
        [(0, 0, 60, 560, 4095, 0)],
        [(100, 250, 1, 1, 4095, 0)],
    ],
    ids=["none", "white letter", "black letter", "air", "collimated", "white border", "peak"],
)
def test_an_image_keeps_its_own_extremes(film, boxes):
    """Values that fill an ordinary range are air, bone and letters of the film, however few."""
    samples = painted(stored(film, 300, 3500), *boxes)
    found = find_grey_range(samples)
    assert not found.isolated
    assert (found.lowest, found.highest) == (samples.min(), samples.max())


@pytest.mark.parametrize(("low", "high"), [(0, 3300), (300, 4095), (300, 3300), (0, 60000)])
def test_both_polarities_of_a_film_fill_the_same_scale(film, low, high):
    """The bright end is the one that may be farther from the end of the scale."""
    top = 65535 if high > 4095 else 4095
    found, inverse = (
        find_grey_range(samples, inverse=inverse)
        for samples, inverse in ((stored(film, low, high), False), (top - stored(film, low, high), True))
    )
    assert not found.own
    assert found.scale == inverse.scale


DRAWN = {
    "border": [(0, 0, 480, 60, None, 0), (0, 500, 480, 60, None, 0), (0, 0, 40, 560, None, 0)],
    "shutter": [(0, 0, 150, 560, None, 0), (400, 0, 80, 560, None, 0)],
    "letter": [(20, 20, 40, 12, None, 0.5), (52, 20, 12, 30, None, 0.5)],
    "thin letter": [(20, 20, 40, 1, None, 0), (60, 20, 1, 30, None, 0)],
    "a dead pixel": [(200, 300, 1, 1, None, 0)],
}


@pytest.mark.parametrize("boxes", DRAWN.values(), ids=DRAWN)
@pytest.mark.parametrize(
    ("low", "high", "value"), [(500, 2957, 0), (6000, 10000, 0), (6000, 10000, 65535), (0, 4095, 65535)]
)
@pytest.mark.parametrize("inverse", [False, True])
def test_what_is_drawn_in_one_value_does_not_set_the_range(film, boxes, low, high, value, inverse):
    """However large, if the image fills no scale with it; white on black as well where it is far away."""
    plain = stored(film, low, high)
    samples = painted(plain, *[(*place, value, blur) for *place, _, blur in boxes])
    if inverse:
        plain, samples = 65535 - plain, 65535 - samples
    found = find_grey_range(samples, inverse=inverse)
    assert found.isolated
    assert (found.lowest, found.highest) == pytest.approx((plain.min(), plain.max()), abs=0.03 * (high - low))


@pytest.mark.parametrize("inverse", [False, True])
def test_bright_letters_of_a_film_stay(film, inverse):
    """A film has them beyond a gap above bone, and not below air."""
    samples = painted(stored(film, 500, 2400), (10, 10, 40, 60, 2957, 1))
    samples = 65535 - samples if inverse else samples
    found = find_grey_range(samples, inverse=inverse)
    assert found.own
    assert not found.isolated
    assert (found.lowest, found.highest) == (samples.min(), samples.max())


def test_pixels_that_do_not_count_set_no_range(film):
    """Those of padding and transparent ones."""
    samples = stored(film, 500, 2957)
    counted = np.ones(samples.shape, bool)
    counted[:200] = False
    samples[:200] = 40000
    found = find_grey_range(samples, counted)
    assert (found.lowest, found.highest) == (samples[200:].min(), samples[200:].max())
    assert not found.isolated


def test_the_scale_that_a_file_states_comes_first(film):
    """Thirteen bits are in no general use."""
    stated = Scale(0.0, 8191.0)
    assert find_grey_range(stored(film, 0, 8000), stated=stated).scale == stated
    assert find_grey_range(stored(film, 0, 4000), stated=stated).scale == Scale(0, 4095, 12)
    assert find_grey_range(stored(film, 0, 2457), stated=stated).own


@pytest.mark.parametrize("samples", [np.full((64, 64), 7, np.uint16), np.full((64, 64), -3, np.int32)])
def test_an_image_of_one_value_has_a_range(samples):
    """It is empty."""
    found = find_grey_range(samples)
    assert found.lowest == found.highest == samples[0, 0]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_no_numbers_are_refused(film, value):
    """They have no place on a scale."""
    samples = film.astype(np.float32)
    samples[3, 4] = value
    with pytest.raises(UnreadableFile) as refusal:
        find_grey_range(samples)
    assert refusal.value.message == Message("imaging.not_finite")


@pytest.mark.parametrize(
    "variety", ["PNG", "PNG colour", "PNG alpha", "TIFF", "TIFF signed", "TIFF unsigned", "TIFF float"]
)
def test_every_deep_format_is_spread_with_a_note(film, raw_png, tiff, variety):
    """Black and white are where they are in the film of eight bits, to within its 6 %."""
    samples = painted(stored(film, 500, 2957), (10, 10, 30, 40, 30000, 1))
    data = {
        "PNG": lambda: raw_png(samples, 0),
        "PNG colour": lambda: raw_png(np.dstack([samples] * 3), 2),
        "PNG alpha": lambda: raw_png(np.dstack([samples, np.full_like(samples, 65535)]), 4),
        "TIFF": lambda: tiff(samples, ">"),
        "TIFF signed": lambda: tiff(samples.astype(np.int16) - np.int16(2000)),
        "TIFF unsigned": lambda: tiff(samples.astype(np.uint32) * 100_000, ">"),
        "TIFF float": lambda: tiff(samples.astype(np.float32) / 1000 - 3),
    }[variety]()
    image = read_radiograph(data, "image")
    expected = film / 255
    assert np.abs(image.pixels - expected)[60:].max() < 0.065
    assert image.pixels[60:].min() < 0.001
    assert image.pixels[20, 20] == 1
    assert [note.code for note in image.notes] == ["imaging.note.own_range", "imaging.note.isolated"]


def test_a_deep_tinted_image_is_judged_on_its_own_scale(film, raw_png):
    """A faint tint of an image that uses little of 16 bits is found and removed."""
    image = read_radiograph(raw_png(np.dstack([stored(film, 0, top) for top in (2000, 2250, 2400)]), 2), "image")
    assert Message("imaging.note.tint") in image.notes
    assert image.pixels.max() > 0.9
