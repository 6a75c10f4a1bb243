"""Lungs are masked, kept or exchanged, and nothing else changes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrmodel.evaluation.audits.lung_masking import (
    FADE,
    FILLS_OUTSIDE,
    FILLS_WITHIN,
    GROWN,
    blend,
    exchange_lungs,
    fade,
    hull,
    mirrored,
    only_lungs,
    remove_lungs,
)


def blocks(top: int = 60, left: int = 40, height: int = 90, width: int = 50, apart: int = 90) -> np.ndarray:
    """Two rectangular lungs."""
    mask = np.zeros((224, 224), bool)
    mask[top : top + height, left : left + width] = True
    mask[top : top + height, left + apart : left + apart + width] = True
    return mask


def around(mask: np.ndarray, pixels: float) -> np.ndarray:
    """Everything within so many pixels of a mask, counted by hand."""
    rows, columns = np.nonzero(mask)
    grid = np.indices(mask.shape).reshape(2, -1).T
    edge = np.column_stack([rows, columns])
    near = np.zeros(len(grid), bool)
    for start in range(0, len(edge), 500):
        part = edge[start : start + 500]
        near |= (((grid[:, None] - part[None]) ** 2).sum(2) <= pixels**2).any(1)
    return near.reshape(mask.shape)


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    """Grain between 100 and 160, so that any change shows."""
    return np.random.default_rng(0).integers(100, 161, (224, 224)).astype(np.uint8)


def small() -> np.ndarray:
    """A mask that is quick to measure by hand."""
    mask = np.zeros((40, 40), bool)
    mask[15:20, 15:22] = True
    return mask


@pytest.mark.parametrize(("grown", "width"), [(0, 4), (2, 4), (6, 12)])
def test_weights_are_whole_within_and_nothing_beyond(grown, width):
    """1 up to ``grown`` pixels away, 0 from ``grown + width`` on, between them falling."""
    weight = fade(small(), grown, width)
    assert weight.dtype == np.float32
    assert (weight[around(small(), grown)] == 1).all()
    assert (weight[~around(small(), grown + width)] == 0).all()
    row = weight[17, 21:]
    assert (np.diff(row) <= 0).all()


def test_no_mask_weighs_nothing():
    """There is no distance to nowhere."""
    assert not fade(np.zeros((8, 8), bool)).any()


@given(st.integers(0, 1000))
def test_blending_with_itself_changes_nothing(seed):
    """Whatever the weights."""
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 256, (6, 6)).astype(np.uint8)
    np.testing.assert_array_equal(blend(image, image, rng.random((6, 6), np.float32)), image)


def test_blend_by_hand():
    """A quarter of 200 and three of 100; what is out of range is cut."""
    image, weight = np.full((1, 2), 100, np.uint8), np.float32([[0.25, 1.0]])
    np.testing.assert_array_equal(blend(image, np.float32([[200, 300]]), weight), [[125, 255]])


@pytest.mark.parametrize("fill", FILLS_WITHIN, ids=lambda fill: fill.name)
def test_removing_lungs_leaves_the_surroundings(image, fill):
    """Equal bit by bit outside the fade; the result does not depend on the grey levels of the lungs."""
    mask = blocks()
    region = fill.region(mask)
    made = remove_lungs(image, mask, fill, np.random.default_rng(1))
    assert made.shape == image.shape
    assert made.dtype == np.uint8
    beyond = fade(region, GROWN, FADE) == 0
    np.testing.assert_array_equal(made[beyond], image[beyond])
    other = image.copy()
    other[mask] = 255
    np.testing.assert_array_equal(remove_lungs(other, mask, fill, np.random.default_rng(1))[mask], made[mask])


@pytest.mark.parametrize("fill", FILLS_OUTSIDE, ids=lambda fill: fill.name)
def test_only_the_lungs_are_left(image, fill):
    """Lungs are unchanged, and the result does not depend on the image beyond the fade."""
    mask = blocks()
    made = only_lungs(image, mask, fill, np.random.default_rng(1))
    assert made.dtype == np.uint8
    np.testing.assert_array_equal(made[mask], image[mask])
    beyond = fade(mask, 0, FADE) == 0
    other = np.where(mask, image, 255 - image).astype(np.uint8)
    np.testing.assert_array_equal(only_lungs(other, mask, fill, np.random.default_rng(1))[beyond], made[beyond])


def test_some_fills_are_new_to_the_network():
    """At least one of each kind was never in training, and every name is unique."""
    for fills in (FILLS_WITHIN, FILLS_OUTSIDE):
        assert not all(fill.seen_in_training for fill in fills)
    names = [fill.name for fill in (*FILLS_WITHIN, *FILLS_OUTSIDE)]
    assert len(set(names)) == len(names)


def test_mean_grey_is_that_of_the_rest():
    """Not of the lungs."""
    mask = blocks()
    image = np.where(fade(mask, GROWN) > 0, 10, 130).astype(np.uint8)
    grey = next(fill for fill in FILLS_WITHIN if fill.name == "removed_mean_grey")
    assert (remove_lungs(image, mask, grey, np.random.default_rng(0)) == np.where(mask, 130, image))[mask].all()


def test_hull_spans_both_lungs():
    """A rectangle from the left edge of one to the right edge of the other; nothing has no hull."""
    wanted = np.zeros((224, 224), bool)
    wanted[60:150, 40:180] = True
    np.testing.assert_array_equal(hull(blocks()), wanted)
    assert not hull(np.zeros((5, 5), bool)).any()


def test_mirror_by_hand():
    """A step from the border in is a step from the border out; where the image ends, its edge is repeated."""
    image = np.arange(10, dtype=np.uint8)[None].repeat(3, 0)
    region = np.zeros((3, 10), bool)
    region[:, 6:] = True
    np.testing.assert_array_equal(mirrored(image, region, None)[1], [0, 1, 2, 3, 4, 5, 4, 3, 2, 1])
    region[:, 2:] = True
    np.testing.assert_array_equal(mirrored(image, region, None)[1, :4], [0, 1, 0, 1])
    everything = np.ones_like(region)
    np.testing.assert_array_equal(mirrored(image, everything, None), image)


@pytest.mark.parametrize("match", [False, True])
def test_own_lungs_change_nothing(image, match):
    """An image that is given its own lungs is the same image."""
    np.testing.assert_array_equal(exchange_lungs(image, blocks(), image, blocks(), match), image)


@pytest.mark.parametrize(
    "donor_mask",
    [blocks(30, 20, 120, 40, 120), blocks(80, 60, 60, 30, 70), np.roll(blocks(), 9, 1)],
    ids=["larger", "smaller", "moved"],
)
def test_lungs_land_where_the_others_were(donor_mask):
    """The donor's lungs fill those of the image, whatever their size and place; far from them nothing changes."""
    mask = blocks()
    image = np.where(mask, 20, 200).astype(np.uint8)
    donor = np.where(donor_mask, 120, 240).astype(np.uint8)
    made = exchange_lungs(image, mask, donor, donor_mask)
    inner = np.zeros_like(mask)
    inner[62:148, 42:88] = inner[62:148, 132:178] = True
    assert (made[inner] == 120).all()
    beyond = fade(mask, GROWN + 1) == 0
    np.testing.assert_array_equal(made[beyond], image[beyond])


