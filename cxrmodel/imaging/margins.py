"""Even margins around an image: found, measured, and cut off where they are larger than images have them."""

import numpy as np

__all__ = ["image_box"]

_LEVELS = 6
_SHARE = 0.8
_LEAST = 8


def image_box(image: np.ndarray) -> tuple[int, int, int, int]:
    """The part of a picture inside its even margins.

    A line of pixels at an edge belongs to the margin when four fifths of it are within six grey levels of the
    outermost line's median: letters in a margin do not end it.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W)

    Returns
    -------
    tuple of int
        Top, left, bottom, right (exclusive); of an even picture, a corner of it.
    """
    levels = image.astype(np.int16)
    top, left, bottom, right = 0, 0, *image.shape
    for _ in range(2):  # a margin above and below hides how far those at the sides reach
        top += _margin(levels[top:bottom, left:right])
        bottom -= _margin(levels[top:bottom, left:right][::-1])
        left += _margin(levels[top:bottom, left:right].T)
        right -= _margin(levels[top:bottom, left:right].T[::-1])
        if (top, left, bottom, right) == (0, 0, *image.shape):
            break
    return top, left, bottom, right


def _margin(lines: np.ndarray) -> int:
    """Number of leading lines that are even, at least one line short of all."""
    if min(lines.shape) < _LEAST:
        return 0
    level = np.median(lines[0])
    for start in range(0, len(lines), _LEAST):  # most images have no margin, which their first lines tell
        even = (np.abs(lines[start : start + _LEAST] - level) <= _LEVELS).mean(1) >= _SHARE
        if not even.all():
            return start + int(np.argmin(even))
    return len(lines) - 1
