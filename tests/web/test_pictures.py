"""Films as pictures for a screen."""

import cv2
import numpy as np
import pytest

from cxrmodel.web.pictures import DISPLAY_SIDE, for_display, jpeg, outlined


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((1600, 900), (1600, 900)), ((3200, 1000), (1600, 500)), ((400, 4000), (160, 1600)), ((3, 64000), (1, 1600))],
)
def test_longest_side_fits(shape, expected):
    """A larger film shrinks in proportion, a smaller one stays."""
    assert DISPLAY_SIDE == 1600
    assert for_display(np.zeros(shape, np.float32)).shape == expected


def test_small_film_is_unchanged():
    """A film that fits is not resampled."""
    film = np.random.default_rng(0).random((20, 30), np.float32)
    assert for_display(film) is film


def test_shrinking_does_not_alias():
    """Stripes finer than the screen become even grey, not other stripes."""
    stripes = np.tile(np.array([0, 1], np.float32), (64, 1600))
    np.testing.assert_allclose(for_display(stripes), 0.5, atol=1e-6)


def test_jpeg_keeps_channels_apart():
    """Red stays red."""
    red = np.zeros((32, 32, 3), np.uint8)
    red[..., 0] = 255
    blue, green, back = cv2.imdecode(np.frombuffer(jpeg(red), np.uint8), cv2.IMREAD_COLOR)[16, 16]
    assert back > 240
    assert max(blue, green) < 15


def test_outline_follows_the_mask():
    """A line is drawn on the edge of the mask, scaled to the picture, and nowhere else; the picture given stays."""
    mask = np.zeros((56, 56), bool)
    mask[14:42, 14:42] = True
    rgb = np.zeros((224, 112, 3), np.uint8)
    line = outlined(rgb, mask).any(axis=2)
    assert line[112, 26:31].any()
    assert line[54:59, 56].any()
    assert not line[62:160, 36:76].any()
    assert not line[:48].any()
    assert not line[:, :22].any()
    assert not rgb.any()
