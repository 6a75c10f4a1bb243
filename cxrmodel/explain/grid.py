"""A crop as a grid of square cells, for occlusion, deletion and comparison."""

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
BLUR = 0.1
"""Standard deviation of the blur, as a share of the side."""


def cell_numbers(size: int, cells: int) -> NDArray[np.int64]:
    """Number of the cell of each pixel of a square, row by row.

    Parameters
    ----------
    size, cells : int
        Pixels and cells along a side; cells differ by a pixel where they do not divide evenly.

    Returns
    -------
    ndarray of int64, shape (size, size)
        0..cells * cells - 1.
    """
    along = np.arange(size, dtype=np.int64) * cells // size
    return along[:, None] * cells + along[None, :]


def cell_means(heat: Floats, cells: int, size: int = 224) -> NDArray[np.float64]:
    """Mean of a map, of any resolution, in each cell.

    Parameters
    ----------
    heat : ndarray of float32, shape (h, w)
    cells, size : int
        Cells along a side, and the side in pixels to which the map is resized first.

    Returns
    -------
    ndarray of float64, shape (cells * cells,)
    """
    shrinks = min(heat.shape) > size
    grown = cv2.resize(
        np.asarray(heat, np.float32), (size, size), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    )
    numbers = cell_numbers(size, cells).ravel()
    return np.bincount(numbers, grown.ravel(), cells * cells) / np.bincount(numbers, minlength=cells * cells)


def blurred(tensor: Floats) -> Floats:
    """A crop without detail: Gaussian blur of a tenth of its side.

    Parameters
    ----------
    tensor : ndarray of float32, shape (size, size, 1)

    Returns
    -------
    ndarray of float32, shape (size, size, 1)
    """
    blur = cv2.GaussianBlur(tensor[..., 0], (0, 0), BLUR * len(tensor))
    return blur.astype(np.float32, copy=False)[..., None]
