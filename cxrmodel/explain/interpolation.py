"""Smooth interpolation of a map for drawing: its values stay, only what lies between them is rounded.

A map has few places. Drawn with straight lines between them it shows kinks and a hard edge at the crop that mean
nothing. Page, report, saved picture and command line therefore draw the same smooth map; shares, peaks and every other
number come from the map itself.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from cxrmodel.imaging.canonical import IMAGE_SIDE
from cxrmodel.model.preprocess import Box, placed_on_image

Floats = NDArray[np.float32]

EDGE = 0.05
"""Width of the soft edge inside the crop, as a share of the crop's side: half a place of a map of ten by ten."""


@dataclass(frozen=True, eq=False)
class CropMap:
    """A map of a crop, and where the crop lies.

    Attributes
    ----------
    values : ndarray of float32, shape (h, w)
        Zero or above, at any resolution.
    box : Box
        Of the crop.
    """

    values: Floats
    box: Box

    def on_image(self) -> Floats:
        """The map on the canonical image, (224, 224) float32: zero outside the crop. Every number comes from it."""
        return placed_on_image(self.values, self.box)

    def drawn(self) -> Floats:
        """The map on the canonical image as it is drawn; see ``smooth_map``."""
        return smooth_map(self.values, self.box)


def smooth_map(heat: Floats, box: Box) -> Floats:
    """Interpolate a map of a crop for drawing on the canonical image.

    Monotone cubic interpolation, first along the columns, then along the rows (Fritsch and Carlson, 1980): it passes
    through every value and exceeds none. Towards an edge of the crop that lies within the image, the map fades to zero.

    Parameters
    ----------
    heat : ndarray of float32, shape (h, w)
        Zero or above, of the crop, at any resolution.
    box : Box
        Of the crop.

    Returns
    -------
    ndarray of float32, shape (224, 224)
        Zero outside the crop, never above the peak of ``heat``.
    """
    top, left, bottom, right = box
    grown = _resized(_resized(np.asarray(heat, np.float64), bottom - top).T, right - left).T
    rows = _edge(bottom - top, top > 0, bottom < IMAGE_SIDE)
    columns = _edge(right - left, left > 0, right < IMAGE_SIDE)
    image = np.zeros((IMAGE_SIDE, IMAGE_SIDE), np.float32)
    image[top:bottom, left:right] = grown * rows[:, None] * columns[None, :]
    return image


def _resized(values: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """Rows brought to a number; beyond the centre of the outermost row its value holds."""
    count = len(values)
    if size <= count or count == 1:
        return np.asarray(cv2.resize(values, (values.shape[1], size), interpolation=cv2.INTER_AREA), np.float64)
    at = np.clip((np.arange(size) + 0.5) * count / size - 0.5, 0, count - 1)
    start = np.minimum(at.astype(int), count - 2)
    share = (at - start)[:, None]
    slopes = _slopes(values)
    square, cube = share**2, share**3
    return np.asarray(
        (2 * cube - 3 * square + 1) * values[start]
        + (cube - 2 * square + share) * slopes[start]
        + (3 * square - 2 * cube) * values[start + 1]
        + (cube - square) * slopes[start + 1]
    )


def _slopes(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Slope at each row: the harmonic mean of the steps beside it where both go one way, else zero."""
    steps = np.diff(values, axis=0)
    before, after = steps[:-1], steps[1:]
    product = before * after
    slopes = np.zeros_like(values)
    inner = slopes[1:-1]
    np.divide(2 * product, before + after, out=inner, where=product > 0)
    return slopes


def _edge(size: int, first: bool, last: bool) -> NDArray[np.float64]:
    """Weight along a side of the crop: rises smoothly from zero at each edge that lies within the image."""
    at = (np.arange(size) + 0.5) / (EDGE * size)
    rise = np.clip(at, 0, 1)
    rise = rise * rise * (3 - 2 * rise)
    return np.where(first, rise, 1.0) * np.where(last, rise[::-1], 1.0)
