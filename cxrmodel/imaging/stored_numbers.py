"""How the samples of an image are to be read as numbers, where the image contradicts its file.

Files state the wrong sign, fewer bits than their numbers have, or the wrong order of bytes. Numbers read wrongly wrap
around: neighbours that differ a little are at opposite ends of the range. Read rightly, they do not.
"""

from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cxrmodel.messages import Message

_WORD = 16
# Rows that are looked at.
_ROWS = 256
# Neighbours that differ by more than half of the range: from how many on they are no chance, and what another way of
# reading may leave of them.
_MIN_JUMPS, _JUMPS_LEFT = 64, 1 / 8
# Read rightly, half of them at least differ by less than this share of the central half of the values, and are of so
# many values on either side. The edges of burnt-in text are of few.
_MOST, _NEAR, _MIN_VALUES = 1 / 2, 0.4, 16


class Numbers(NamedTuple):
    """A way of reading words of 16 bits as numbers.

    Attributes
    ----------
    bits : int
        The lowest ones of a word, that hold the number.
    signed : bool
    swapped : bool
        The two bytes of a word have changed places.
    """

    bits: int = _WORD
    signed: bool = False
    swapped: bool = False

    def codes(self, words: NDArray[np.uint16]) -> NDArray[np.uint16]:
        """The numbers, without their sign: a negative one is its two's complement."""
        ordered = words.byteswap() if self.swapped else words
        return ordered & np.uint16(2**self.bits - 1) if self.bits < _WORD else ordered

    def values(self, words: NDArray[np.uint16]) -> NDArray[np.int32]:
        """The numbers."""
        codes = self.codes(words).astype(np.int32)
        sign = 1 << self.bits - 1
        return (codes ^ sign) - sign if self.signed else codes

    def note(self, stated: "Numbers") -> Message:
        """What this way has other than the stated one."""
        kind = "bytes" if self.swapped else "more_bits" if self.bits != stated.bits else "sign"
        return Message(f"imaging.note.numbers.{kind}")


def find_numbers(words: NDArray[np.uint16], stated: Numbers) -> Numbers:
    """Find the way of reading that the image does not contradict.

    Parameters
    ----------
    words : ndarray of uint16, shape (H, W)
    stated : Numbers
        By the file. It holds unless another way is beyond doubt.
    """
    rows = words[:: -(-len(words) // _ROWS)]
    jumps = _jumps(stated.values(rows), stated.bits)
    count = np.count_nonzero(jumps)
    if count < _MIN_JUMPS:
        return stated
    for other in _others(rows, stated):
        values = other.values(rows)
        if np.count_nonzero(_jumps(values, other.bits)) <= _JUMPS_LEFT * count and _continue(values, jumps):
            return other
    return stated


def _others(rows: NDArray[np.uint16], stated: Numbers) -> list[Numbers]:
    """Other ways than the stated one, the likelier ones first."""
    ways = product((False, True), (stated.bits, _WORD), (stated.signed, not stated.signed))
    found = [Numbers(bits, signed, swapped) for swapped, bits, signed in ways]
    # Without higher bits, a number of them is none of the upper half, whatever its sign.
    used = int(rows.max()) >> stated.bits
    return [way for way in dict.fromkeys(found) if way != stated and (used or way.swapped or way.bits == stated.bits)]


def _jumps(values: NDArray[np.int32], bits: int) -> NDArray[np.bool_]:
    """Where a number and the next one of its row differ by more than half of the range."""
    found: NDArray[np.bool_] = np.abs(np.diff(values, axis=1)) > 1 << bits - 1
    return found


def _continue(values: NDArray[np.int32], jumps: NDArray[np.bool_]) -> bool:
    """Whether neighbours that jumped are near each other, and are of many values on either side."""
    low, high = np.quantile(values, (0.25, 0.75))
    before, after = values[:, :-1][jumps], values[:, 1:][jumps]
    near = np.abs(before - after) <= _NEAR * (high - low)
    lower, upper = np.minimum(before, after)[near], np.maximum(before, after)[near]
    return bool(near.mean() >= _MOST and min(len(np.unique(lower)), len(np.unique(upper))) >= _MIN_VALUES)
