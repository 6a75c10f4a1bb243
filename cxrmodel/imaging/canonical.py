"""Canonical image: every radiograph resized to the one size and texture that the networks see.

Training images exist only as 224 x 224 copies, resized with an antialiased bilinear filter, while other images come
at full size. The same filter and size give both the same texture.
"""

from functools import lru_cache

import cv2
import numpy as np

IMAGE_SIDE = 224
_BLOCK = 8
"""Rows of the result computed together: enough for a matrix product, with few weights of zero."""


def canonical_image(pixels: np.ndarray, side: int = IMAGE_SIDE) -> np.ndarray:
    """Resize an image to a square with a triangle filter scaled to the reduction (no aliasing).

    Parameters
    ----------
    pixels : ndarray of float32, shape (H, W)
        Image, 0..1, air dark.
    side : int
        Side of the result in pixels.

    Returns
    -------
    ndarray of uint8, shape (side, side)
    """
    image = _resized_rows(np.asarray(pixels, np.float32), side)
    image = _resized_rows(np.ascontiguousarray(image.T), side).T
    return np.clip(np.rint(image * np.float32(255)), 0, 255).astype(np.uint8, order="C")


def contrast(image: np.ndarray) -> float:
    """Standard deviation of a canonical image's grey levels, 0..127.5: (H, W) uint8 -> float."""
    return float(cv2.meanStdDev(image)[1][0, 0])


def _resized_rows(image: np.ndarray, side: int) -> np.ndarray:
    """Resize along the first axis."""
    if len(image) == side:
        return image
    result = np.empty((side, image.shape[1]), np.float32)
    for start, first, last, weights in _bands(len(image), side):
        np.matmul(weights, image[first:last], out=result[start : start + len(weights)])
    return result


@lru_cache(maxsize=64)
def _bands(length: int, side: int) -> list[tuple[int, int, int, np.ndarray]]:
    """For each block of result rows: its first row, the range of image rows behind it, and their weights."""
    step = length / side
    reach, bands = max(step, 1.0), []
    for start in range(0, side, _BLOCK):
        middles = (np.arange(start, min(start + _BLOCK, side)) + 0.5) * step
        first, last = max(0, int(middles[0] - reach)), min(length, int(np.ceil(middles[-1] + reach)))
        weights = np.maximum(0.0, 1.0 - np.abs(np.arange(first, last) + 0.5 - middles[:, None]) / reach)
        bands.append((start, first, last, (weights / weights.sum(1, keepdims=True)).astype(np.float32)))
    return bands
