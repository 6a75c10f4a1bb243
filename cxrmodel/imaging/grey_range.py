"""Black and white of an image whose file does not say which stored values they are."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cxrmodel.errors import UnreadableFile
from cxrmodel.imaging.isolated_values import End, count_values

# Depths at which radiographs are digitised, or exported as signed numbers; most are commonly stored in 16 bits.
_DEPTHS = (10, 12, 14, 15, 16)
# What an image reaches of white on a scale of its own: 0.78 for 99 in 100 training images. One of eight bits was made
# for display, so that half is enough.
_FILLED, _FILLED_8 = 0.78, 0.5
# Its lowest value on such a scale, at most.
_NEAR_BLACK = 0.1
# What an image without saturated pixels reaches of white, in the mean of the training images. An image is saturated
# where at least this share of its pixels is within two of 255 levels of the brightest one.
_BRIGHTEST, _SATURATED = 0.94, 5e-5

# An eight-bit image that was multiplied has so many levels, and so many values from one to the next, at least.
_MIN_LEVELS, _MIN_STEP = 32, 4.0

_CODES = 65536
_ROWS = 128
# Floating-point values count as multiples of a unit to within this share of it.
_ROUNDING = 1e-3
# Values that 16 bits do not hold are reduced to them: from how many pixels, and how far beyond their central 90 %, in
# multiples of these.
_PIXELS, _BEYOND = 100_000, 20.0


class Scale(NamedTuple):
    """A grey scale from ``low`` to ``high``; of ``bits``, or of an unknown number (0)."""

    low: float
    high: float
    bits: int = 0

    def is_filled(self, low: float, high: float, inverse: bool) -> bool:
        """Whether an image with values from ``low`` to ``high``, of which one end is black, is on this scale."""
        length = self.high - self.low
        if not self.low <= low < high <= self.high:
            return False
        if self.bits == 8:
            return high - low >= _FILLED_8 * length
        below, above = low - self.low, self.high - high
        black, white = (above, below) if inverse else (below, above)
        return white <= (1 - _FILLED) * length and black <= _NEAR_BLACK * length


@dataclass(frozen=True)
class GreyRange:
    """Black and white of an image.

    Attributes
    ----------
    scale : Scale
        Stored values of its ends. The lower one is black, unless the lowest value is shown white.
    own : bool
        The scale is the image's own range, not one that a file states or that is in general use.
    isolated : bool
        Isolated values, as of markers, are outside the range.
    lowest, highest : float
        Range of the image without them.
    """

    scale: Scale
    own: bool
    isolated: bool
    lowest: float
    highest: float


def find_grey_range(
    samples: NDArray[Any],
    counted: NDArray[np.bool_] | None = None,
    stated: Scale | None = None,
    inverse: bool = False,
) -> GreyRange:
    """Find black and white of an image.

    They are the ends of the first of these scales that the image fills: the one that its file states; eight bits;
    10, 12, 14, 15 or 16 bits; for floating-point values 0..1. Bits may be stored in higher places, or multiplied by a
    constant. An image that fills none has its own range for a scale. Its brightest value is then white if the image is
    saturated, and otherwise a little below, as in the training images. Isolated values do not count (`count_values`).
    Nor does what was drawn in black on an image that fills no scale with it: a shutter, a border, letters.

    Parameters
    ----------
    samples : ndarray of integers or floats, shape (H, W)
        Stored values.
    counted : ndarray of bool, shape (H, W), or None
        Pixels of the image proper; None for all.
    stated : Scale or None
        The scale that the file states.
    inverse : bool
        The lowest value is shown white.

    Raises
    ------
    UnreadableFile
        Values that are not finite.
    """
    coded = _coded(samples, counted)
    # Air of a radiograph is in no gap below the rest, as letters are above it.
    black: End = "high" if inverse else "low"
    for drawn_end in (None, black):
        counts, isolated = count_values(coded.codes, counted, drawn_end)
        present = np.flatnonzero(counts)
        low, high = (coded.origin + coded.step * float(present[place]) for place in (0, -1))
        for scale in [*([stated] if stated else []), *_usual_scales(coded, present, low, high)]:
            if scale.is_filled(low, high, inverse):
                return GreyRange(scale, False, isolated, low, high)
    levels = counts[present[0] : present[-1] + 1][:: -1 if inverse else 1]
    saturated = levels[-max(1, round(len(levels) * 2 / 255)) :].sum() >= _SATURATED * levels.sum()
    above = 0.0 if saturated else (high - low) * (1 / _BRIGHTEST - 1)
    scale = Scale(low - above, high) if inverse else Scale(low, high + above)
    return GreyRange(scale, True, isolated, low, high)


class _Coded(NamedTuple):
    """Samples as codes of 16 bits: each sample is ``origin + step * code``.

    Where the samples are no multiples of the step, they are rounded, and clipped if they are far from the others.
    """

    codes: NDArray[np.uint16]
    origin: float
    step: float
    multiples: bool


_LEVEL = 1 / 255


def _coded(samples: NDArray[Any], counted: NDArray[np.bool_] | None) -> _Coded:
    if samples.dtype == np.uint16:
        return _Coded(samples, 0.0, 1.0, True)
    low, high = float(samples.min()), float(samples.max())
    if not np.isfinite((low, high)).all():
        raise UnreadableFile("imaging.not_finite")
    step = 1.0
    if samples.dtype.kind == "f" and low >= 0 and high <= 1:
        step = _LEVEL
    elif samples.dtype.kind != "f" and high - low >= _CODES:
        step = float(np.gcd.reduce(samples, axis=None))
    multiples = high - low < _CODES * step and _are_multiples(samples, step)
    if multiples:
        low = 0.0 if low >= 0 and high < _CODES * step else low
    else:
        proper = samples.ravel() if counted is None else samples[counted]
        fifth, last = np.quantile(proper[:: 1 + proper.size // _PIXELS].astype(np.float64), (0.05, 0.95)).tolist()
        reach = _BEYOND * (last - fifth) or high - low
        low, high = max(low, fifth - reach), min(high, last + reach)
        step = (high - low) / (_CODES - 1) or 1.0
    codes = np.empty(samples.shape, np.uint16)
    for block, into in zip(row_blocks(samples), row_blocks(codes), strict=True):
        into[:] = np.rint(np.clip((block.astype(np.float64) - low) / step, 0, _CODES - 1))
    return _Coded(codes, low, step, multiples)


def _are_multiples(samples: NDArray[Any], step: float) -> bool:
    if samples.dtype.kind in "iu":
        return True
    levels = (block.astype(np.float64) / step for block in row_blocks(samples))
    return all(bool((np.abs(block - np.rint(block)) < _ROUNDING).all()) for block in levels)


def row_blocks(samples: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """Some rows at a time: a copy or the indices of a whole image take much memory."""
    for start in range(0, len(samples), _ROWS):
        yield samples[start : start + _ROWS]


def _usual_scales(coded: _Coded, present: NDArray[np.intp], low: float, high: float) -> list[Scale]:
    """Scales in general use that may be those of an image."""
    if not coded.multiples or coded.step == _LEVEL:
        return [Scale(0.0, 1.0, 8 if coded.multiples else 0)] if low >= 0 and high <= 1 else []
    step = coded.step * _step_of_eight_bits(present)
    scales = [Scale(black, black + 255 * step, 8) for black in (0.0, low) if step]
    if coded.origin == 0:
        unit = coded.step * max(1, int(np.gcd.reduce(present)))
        scales += [Scale(0.0, (2**bits - 1) * unit, bits) for bits in (8, usual_depth(high / unit))]
    return scales


def usual_depth(highest: float) -> int:
    """The lowest depth in bits in general use that holds a value of up to 65535."""
    return next(bits for bits in _DEPTHS if highest <= 2**bits - 1)


def _step_of_eight_bits(present: NDArray[np.intp]) -> float:
    """Distance between the levels of an eight-bit image that was multiplied and rounded; 0 for another image."""
    if not _MIN_LEVELS <= len(present) <= 256:
        return 0.0
    above = (present - present[0]).astype(np.float64)
    for levels in range(len(present) - 1, 256):
        step = float(above[-1]) / levels
        if step >= _MIN_STEP and np.abs(np.rint(above / step) * step - above).max() <= 1:
            return step
    return 0.0
