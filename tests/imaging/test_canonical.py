"""Every image reaches the networks as one small square of one texture."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from cxrmodel.imaging.canonical import IMAGE_SIDE, canonical_image


def test_an_image_of_the_right_size_keeps_every_grey_level():
    """A stored copy keeps its levels exactly."""
    levels = np.arange(IMAGE_SIDE * IMAGE_SIDE, dtype=np.uint32).reshape(IMAGE_SIDE, IMAGE_SIDE) % 256
    assert np.array_equal(canonical_image((levels / 255).astype(np.float32)), levels)


@pytest.mark.parametrize(("value", "level"), [(0.0, 0), (0.2, 51), (0.5019, 128), (1.0, 255)])
@pytest.mark.parametrize("shape", [(64, 64), (500, 300), (224, 1000)])
def test_an_even_image_stays_even(value, level, shape):
    """Resizing neither brightens nor darkens."""
    assert (canonical_image(np.full(shape, value, np.float32)) == level).all()


def test_the_reduction_does_not_alias():
    """Lines finer than a result pixel average to grey; plain bilinear sampling would show them as stripes."""
    image = np.zeros((896, 896), np.float32)
    image[:, ::2] = 1
    assert np.abs(canonical_image(image)[8:-8, 8:-8].astype(int) - 127.5).max() <= 1


def test_the_triangle_filter_is_scaled_to_the_reduction():
    """Halving weighs four pixels by 1, 3, 3 and 1 eighths; at the border the remaining weights are normalised."""
    row = np.float32([0, 0, 1, 0, 0, 0, 0, 0])
    halved = canonical_image(np.tile(row, (8, 1)), side=4)
    assert halved[0].tolist() == [36, 96, 0, 0]


def test_top_and_left_stay_where_they_are():
    """The aspect changes; the image is never rotated or mirrored."""
    image = np.zeros((300, 600), np.float32)
    image[:150, :300] = 1
    small = canonical_image(image)
    assert small[:108, :108].min() == 255
    assert small[116:].max() == small[:, 116:].max() == 0


def test_a_read_only_image_is_taken_and_left_alone():
    """Images are shared between threads and must not be written to."""
    image = np.full((100, 80), 0.25, np.float32)
    image.flags.writeable = False
    assert canonical_image(image).dtype == np.uint8
    assert (image == 0.25).all()


@settings(max_examples=25, deadline=None)
@given(st.integers(64, 400), st.integers(64, 400), st.integers(8, 256), st.integers(0, 2**32 - 1))
def test_the_result_stays_within_the_image(height, width, side, seed):
    """Whatever the size, no level is outside the range of the image (the filter has no negative lobes)."""
    image = np.random.default_rng(seed).uniform(0.2, 0.7, (height, width)).astype(np.float32)
    small = canonical_image(image, side)
    assert small.shape == (side, side)
    assert small.min() >= np.floor(image.min() * 255)
    assert small.max() <= np.ceil(image.max() * 255)


@pytest.mark.parametrize("shape", [(1201, 901), (224, 5000), (5000, 224), (1000, 1000)])
def test_large_images_are_split_without_a_seam(shape):
    """Work shared between threads gives exactly the levels of a single resize."""
    image = np.random.default_rng(0).random(shape, np.float32)
    whole = Image.fromarray(image).resize((IMAGE_SIDE, IMAGE_SIDE), Image.Resampling.BILINEAR)
    assert np.array_equal(canonical_image(image), np.rint(np.asarray(whole) * 255).astype(np.uint8))
