"""Each perturbation does what it is called, keeps shape and type, and at no strength changes nothing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrmodel.evaluation import perturbations as p


@pytest.fixture(scope="module")
def film(make_film) -> np.ndarray:
    """A drawn film, canonical."""
    return np.rint(make_film(3, (224, 224)) * 255).astype(np.uint8)


NOWHERE = np.zeros((224, 224), bool)


@pytest.mark.parametrize(
    "change",
    [
        lambda film: p.gamma(film, 1.0),
        lambda film: p.squeeze(film, 1.0, 1.0),
        lambda film: p.rotate(film, 0.0),
        lambda film: p.shift(film, 0.0, 0.0),
        lambda film: p.crop_border(film, 0.0),
        lambda film: p.noise(film, 0.0, np.random.default_rng(0)),
        lambda film: p.resample(film, 224),
        lambda film: p.erase_marker(film, NOWHERE),
        lambda film: p.move_marker(film, NOWHERE),
    ],
    ids=["gamma", "squeeze", "rotate", "shift", "crop", "noise", "resample", "erase", "move"],
)
def test_at_no_strength_nothing_changes(film, change):
    """To the grey level; a film without a letter keeps everything."""
    np.testing.assert_array_equal(change(film), film)


def test_every_one_listed_changes_films_and_keeps_their_form(film):
    """uint8, 224 x 224, another picture, the same each time; the letter's two on a film that has one."""
    marked = p.add_marker(film)
    listed = p.perturbations(film[None] // 2)
    assert len(listed) == p.COUNT == len({item.name for item in listed})
    for _, description, change in listed:
        made = change(marked, NOWHERE, np.random.default_rng(0))
        assert made.shape == (224, 224)
        assert made.dtype == np.uint8
        assert (made != marked).any() or "upper left" in description
        np.testing.assert_array_equal(change(marked, NOWHERE, np.random.default_rng(0)), made)


def test_own_histogram_is_kept():
    """Matching a film to itself moves no grey; matching it to another gives that one's distribution."""
    ramp = np.repeat(np.arange(256, dtype=np.uint8), 4).reshape(32, 32)
    np.testing.assert_array_equal(p.match_histogram(ramp, p.histogram(ramp)), ramp)
    dark = ramp // 2
    matched = p.match_histogram(ramp, p.histogram(dark))
    np.testing.assert_array_equal(np.bincount(matched.ravel(), minlength=256), np.bincount(dark.ravel(), minlength=256))


@given(st.integers(0, 300))
def test_matching_keeps_order(seed):
    """Lighter stays lighter or becomes equal."""
    rng = np.random.default_rng(seed)
    film = rng.integers(0, 256, (12, 12)).astype(np.uint8)
    made = p.match_histogram(film, p.histogram(rng.integers(0, 256, (3, 9)).astype(np.uint8)))
    order = np.argsort(film.ravel())
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
    film = np.arange(1, 401).reshape(20, 20).astype(np.uint8)
    made = p.shift(film, -0.1, 0.1)
    np.testing.assert_array_equal(made[:18, 2:], film[2:, :18])
    assert not made[18:].any()
    assert not made[:, :2].any()


def test_rotation_turns_counter_clockwise():
    """What is right of the centre goes up; four quarter turns are none."""
    film = np.zeros((224, 224), np.uint8)
    film[108:116, 190:210] = 255
    made = p.rotate(film, 90)
    assert made[14:34, 108:116].mean() > 200
    assert made[108:116, 190:210].mean() < 5


def test_cropping_cuts_the_border(film):
    """A frame of eight per cent is gone."""
    framed = film.copy()
    framed[:16] = framed[-16:] = framed[:, :16] = framed[:, -16:] = 255
    np.testing.assert_array_equal(p.crop_border(framed, 0.08)[4:-4, 4:-4], p.crop_border(film, 0.08)[4:-4, 4:-4])


def test_strength_is_what_it_says(film):
    """Noise of 8 levels deviates by 8; a coarse JPEG differs more than a fine one; a blur takes detail away."""
    grey = np.full((224, 224), 128, np.uint8)
    assert p.noise(grey, 8, np.random.default_rng(0)).std() == pytest.approx(8, rel=0.02)
    errors = [np.abs(p.jpeg(film, quality).astype(int) - film).mean() for quality in (30, 95)]
    assert errors[0] > 1.5 * errors[1]
    assert np.diff(p.blur(film, 2.0).astype(int)).std() < np.diff(film.astype(int)).std()
    assert np.abs(p.resample(film).astype(int) - film).mean() < 3


@pytest.mark.parametrize("left", [True, False])
def test_a_letter_is_found_erased_and_moved(film, left):
    """Found where it was burnt in; gone afterwards; or on the other side, still readable, with nothing else touched."""
    marked = p.add_marker(film, "R", left)
    where = marked != film
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


def test_what_is_in_or_by_the_lungs_is_no_letter(film):
    """A bright clip on a lung stays."""
    marked = p.add_marker(film)
    assert p.find_marker(marked, marked != film) is None
