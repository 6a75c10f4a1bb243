"""From a canonical image to the network's input, and back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrmodel.model.preprocess import ModelInput, crop, crop_box, normalise, prepare


@pytest.mark.parametrize(
    ("box", "margin", "expected"),
    [
        ((50, 60, 150, 180), 0.1, (40, 48, 160, 192)),
        ((50, 60, 150, 180), 0.0, (50, 60, 150, 180)),
        ((2, 3, 222, 221), 0.1, (0, 0, 224, 224)),
    ],
)
def test_margin_is_a_share_of_the_box(box, margin, expected):
    """Each side moves by a share of the box's size, at most to the edge of the image."""
    assert crop_box(box, margin) == expected


@pytest.mark.parametrize("size", [40, 100, 200])
def test_even_image_stays_even(size):
    """Resizing keeps the brightness, in both directions."""
    image = np.full((224, 224), 77, np.uint8)
    np.testing.assert_array_equal(crop(image, (20, 30, 120, 180), size), np.full((size, size), 77))


def test_shrinking_does_not_alias():
    """A one-pixel checkerboard shrinks to its mean, not to one of its colours."""
    image = ((np.indices((224, 224)).sum(0) % 2) * 255).astype(np.uint8)
    small = crop(image, (0, 0, 224, 224), 56)
    assert np.abs(small.astype(int) - 127).max() <= 2


def test_normalising_by_hand():
    """A grey of 127.5 at mean 0.25 and standard deviation 0.5 is 0.5; a channel axis is added."""
    values = normalise(np.full((2, 3, 3), 127.5, np.float32), 0.25, 0.5)
    assert values.shape == (2, 3, 3, 1)
    assert values.dtype == np.float32
    np.testing.assert_allclose(values, 0.5)


@given(st.integers(0, 150), st.integers(0, 150), st.integers(20, 74), st.integers(20, 74))
def test_map_lands_where_the_crop_was(top, left, height, width):
    """A constant map fills its box and nothing else."""
    ready = ModelInput(np.zeros((64, 64, 1), np.float32), (top, left, top + height, left + width))
    image = ready.to_image(np.ones((5, 5), np.float32))
    assert image.shape == (224, 224)
    assert image.sum() == pytest.approx(height * width)
    assert (image[top : top + height, left : left + width] == 1).all()


def test_a_peak_returns_to_its_position():
    """A peak in the crop is at the same position of the image."""
    image = np.zeros((224, 224), np.uint8)
    image[100:110, 140:150] = 255
    ready = prepare(image, (60, 80, 160, 200), margin=0.1, size=128, mean=0.0, std=1.0)
    back = ready.to_image(ready.tensor[..., 0])
    row, column = np.unravel_index(back.argmax(), back.shape)
    assert 98 <= row <= 111
    assert 138 <= column <= 151
