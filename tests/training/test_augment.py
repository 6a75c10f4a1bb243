"""Augmentation: what each transform changes and what it preserves."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrmodel.training.augment import (
    jitter_crop,
    match_histogram,
    perturb_intensity,
    random_affine,
    replace_background,
    rotate_and_flip,
    soft_mask,
)


@given(st.integers(0, 10_000), st.floats(0, 0.3), st.integers(0, 180), st.integers(0, 180))
def test_jittered_crops_stay_within_the_image(seed, share, top, left):
    """The result is within the image and is at least 8 pixels wide."""
    box = (top, left, top + 40, left + 40)
    top, left, bottom, right = jitter_crop(box, np.random.default_rng(seed), share, 224)
    assert 0 <= top <= bottom - 8
    assert 0 <= left <= right - 8
    assert bottom <= 224
    assert right <= 224


def test_zero_jitter_keeps_the_box():
    """A share of zero moves nothing."""
    assert jitter_crop((10, 20, 110, 220), np.random.default_rng(0), 0.0, 224) == (10, 20, 110, 220)


@pytest.mark.parametrize("seed", range(8))
def test_image_and_mask_rotate_together(seed):
    """An image that equals its mask still does after rotation and flipping, except at its edges."""
    mask = np.zeros((224, 224), bool)
    mask[60:170, 40:90] = True
    image, rotated = rotate_and_flip(mask.astype(np.uint8) * 255, mask, np.random.default_rng(seed), 12)
    assert ((image > 127) == rotated).mean() > 0.99
    assert rotated.sum() == pytest.approx(mask.sum(), rel=0.05)


@pytest.mark.parametrize("seed", range(20))
def test_a_new_background_preserves_the_lungs(seed):
    """The middle of the mask is unchanged; far outside the pixels differ."""
    rng = np.random.default_rng(seed)
    mask = np.zeros((128, 128), np.uint8)
    mask[32:96, 32:96] = 1
    crop = rng.uniform(0, 255, (128, 128)).astype(np.float32)
    other = rng.uniform(0, 255, (128, 128)).astype(np.float32)
    changed = replace_background(crop, soft_mask(mask, rng), rng, other)
    np.testing.assert_allclose(changed[48:80, 48:80], crop[48:80, 48:80], atol=0.5)
    assert np.abs(changed[:8] - crop[:8]).mean() > 10


@given(st.integers(0, 10_000))
def test_intensities_stay_in_range(seed):
    """The result is finite, float32 and within 0..255."""
    rng = np.random.default_rng(seed)
    crop = rng.uniform(0, 255, (32, 32)).astype(np.float32)
    changed = perturb_intensity(crop, rng)
    assert changed.shape == (32, 32)
    assert changed.dtype == np.float32
    assert 0 <= changed.min() <= changed.max() <= 255


def test_the_generator_determines_the_result():
    """The same generator gives the same image; another gives another."""
    crop = np.linspace(0, 255, 1024, dtype=np.float32).reshape(32, 32)
    first, again, other = (perturb_intensity(crop, np.random.default_rng(seed)) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_histogram_matching_from_none_to_full(share):
    """Share 0 changes nothing; share 1 gives the other's histogram."""
    rng = np.random.default_rng(0)
    crop = rng.integers(60, 120, (64, 64)).astype(np.float32)
    other = rng.integers(100, 220, (64, 64)).astype(np.float32)
    got = match_histogram(crop, other, share)
    wanted = np.percentile(crop if share == 0 else other, [5, 25, 50, 75, 95])
    assert np.percentile(got, [5, 25, 50, 75, 95]) == pytest.approx(wanted, abs=3)


@pytest.mark.parametrize("seed", range(5))
def test_histogram_matching_is_monotonic(seed):
    """A lighter pixel never becomes darker than a darker one."""
    rng = np.random.default_rng(seed)
    crop, other = (rng.integers(0, 256, (32, 32)).astype(np.float32) for _ in range(2))
    got = match_histogram(crop, other, rng.random())
    assert (np.diff(got.ravel()[np.argsort(crop.ravel(), kind="stable")]) >= -1e-3).all()


@given(st.integers(0, 200))
def test_affine_transforms_keep_the_centre_in_view(seed):
    """A bright square in the centre stays bright and inside."""
    image = np.zeros((96, 96), np.uint8)
    image[36:60, 36:60] = 200
    shown = random_affine(image, np.random.default_rng(seed), 8.0, 0.3, 0.08)
    assert (shown.shape, shown.dtype) == (image.shape, np.uint8)
    assert shown[44:52, 44:52].max() > 150
    assert 0.4 < (shown > 100).sum() / (image > 100).sum() < 2.2
