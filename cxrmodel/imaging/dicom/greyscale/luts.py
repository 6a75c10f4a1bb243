"""Look-up tables of a DICOM file (PS3.3 C.11.1, C.11.2)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
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
    table = read_table(item, "LUT", little_endian, signed)
    if table is None or not 8 <= table.bits <= 16:
        return None
    used = max(8, int(table.entries.max()).bit_length())
    return Lut(table.first, table.entries.astype(np.float64), 2.0 ** max(table.bits, used) - 1, 2.0**used - 1)


class Table(NamedTuple):
    """A table as the file stores it: first input value, stated bits of an entry, and the entries as uint16."""

    first: int
    bits: int
    entries: NDArray[np.uint16]


def read_table(item: Dataset, name: str, little_endian: bool, signed: bool) -> Table | None:
    """Read a descriptor and its entries; None where they are missing, damaged or segmented.

    Parameters
    ----------
    item : Dataset
    name : str
        What the keywords of both elements begin with: "LUT", "RedPaletteColorLookupTable".
    little_endian : bool
    signed : bool
        The first input value may be below 0.
    """
    descriptor, words = (words_of(item, f"{name}{part}", little_endian) for part in ("Descriptor", "Data"))
    if descriptor is None or words is None or len(descriptor) != 3:
        return None
    count, first, bits = map(int, descriptor)
    count = count or 65536
    if signed and first >= 2**15:
        first -= 2**16
    if len(words) < count <= 2 * len(words):
        # PS3.3 C.11.1.1.1: eight-bit entries, two to a word.
        words = words.astype("<u2").view(np.uint8).astype(np.uint16)
    return Table(first, bits, words[:count]) if len(words) >= count else None
