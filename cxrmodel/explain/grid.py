"""A crop as a board of square cells: what covering, removing and comparing have in common."""

import cv2
import numpy as np

__all__ = ["blurred", "cell_heat", "cell_numbers"]

BLUR = 0.1


def cell_numbers(size: int, cells: int) -> np.ndarray:
    """Number every pixel of a square by the cell it lies in, row by row.

    Parameters
    ----------
    size, cells : int
        Pixels and cells along a side; cells differ by a pixel where they do not divide evenly.

    Returns
    -------
    ndarray of int64, shape (size, size)
        0..cells * cells - 1.
    """
    along = np.arange(size) * cells // size
    return along[:, None] * cells + along[None, :]


def cell_heat(heat: np.ndarray, cells: int, size: int = 224) -> np.ndarray:
    """Mean heat of every cell of a map, of whatever resolution.

    Parameters
    ----------
    heat : ndarray of float32, shape (h, w)
    cells, size : int
        Cells along a side, and the side in pixels at which they are counted out.

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


def blurred(tensor: np.ndarray) -> np.ndarray:
    """A crop without its detail: a Gaussian blur of a tenth of its side.

    Parameters
    ----------
    tensor : ndarray of float32, shape (size, size, 1)

    Returns
    -------
    ndarray of float32, shape (size, size, 1)
    """
    return cv2.GaussianBlur(tensor[..., 0], (0, 0), BLUR * len(tensor))[..., None]
