"""Isolated values of an image: those of lead markers, burnt-in text and defective pixels."""

from collections.abc import Iterator
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

End = Literal["low", "high"]

_CODES = 65536
# The range is divided into bins. A gap is so many of them without pixels; a bin is without pixels below this share of
# all, and below this number.
_BINS, _GAP = 50, 4
_EMPTY, _EMPTY_COUNT = 1e-4, 2
# What the values around the median fill of the range, without a gap: at least this in 99 of 100 radiographs.
_CONNECTED = 0.62
# Where some are isolated, more are likely.
_CONNECTED_AGAIN = 0.7
# Share of the pixels that have isolated values, at most; and of those of borders, shutters and text of one value.
_ISOLATED, _DRAWN = 0.08, 0.5
# Values are drawn if this share of their pixels has values of one bin, beside an image of at least so many values.
_OF_ONE, _MANY = 0.98, 32
# An edge is where neighbours differ by this share of the range. A blurred one reaches so many pixels beyond a marker.
# Noise hides the edges where less than this share of the pixels is outside them.
_EDGE, _REACH = 0.15, 4
_LEVEL = 0.5
_ROUNDS = 8
# Pixels by which isolated values are found.
_SAMPLE = 2_000_000


def count_values(
    codes: NDArray[np.uint16], counted: NDArray[np.bool_] | None = None, drawn_end: End | None = None
) -> tuple[NDArray[np.int64], bool]:
    """Count the pixels of each value, without isolated values.

    Values are isolated if a gap of at least 8 % of the range separates them from those around the median, at most 8 %
    of the pixels have them, and with them the others would fill less than 62 % of the range. The outermost go first,
    and none goes without need. The edges of a marker, which have all values between, do not close a gap. Where the
    values beyond a gap are all but one, they were drawn: text, a border or a shutter. Half of the pixels may have them.

    Parameters
    ----------
    codes : ndarray of uint16, shape (H, W)
    counted : ndarray of bool, shape (H, W), or None
        Pixels that count; None, or none of them, for all.
    drawn_end : "low", "high" or None
        Drawn values at this end go even where the others would fill the range with them.

    Returns
    -------
    counts : ndarray of int64, shape (65536,)
        Pixels of each value; none for isolated values.
    isolated : bool
        Whether there were any.
    """
    mask = None if counted is None or not counted.any() else counted.astype(np.uint8)
    every = _histogram(codes, mask)
    low, high = (int(code) for code in np.flatnonzero(every)[[0, -1]])
    sample, isolated = _Sample(codes, mask), False
    left, drawn_left = _ISOLATED * every.sum(), _DRAWN * every.sum()
    for _ in range(_ROUNDS):
        counts, connected = sample.counts(low, high), _CONNECTED_AGAIN if isolated else _CONNECTED
        ranges = [(span, False) for span in _narrower(counts, connected)]
        kept = {"low": len(counts) - 1, "high": 0}
        ranges += [(span, True) for span in _narrower(counts, 1.0) if drawn_end and kept[drawn_end] in span]
        for (first, last), only_drawn in ranges:
            outside = int(every[low : low + first].sum() + every[low + last + 1 : high + 1].sum())
            drawn = outside <= drawn_left and _is_drawn(counts, first, last)
            if drawn or (outside <= left and not only_drawn):
                break
        else:
            break
        left, drawn_left, isolated = left - (0 if drawn else outside), drawn_left - outside, True
        low, high = sample.without_outside(low + first, low + last)
    if not isolated:
        return every, False
    near = _widened(_outside(codes, low, high), _REACH)
    counts = _histogram(codes, (1 - near) if mask is None else mask & ~near)
    # Text all over an image leaves nothing between.
    if counts.sum() < _LEVEL * every.sum():
        counts = every.copy()
        counts[:low] = counts[high + 1 :] = 0
    return counts, True


def _outside(codes: NDArray[np.uint16], low: int, high: int) -> NDArray[np.uint8]:
    """1 where a value is outside a range, else 0."""
    outside: NDArray[np.bool_] = (codes < low) | (codes > high)
    return outside.astype(np.uint8)


def _widened(area: NDArray[np.uint8], reach: int) -> NDArray[np.uint8]:
    widened: NDArray[np.uint8] = cv2.dilate(area, np.ones((2 * reach + 1,) * 2, np.uint8)).astype(np.uint8, copy=False)
    return widened


