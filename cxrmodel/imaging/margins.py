"""Uniform margins around an image, as scanners and slides add them."""

import numpy as np

_LEVELS = 6
_UNIFORM_SHARE = 0.8
_MIN_LINES = 8


def image_box(image: np.ndarray) -> tuple[int, int, int, int]:
    """Find the part of an image inside its uniform margins.

    A line of pixels at an edge belongs to the margin when at least 80 % of it is within six grey levels of the median
    of the outermost line, so letters in a margin do not end it.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W)

    Returns
    -------
    tuple of int
        Top, left, bottom, right (exclusive); a corner of a uniform image.
    """
    levels = image.astype(np.int16)
    top, left, bottom, right = 0, 0, *image.shape
    for _ in range(2):  # margins above and below hide those at the sides
        top += _margin(levels[top:bottom, left:right])
        bottom -= _margin(levels[top:bottom, left:right][::-1])
        left += _margin(levels[top:bottom, left:right].T)
        right -= _margin(levels[top:bottom, left:right].T[::-1])
        if (top, left, bottom, right) == (0, 0, *image.shape):
            break
    return top, left, bottom, right


def _margin(lines: np.ndarray) -> int:
    """Number of leading lines that are uniform, at most all but one."""
    if min(lines.shape) < _MIN_LINES:
        return 0
    level = np.median(lines[0])
    for start in range(0, len(lines), _MIN_LINES):  # most images have no margin
        uniform = (np.abs(lines[start : start + _MIN_LINES] - level) <= _LEVELS).mean(1) >= _UNIFORM_SHARE
        if not uniform.all():
            return start + int(np.argmin(uniform))
    return len(lines) - 1
