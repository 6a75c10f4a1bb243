"""Disturbances keep what they must keep."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrmodel.training.augment import borrow_greys, disturb_greys, jitter_box, reframed, replace, soft_mask, turn


@given(st.integers(0, 10_000), st.floats(0, 0.3), st.integers(0, 180), st.integers(0, 180))
def test_jittered_boxes_stay_on_the_image(seed, share, top, left):
    """Whatever the box, the result lies within the image and is at least 8 pixels wide."""
    box = (top, left, top + 40, left + 40)
    top, left, bottom, right = jitter_box(box, np.random.default_rng(seed), share, 224)
    assert 0 <= top <= bottom - 8
    assert 0 <= left <= right - 8
    assert bottom <= 224
    assert right <= 224


def test_no_jitter_keeps_the_box():
    """A share of zero moves nothing."""
    assert jitter_box((10, 20, 110, 220), np.random.default_rng(0), 0.0, 224) == (10, 20, 110, 220)


@pytest.mark.parametrize("seed", range(8))
def test_image_and_mask_turn_together(seed):
    """An image that equals its mask still does after rotation and mirroring, but for its edges."""
    mask = np.zeros((224, 224), bool)
    mask[60:170, 40:90] = True
    image, turned = turn(mask.astype(np.uint8) * 255, mask, np.random.default_rng(seed), 12)
    assert ((image > 127) == turned).mean() > 0.99
    assert turned.sum() == pytest.approx(mask.sum(), rel=0.05)


@pytest.mark.parametrize("seed", range(20))
def test_lungs_survive_new_surroundings(seed):
    """Deep inside the kept part nothing changes; far outside hardly anything stays."""
    rng = np.random.default_rng(seed)
    mask = np.zeros((128, 128), np.uint8)
    mask[32:96, 32:96] = 1
    crop = rng.uniform(0, 255, (128, 128)).astype(np.float32)
    other = rng.uniform(0, 255, (128, 128)).astype(np.float32)
    changed = replace(crop, soft_mask(mask, rng), rng, other)
    np.testing.assert_allclose(changed[48:80, 48:80], crop[48:80, 48:80], atol=0.5)
    assert np.abs(changed[:8] - crop[:8]).mean() > 10


@given(st.integers(0, 10_000))
def test_greys_stay_in_range(seed):
    """Whatever is drawn, the result is finite and within 0..255."""
    rng = np.random.default_rng(seed)
    crop = rng.uniform(0, 255, (32, 32)).astype(np.float32)
    changed = disturb_greys(crop, rng)
    assert changed.shape == (32, 32)
    assert changed.dtype == np.float32
    assert 0 <= changed.min() <= changed.max() <= 255


def test_the_generator_decides():
    """The same generator gives the same image; another gives another."""
    crop = np.linspace(0, 255, 1024, dtype=np.float32).reshape(32, 32)
    first, again, other = (disturb_greys(crop, np.random.default_rng(seed)) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_borrowed_greys_are_the_images_own_or_the_others(share):
    """Share 0 changes nothing; share 1 gives the other's grey distribution, level by level."""
    rng = np.random.default_rng(0)
    crop = rng.integers(60, 120, (64, 64)).astype(np.float32)
    other = rng.integers(100, 220, (64, 64)).astype(np.float32)
    got = borrow_greys(crop, other, share)
    wanted = np.percentile(crop if share == 0 else other, [5, 25, 50, 75, 95])
    assert np.percentile(got, [5, 25, 50, 75, 95]) == pytest.approx(wanted, abs=3)


@pytest.mark.parametrize("seed", range(5))
def test_borrowed_greys_keep_the_order_of_greys(seed):
    """What was lighter stays at least as light."""
    rng = np.random.default_rng(seed)
    crop, other = (rng.integers(0, 256, (32, 32)).astype(np.float32) for _ in range(2))
    got = borrow_greys(crop, other, rng.random())
    assert (np.diff(got.ravel()[np.argsort(crop.ravel(), kind="stable")]) >= -1e-3).all()


@given(st.integers(0, 200))
def test_another_frame_keeps_the_middle(seed):
    """The patient stays in the picture: a bright middle stays bright and inside."""
    image = np.zeros((96, 96), np.uint8)
    image[36:60, 36:60] = 200
    shown = reframed(image, np.random.default_rng(seed), 8.0, 0.3, 0.08)
    assert (shown.shape, shown.dtype) == (image.shape, np.uint8)
    assert shown[44:52, 44:52].max() > 150
    assert 0.4 < (shown > 100).sum() / (image > 100).sum() < 2.2