class _Sample:
    """Pixels at regular distances, and how much their neighbours in the image differ."""

    def __init__(self, codes: NDArray[np.uint16], mask: NDArray[np.uint8] | None) -> None:
        window = np.ones((3, 3), np.uint8)
        steepness = cv2.subtract(cv2.dilate(codes, window), cv2.erode(codes, window))
        self._distance = 1 + int((codes.size / _SAMPLE) ** 0.5)
        self._codes, self._steepness = self._of(codes), self._of(steepness)
        self._mask = np.ones_like(self._codes, np.uint8) if mask is None else self._of(mask)

    def _of(self, pixels: NDArray[Any]) -> NDArray[Any]:
        return np.ascontiguousarray(pixels[:: self._distance, :: self._distance])

    def counts(self, low: int, high: int) -> NDArray[np.int64]:
        """Pixels of each value of a range, without edges: int64, shape (high - low + 1,)."""
        counts = _histogram(self._codes, self._mask)[low : high + 1]
        limit = int(_EDGE * (high - low))
        level = _histogram(self._codes, self._mask & (self._steepness <= limit))[low : high + 1]
        return level if level.sum() >= _LEVEL * counts.sum() else counts

    def without_outside(self, low: int, high: int) -> tuple[int, int]:
        """Leave out the pixels outside a range and those beside them, whose values are mixed.

        Returns
        -------
        (int, int)
            Range of the others.
        """
        reach = -(-_REACH // self._distance)
        near = _widened(_outside(self._codes, low, high), reach)
        if cv2.countNonZero(self._mask & ~near) >= _LEVEL * cv2.countNonZero(self._mask):
            self._mask &= ~near
        present = np.flatnonzero(_histogram(self._codes, self._mask)[low : high + 1])
        return low + int(present[0]), low + int(present[-1])


def _narrower(counts: NDArray[np.int64], connected: float) -> Iterator[tuple[int, int]]:
    """Ranges without the outermost isolated values at either end, the narrower one first.

    Parameters
    ----------
    counts : ndarray of int64, shape (N,)
        Pixels of each value of a range.
    connected : float
        Share of the range that the values around the median fill where none are isolated.

    Yields
    ------
    first, last : int
        Both within the range.
    """
    size, bins = len(counts), min(_BINS, len(counts))
    bin_of = np.arange(size) * bins // size
    filled = np.flatnonzero(np.bincount(bin_of, counts) >= max(_EMPTY_COUNT, _EMPTY * counts.sum()))
    groups = np.split(filled, np.flatnonzero(np.diff(filled) > _GAP) + 1)
    median = bin_of[np.searchsorted(np.cumsum(counts), counts.sum() / 2)]
    middle = min(range(len(groups)), key=lambda number: np.abs(groups[number] - median).min(initial=bins))
    if not filled.size or groups[middle][-1] - groups[middle][0] + 1 >= connected * bins:
        return
    first, last = int(filled[0]) - _GAP, int(filled[-1]) + _GAP
    # Sparse values go first, then the outermost group.
    if first <= 0:
        first = int(groups[0][-1]) + 1 if middle else 0
    if last >= bins - 1:
        last = int(groups[-1][0]) - 1 if middle < len(groups) - 1 else bins - 1
    ranges = [span for span in ((first, bins - 1), (0, last)) if span != (0, bins - 1)]
    for start, end in sorted(ranges, key=lambda span: span[1] - span[0]):
        yield -(-start * size // bins), -(-(end + 1) * size // bins) - 1


def _is_drawn(counts: NDArray[np.int64], first: int, last: int) -> bool:
    """Whether the pixels of a range that are outside a narrower one have one value, or are all edges.

    Parameters
    ----------
    counts : ndarray of int64, shape (N,)
        Pixels of each value of the range, without edges.
    first, last : int
        Of the narrower range.
    """
    outside = np.r_[counts[:first], counts[last + 1 :]]
    if np.count_nonzero(counts[first : last + 1]) < _MANY:
        return False
    wide = np.cumsum(np.r_[0, outside])
    width = max(1, len(counts) // _BINS)
    most = (wide[width:] - wide[:-width]).max(initial=0) if len(outside) >= width else wide[-1]
    return bool(most >= _OF_ONE * wide[-1])


def _histogram(codes: NDArray[np.uint16], mask: NDArray[np.uint8] | None) -> NDArray[np.int64]:
    return cv2.calcHist([codes], [0], mask, [_CODES], [0, _CODES]).ravel().astype(np.int64)
