"""Greyscale transformations of a DICOM image: stored values to grey levels 0..1.

PS3.4 N.2 and PS3.3 C.11: modality LUT or rescale, then VOI LUT or window, then polarity (presentation LUT shape, or
photometric interpretation without one). A stored value has at most 16 bits, so the transformation is computed once for
every possible value, and the image is looked up.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from pydicom.dataset import Dataset

from cxrmodel.imaging.dicom.dataset import DataSet, words_of
from cxrmodel.imaging.dicom.header import DicomHeader
from cxrmodel.messages import Message


@dataclass(frozen=True, eq=False)
class Lut:
    """A look-up table (PS3.3 C.11.1.1.1, C.11.2.1.1).

    Attributes
    ----------
    first : int
        Input value of the first entry; lower ones give the first entry, higher ones the last.
    entries : ndarray of float64, shape (N,)
    top : float
        Highest value that an entry can have.
    """

    first: int
    entries: np.ndarray
    top: float

    def apply(self, values: np.ndarray) -> np.ndarray:
        """Look values up: float64 of any shape -> entries of the same shape."""
        places = np.clip(np.rint(values) - self.first, 0, len(self.entries) - 1)
        looked_up: np.ndarray = self.entries[places.astype(np.intp)]
        return looked_up


@dataclass(frozen=True, eq=False)
class GreyLevels:
    """An image after its greyscale transformation.

    Attributes
    ----------
    pixels : ndarray of float32, shape (H, W)
        0..1, black to white.
    inverse : bool
        The lowest value is shown white.
    stored_range : (int, int)
        Lowest and highest stored value.
    notes : tuple of Message
    """

    pixels: np.ndarray
    inverse: bool
    stored_range: tuple[int, int]
    notes: tuple[Message, ...]


_MIN_CONTRAST = 0.1
_ROWS = 128


def grey_levels(header: DicomHeader, codes: np.ndarray, signed: bool) -> GreyLevels:
    """Apply the greyscale transformation of a file; an invalid part of it counts as absent.

    Where the file has neither a VOI LUT nor a window, black and white are the ends of the widest of these ranges of
    which the image uses at least half, without its outermost 0.5 % at either end: all possible values; all that occur;
    all that occur without that 0.5 %. The first gives exactly level / 255 for an 8-bit image; the others add a note. A
    window that shows almost nothing of the image counts as absent.

    Parameters
    ----------
    header : DicomHeader
    codes : ndarray of uint16, shape (H, W)
        Stored values as unsigned numbers of ``header.bits`` bits.
    signed : bool
        Codes with the topmost bit set are negative values.
    """
    notes: list[Message] = []
    values = np.arange(2**header.bits, dtype=np.int64)
    if signed:
        values[2 ** (header.bits - 1) :] -= 2**header.bits
    counts = np.zeros(len(values), np.int64)
    for block in _blocks(codes):
        counts += np.bincount(block.ravel(), minlength=len(values))
    present = values[counts > 0]
    outputs, ends, negative = _modality_outputs(header, values, notes)
    voi = _first_lut(header.data, "VOILUTSequence", negative)
    levels = voi.apply(outputs) / voi.top if voi else _windowed(header.data, outputs, notes)
    inverse = _inverse(header, notes)
    padding = _padding(header, values)
    counts = np.where(padding, 0, counts) if counts[~padding].any() else counts
    if levels is not None and np.ptp(_inner(levels, counts)) < _MIN_CONTRAST < np.ptp(outputs[counts > 0]):
        levels = None
        notes.append(Message("imaging.dicom.window_outside"))
    if levels is None:
        levels = _spread(outputs, counts, ends, notes)
    table = np.clip(1 - levels if inverse else levels, 0, 1).astype(np.float32)
    pixels = np.empty(codes.shape, np.float32)
    for block, into in zip(_blocks(codes), _blocks(pixels), strict=True):
        into[:] = table[block]
    return GreyLevels(pixels, inverse, (int(present.min()), int(present.max())), tuple(notes))


def _modality_outputs(
    header: DicomHeader, values: np.ndarray, notes: list[Message]
) -> tuple[np.ndarray, tuple[float, float], bool]:
    """Values after modality LUT or rescale, the ends of their range, and whether a VOI LUT may begin below 0."""
    slope, intercept = (
        (header.data.numbers(keyword) or [default])[0]
        for keyword, default in (("RescaleSlope", 1.0), ("RescaleIntercept", 0.0))
    )
    if slope == 0:
        slope, intercept = 1.0, 0.0
        notes.append(Message("imaging.dicom.zero_slope"))
    lut = _first_lut(header.data, "ModalityLUTSequence", header.signed)
    if lut:
        return lut.apply(values), (0.0, lut.top), False
    outputs = values * slope + intercept
    return outputs, (float(outputs.min()), float(outputs.max())), header.signed or intercept < 0 or slope < 0


def _inverse(header: DicomHeader, notes: list[Message]) -> bool:
    """Whether the lowest value is shown white."""
    shape = header.data.text("PresentationLUTShape")
    inverse = shape == "INVERSE" if shape in ("INVERSE", "IDENTITY") else header.monochrome1
    if inverse != header.monochrome1:
        notes.append(Message("imaging.dicom.polarity_contradiction"))
    return inverse


def _first_lut(data: DataSet, keyword: str, signed: bool) -> Lut | None:
    """The first valid item of a sequence of look-up tables."""
    for item in data.sequence(keyword):
        lut = _lut(item, data.little_endian, signed)
        if lut:
            return lut
    return None


# A table that leaves so many of the stated bits unused states too many.
_UNUSED_BITS = 3


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
    # Some devices state 16 bits and use 12 or fewer.
    return Lut(first, entries, 2.0 ** (bits if used <= bits < used + _UNUSED_BITS else used) - 1)


def _windowed(data: DataSet, values: np.ndarray, notes: list[Message]) -> np.ndarray | None:
    """Levels 0..1 by the first window (PS3.3 C.11.2.1.2); later ones are alternatives for other tissues."""
    centres, widths = data.numbers("WindowCenter"), data.numbers("WindowWidth")
    if not centres or not widths:
        return None
    centre, width, function = centres[0], widths[0], data.text("VOILUTFunction")
    if width <= 0 or (function not in ("SIGMOID", "LINEAR_EXACT") and width < 1):
        notes.append(Message("imaging.dicom.zero_width"))
        return None
    if function == "SIGMOID":
        with np.errstate(over="ignore"):
            return 1 / (1 + np.exp(-4 * (values - centre) / width))
    if function == "LINEAR_EXACT":
        return np.clip((values - centre) / width + 0.5, 0, 1)
    if width == 1:
        return (values > centre - 0.5).astype(np.float64)
    return np.clip((values - (centre - 0.5)) / (width - 1) + 0.5, 0, 1)


def _padding(header: DicomHeader, values: np.ndarray) -> np.ndarray:
    """Which stored values mark pixels outside the image: bool, one for each value."""
    words = [
        words_of(header.data.values, keyword, header.data.little_endian)
        for keyword in ("PixelPaddingValue", "PixelPaddingRangeLimit")
    ]
    if words[0] is None:
        return np.zeros(len(values), bool)
    ends = [int(word[0]) - (2**16 if header.signed and word[0] >= 2**15 else 0) for word in words if word is not None]
    return (values >= min(ends)) & (values <= max(ends))


# Share of values at either end that may be outliers, and share of the range that the others must use.
_TAIL = 0.005
_USED = 0.5


def _blocks(samples: np.ndarray) -> Iterator[np.ndarray]:
    """Some rows at a time: the indices of a whole image would take four times its memory."""
    for start in range(0, len(samples), _ROWS):
        yield samples[start : start + _ROWS]


def _inner(levels: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Lowest and highest level of the image, without its outermost 0.5 % at either end."""
    order = np.argsort(levels, kind="stable")
    share = np.cumsum(counts[order]) / counts.sum()
    low, high = np.searchsorted(share, (_TAIL, 1 - _TAIL))
    return levels[order][[low, min(high, len(order) - 1)]]


def _spread(outputs: np.ndarray, counts: np.ndarray, ends: tuple[float, float], notes: list[Message]) -> np.ndarray:
    """Levels 0..1 of an image without a window, by the rule of `grey_levels`."""
    inner = _inner(outputs, counts)
    occurring = outputs[counts > 0]
    whole = (float(occurring.min()), float(occurring.max()))
    low, high = next(
        (span for span in (ends, whole) if np.ptp(inner) >= _USED * (span[1] - span[0])),
        (float(inner[0]), float(inner[1])),
    )
    if (low, high) != ends:
        notes.append(Message("imaging.dicom.no_window", low=low, high=high))
    return (outputs - low) / ((high - low) or 1.0)