def test_left_lung_stays_left():
    """Each side gets the donor's lung of that side."""
    mask, donor_mask = blocks(), blocks(40, 30, 60, 40, 100)
    donor = np.full((224, 224), 200, np.uint8)
    donor[:, :100][donor_mask[:, :100]] = 50
    donor[:, 100:][donor_mask[:, 100:]] = 150
    made = exchange_lungs(np.full((224, 224), 90, np.uint8), mask, donor, donor_mask)
    assert (made[65:145, 45:85] == 50).all()
    assert (made[65:145, 135:175] == 150).all()


def test_lungs_that_run_together_are_laid_on_as_one():
    """Where a mask is one region, both are stretched box to box."""
    joined = np.zeros((224, 224), bool)
    joined[60:150, 40:180] = True
    donor = np.where(joined, 120, 240).astype(np.uint8)
    made = exchange_lungs(np.full((224, 224), 200, np.uint8), blocks(), donor, joined)
    assert (made[62:148, 42:178] == 120).all()


def test_greys_are_matched_at_the_border():
    """A donor 40 levels lighter all over and twice as contrasty comes to look like the image around the lungs."""
    rng = np.random.default_rng(3)
    mask = blocks()
    image = np.clip(rng.normal(100, 10, (224, 224)), 0, 255).astype(np.uint8)
    donor = np.clip(rng.normal(140, 20, (224, 224)), 0, 255).astype(np.uint8)
    plain, matched = (exchange_lungs(image, mask, donor, mask, match)[mask] for match in (False, True))
    assert plain.mean() == pytest.approx(140, abs=2)
    assert matched.mean() == pytest.approx(100, abs=2)
    assert matched.std() == pytest.approx(10, abs=1.5)
