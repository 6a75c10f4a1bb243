"""Each perturbation has its effect, keeps shape and type, and at strength zero changes nothing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrmodel.imaging import perturbations as p


@pytest.fixture(scope="module")
def image(make_image) -> np.ndarray:
    """A drawn image, canonical."""
    return np.rint(make_image(3, (224, 224)) * 255).astype(np.uint8)


NOWHERE = np.zeros((224, 224), bool)


@pytest.mark.parametrize(
    "change",
    [
        lambda image: p.gamma(image, 1.0),
        lambda image: p.squeeze(image, 1.0, 1.0),
        lambda image: p.rotate(image, 0.0),
        lambda image: p.shift(image, 0.0, 0.0),
        lambda image: p.crop_border(image, 0.0),
        lambda image: p.noise(image, 0.0, np.random.default_rng(0)),
        lambda image: p.resample(image, 224),
        lambda image: p.erase_marker(image, NOWHERE),
        lambda image: p.move_marker(image, NOWHERE),
    ],
    ids=["gamma", "squeeze", "rotate", "shift", "crop", "noise", "resample", "erase", "move"],
)
def test_at_no_strength_nothing_changes(image, change):
    """To the grey level; an image without a letter keeps everything."""
    np.testing.assert_array_equal(change(image), image)


def test_every_one_listed_changes_images_and_keeps_their_form(image):
    """uint8, 224 x 224, another picture, the same each time; the letter's two on an image that has one."""
    marked = p.add_marker(image)
    listed = p.perturbations(image[None] // 2)
    assert sorted(listed) == sorted(name for names in p.KINDS.values() for name in names)
    for name, change in listed.items():
        made = change(marked, NOWHERE, np.random.default_rng(0))
        assert made.shape == (224, 224)
        assert made.dtype == np.uint8
        assert (made != marked).any() or name == "marker_added"
        np.testing.assert_array_equal(change(marked, NOWHERE, np.random.default_rng(0)), made)


def test_own_histogram_is_kept():
    """Matching an image to itself moves no grey; matching it to another gives that one's distribution."""
    ramp = np.repeat(np.arange(256, dtype=np.uint8), 4).reshape(32, 32)
    np.testing.assert_array_equal(p.match_histogram(ramp, p.histogram(ramp)), ramp)
    dark = ramp // 2
    matched = p.match_histogram(ramp, p.histogram(dark))
    np.testing.assert_array_equal(np.bincount(matched.ravel(), minlength=256), np.bincount(dark.ravel(), minlength=256))


@given(st.integers(0, 300))
def test_matching_keeps_order(seed):
    """Lighter stays lighter or becomes equal."""
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 256, (12, 12)).astype(np.uint8)
    made = p.match_histogram(image, p.histogram(rng.integers(0, 256, (3, 9)).astype(np.uint8)))
    order = np.argsort(image.ravel())
    assert (np.diff(made.ravel()[order].astype(int)) >= 0).all()


@pytest.mark.parametrize(
    ("exponent", "grey", "expected"), [(0.5, 64, 128), (2.0, 128, 64), (0.6, 0, 0), (1.6, 255, 255)]
)
def test_gamma_by_hand(exponent, grey, expected):
    """The root of a quarter is a half."""
    assert p.gamma(np.full((2, 2), grey, np.uint8), exponent) == pytest.approx(np.full((2, 2), expected), abs=1)


def test_squeezing_puts_black_on_both_sides():
    """A fifth narrower leaves a tenth free at either side."""
    made = p.squeeze(np.full((224, 224), 90, np.uint8), 1.0, 0.8)
    assert (made[:, 23:201] == 90).all()
    assert not made[:, :22].any()
    assert not made[:, -22:].any()


def test_shift_by_hand():
    """A tenth of 20 is two pixels, right and up."""
    image = np.arange(1, 401).reshape(20, 20).astype(np.uint8)
    made = p.shift(image, -0.1, 0.1)
    np.testing.assert_array_equal(made[:18, 2:], image[2:, :18])
    assert not made[18:].any()
    assert not made[:, :2].any()


def test_rotation_turns_counter_clockwise():
    """What is right of the centre goes up; four quarter turns are none."""
    image = np.zeros((224, 224), np.uint8)
    image[108:116, 190:210] = 255
    made = p.rotate(image, 90)
    assert made[14:34, 108:116].mean() > 200
    assert made[108:116, 190:210].mean() < 5


def test_cropping_cuts_the_border(image):
    """A frame of eight per cent is gone."""
    framed = image.copy()
    framed[:16] = framed[-16:] = framed[:, :16] = framed[:, -16:] = 255
    np.testing.assert_array_equal(p.crop_border(framed, 0.08)[4:-4, 4:-4], p.crop_border(image, 0.08)[4:-4, 4:-4])


def test_strength_is_what_it_says(image):
    """Noise of 8 levels deviates by 8; a coarse JPEG differs more than a fine one; a blur takes detail away."""
    grey = np.full((224, 224), 128, np.uint8)
    assert p.noise(grey, 8, np.random.default_rng(0)).std() == pytest.approx(8, rel=0.02)
    errors = [np.abs(p.jpeg(image, quality).astype(int) - image).mean() for quality in (30, 95)]
    assert errors[0] > 1.5 * errors[1]
    assert np.diff(p.blur(image, 2.0).astype(int)).std() < np.diff(image.astype(int)).std()
    assert np.abs(p.resample(image).astype(int) - image).mean() < 3


@pytest.mark.parametrize("left", [True, False])
def test_a_letter_is_found_erased_and_moved(image, left):
    """Found where it was burnt in; gone afterwards; or on the other side, still readable, with nothing else touched."""
    marked = p.add_marker(image, "R", left)
    where = marked != image
    found = p.find_marker(marked, NOWHERE)
    assert (found & where).sum() > 0.8 * where.sum()
    assert found.sum() < 5 * where.sum()
    erased = p.erase_marker(marked, NOWHERE)
    assert p.find_marker(erased, NOWHERE) is None
    np.testing.assert_array_equal(erased[~found], marked[~found])
    moved = p.move_marker(marked, NOWHERE)
    landed = p.find_marker(moved, NOWHERE)
    columns = np.flatnonzero(landed.any(0)).mean()
    assert columns > 150 if left else columns < 74
    assert landed.sum() == pytest.approx(found.sum(), rel=0.35)


def test_what_is_in_or_by_the_lungs_is_no_letter(image):
    """A bright clip on a lung stays."""
    marked = p.add_marker(image)
    assert p.find_marker(marked, marked != image) is None
