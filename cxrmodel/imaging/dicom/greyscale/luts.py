"""Look-up tables of a DICOM file (PS3.3 C.11.1, C.11.2)."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from pydicom.dataset import Dataset

from cxrmodel.imaging.dicom.dataset import DataSet, words_of


@dataclass(frozen=True, eq=False)
class Lut:
    """A look-up table (PS3.3 C.11.1.1.1, C.11.2.1.1).

    Attributes
    ----------
    first : int
        Input value of the first entry; lower ones give the first entry, higher ones the last.
    entries : ndarray of float64, shape (N,)
    top : float
        Highest value that an entry can have, by the bits that the file states.
    used_top : float
        Likewise, by the bits that the entries use: some devices state 16 and use fewer.
    """

    first: int
    entries: np.ndarray
    top: float
    used_top: float

    def apply(self, values: np.ndarray) -> np.ndarray:
        """Look values up: float64 of any shape -> entries of the same shape."""
        places = np.clip(np.rint(values) - self.first, 0, len(self.entries) - 1)
        looked_up: np.ndarray = self.entries[places.astype(np.intp)]
        return looked_up


def valid_luts(data: DataSet, keyword: str, signed: bool) -> Iterator[Lut]:
    """Valid items of a sequence of look-up tables.

    Parameters
    ----------
    data : DataSet
    keyword : str
        Of the sequence.
    signed : bool
        The first input value may be below 0.
    """
    for item in data.sequence(keyword):
        lut = _lut(item, data.little_endian, signed)
        if lut:
            yield lut


def _lut(item: Dataset, little_endian: bool, signed: bool) -> Lut | None:
    descriptor = words_of(item, "LUTDescriptor", little_endian)
    if descriptor is None or len(descriptor) != 3 or not 8 <= descriptor[2] <= 16:
        return None
    count, first, bits = map(int, descriptor)
    count = count or 65536
    if signed and first >= 2**15:
        first -= 2**16
    words = words_of(item, "LUTData", little_endian)
    if words is None:
        return None
    if len(words) < count <= 2 * len(words):
        # PS3.3 C.11.1.1.1: eight-bit entries, two to a word.
        words = words.astype("<u2").view(np.uint8)
    if len(words) < count:
        return None
    entries = words[:count].astype(np.float64)
    used = max(8, int(entries.max()).bit_length())
    return Lut(first, entries, 2.0 ** max(bits, used) - 1, 2.0**used - 1)
