"""Maps as they are drawn: smooth between their values, soft at the crop, and never above what was computed."""

import numpy as np
import pytest

from cxrmodel.explain.interpolation import CropMap, smooth_map

BOX = (12, 22, 212, 202)
"""200 rows and 180 columns: in a map of ten by ten, a place is 20 by 18 pixels."""


def map_of(seed: int = 0, side: int = 10) -> np.ndarray:
    """A map with zeros and peaks."""
    return np.clip(np.random.default_rng(seed).normal(0, 1, (side, side)), 0, None).astype(np.float32)


def test_the_map_passes_through_its_values_and_exceeds_none():
    """At the centre of a place stands its value, on the four pixels around it nearly so; the peak stays the peak."""
    heat = map_of()
    drawn = smooth_map(heat, BOX)
    rows, columns = 12 + 20 * np.arange(10) + 10, 22 + 18 * np.arange(10) + 9
    around = [drawn[np.ix_(rows - i, columns - j)] for i in (0, 1) for j in (0, 1)]
    np.testing.assert_allclose(np.mean(around, axis=0)[1:-1, 1:-1], heat[1:-1, 1:-1], atol=0.03)
    assert 0.97 * heat.max() < drawn.max() <= heat.max()
    assert drawn.min() >= 0


def test_contours_are_smooth():
    """Straight lines between the values kink at each place: the smooth map's steepest bend is far gentler."""
    found = CropMap(map_of(), BOX)
    bends = [np.abs(np.diff(image[40:180, 50:170], 2, axis=1)).max() for image in (found.on_image(), found.drawn())]
    assert bends[1] < 0.4 * bends[0]


def test_edges_of_the_crop_are_soft_and_those_of_the_image_are_not():
    """From zero to the value within half a place; nothing beyond; a crop that ends with the image does not fade."""
    drawn = smooth_map(np.ones((10, 10), np.float32), BOX)
    assert not drawn[:12].any()
    assert not drawn[:, 202:].any()
    across = drawn[112, 22:202]
    assert across[0] < 0.05
    assert (np.diff(across[:90]) >= 0).all()
    np.testing.assert_allclose(across[9:-9], 1)
    whole = smooth_map(np.ones((10, 10), np.float32), (0, 0, 224, 224))
    np.testing.assert_allclose(whole, 1)


@pytest.mark.parametrize("side", [1, 20, 224, 320])
def test_any_resolution_is_drawn(side):
    """One place, and more places than pixels, where they are averaged."""
    heat = map_of(1, side)
    drawn = smooth_map(heat, BOX)
    assert drawn.shape == (224, 224)
    assert drawn.dtype == np.float32
    assert drawn.max() <= heat.max()


def test_numbers_come_from_the_map_itself():
    """Placed on the image, the map keeps its straight lines and hard edge, as shares and peaks count it."""
    on_image = CropMap(np.ones((10, 10), np.float32), BOX).on_image()
    assert on_image.sum() == 200 * 180
