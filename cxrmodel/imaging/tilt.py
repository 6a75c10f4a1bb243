"""Small rotation of an image on a uniform canvas, told from the wedges that it leaves in the corners."""

from typing import NamedTuple

import cv2
import numpy as np

LARGEST = 20.0
"""Degrees in either direction up to which a rotation is looked for."""
_STEP = 0.25
_LEVELS = 6
_SPARSE = 2
"""Every second row and column of the canvas is looked at."""
_CORNER = 3
_SMALLEST_GAIN = 0.015
"""Share of the image that its wedges take up at least, about that of a rotation by two degrees."""
_TIGHT = 1.5
_TIGHT_SHARE = 0.5


class Tilt(NamedTuple):
    """A rotated rectangle that holds an image.

    Attributes
    ----------
    degrees : float
        Rotation of the image, positive clockwise as displayed.
    centre : (float, float)
        Column and row, in pixels of the file.
    size : (float, float)
        Width and height, in pixels of the file.
    """

    degrees: float
    centre: tuple[float, float]
    size: tuple[float, float]


def find_tilt(image: np.ndarray, size: tuple[float, float]) -> Tilt | None:
    """Find the rotation of an image from uniform wedges in its corners.

    At least three corners have one grey level. The pixels of this level that are connected to them are taken for the
    canvas. Of the rectangles around all other pixels, the one that leaves out most of the canvas is chosen, and it is
    accepted where most of its outline touches the image: an outline of dark air is not that straight.

    Parameters
    ----------
    image : ndarray of uint8, shape (S, S)
        Canonical image.
    size : (float, float)
        Height and width of the file in pixels.

    Returns
    -------
    Tilt or None
        None where there are no such wedges.
    """
    content = _content(image)
    if content is None:
        return None
    side = len(image)
    scale = np.array([size[1], size[0]]) / side
    shape = np.array([size[1], size[0]]) * side / max(size)  # of the canvas, its longer side as long as the image's
    ratio = shape / side
    rows, columns = np.nonzero(content)
    if not rows.size:
        return None
    points = np.stack([columns + 0.5, rows + 0.5], 1) * ratio
    hull = cv2.convexHull(points.astype(np.float32))[:, 0].astype(np.float64)
    canvas = (np.argwhere(~content[::_SPARSE, ::_SPARSE])[:, ::-1] * _SPARSE + 0.5) * ratio
    degrees = _angle(hull, canvas, np.arange(-LARGEST, LARGEST + 1))
    degrees = _angle(hull, canvas, degrees + np.arange(-1, 1 + _STEP, _STEP))
    gain = _outside(hull, canvas, degrees) - _outside(hull, canvas, 0.0)
    if abs(degrees) >= LARGEST or gain * _SPARSE**2 < _SMALLEST_GAIN * side**2:
        return None
    axes = _axes(degrees)
    low, high = (hull @ axes.T).min(0), (hull @ axes.T).max(0)
    if _tight_share(points @ axes.T, low, high, axes, shape) < _TIGHT_SHARE:
        return None
    centre = ((low + high) / 2) @ axes / ratio * scale
    extent = (high - low + 1) * (scale / ratio)  # from the outer edges of the pixels
    return Tilt(degrees, (float(centre[0]), float(centre[1])), (float(extent[0]), float(extent[1])))


def straightened(pixels: np.ndarray, tilt: Tilt) -> np.ndarray:
    """Rotate an image upright and crop it to its rectangle; parts beyond the canvas repeat its edge.

    Parameters
    ----------
    pixels : ndarray of float32, shape (H, W)
    tilt : Tilt

    Returns
    -------
    ndarray of float32, shape (h, w)
    """
    width, height = (max(1, round(side)) for side in tilt.size)
    axes = _axes(tilt.degrees)  # from the result to the file
    shift = np.array(tilt.centre) - 0.5 - axes.T @ (np.array([width, height]) / 2 - 0.5)
    matrix = np.column_stack([axes.T, shift])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(pixels, matrix, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)


def _axes(degrees: float) -> np.ndarray:
    """Unit vectors (column, row) along the rows and columns of an image rotated clockwise by so many degrees."""
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[cos, sin], [-sin, cos]])


def _content(image: np.ndarray) -> np.ndarray | None:
    """Pixels that are not canvas, or None where fewer than three corners share a grey level."""
    side, levels = len(image), image.astype(np.int16)
    places = [(row, column) for row in (0, side - _CORNER) for column in (0, side - _CORNER)]
    corners = [levels[row : row + _CORNER, column : column + _CORNER] for row, column in places]
    medians = np.array([np.median(corner) for corner in corners])
    level = float(np.median(medians))
    near = np.abs(medians - level) <= _LEVELS
    if near.sum() < 3:
        return None
    _, labels = cv2.connectedComponents((np.abs(levels - level) <= _LEVELS).astype(np.uint8), connectivity=4)
    last = side - 1
    found = {labels[row, column] for row in (0, last) for column in (0, last)} - {0}
    canvas = np.isin(labels, list(found))
    return ~canvas


def _angle(hull: np.ndarray, canvas: np.ndarray, angles: np.ndarray) -> float:
    """The angle whose rectangle leaves out most of the canvas; of equals the smallest."""
    outside = [_outside(hull, canvas, angle) - 1e-3 * abs(angle) for angle in angles]
    return float(angles[int(np.argmax(outside))])


def _outside(hull: np.ndarray, canvas: np.ndarray, degrees: float) -> int:
    """Number of points of the canvas outside the rectangle around a hull at an angle."""
    axes = _axes(degrees)
    along, places = hull @ axes.T, canvas @ axes.T
    return int(((places < along.min(0)) | (places > along.max(0))).any(1).sum())


def _tight_share(points: np.ndarray, low: np.ndarray, high: np.ndarray, axes: np.ndarray, shape: np.ndarray) -> float:
    """Share of the rectangle's outline within the canvas that the image touches."""
    touched, length = 0, 0
    for axis in (0, 1):
        steps = np.arange(np.floor(low[1 - axis]), np.ceil(high[1 - axis]))
        for limit in (low[axis], high[axis]):
            edge = np.empty((len(steps), 2))
            edge[:, axis], edge[:, 1 - axis] = limit, steps + 0.5
            places = edge @ axes
            within = ((places >= 2) & (places <= shape - 2)).all(1)
            near = np.abs(points[:, axis] - limit) <= _TIGHT
            bins = np.floor(points[near, 1 - axis] - steps[0]).astype(int)
            covered = np.zeros(len(steps) + 2, bool)
            covered[np.clip(bins, 0, len(steps) + 1)] = True
            covered[:-1] |= covered[1:].copy()
            touched += int(covered[: len(steps)][within].sum())
            length += int(within.sum())
    return touched / max(length, 1)
