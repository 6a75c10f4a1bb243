"""Stored values of a DICOM image -> grey levels 0..1, in the order of the standard.

PS3.4 N.2 and PS3.3 C.11: modality LUT or rescale, then VOI LUT or window, then polarity (presentation LUT shape, or
photometric interpretation where there is none). A stored value has at most 16 bits, so the whole way is worked out
once for every value that can occur, and an image is looked up.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from pydicom.dataset import Dataset

from cxrmodel.imaging.dicom.dataset import DataSet, words_of
from cxrmodel.imaging.dicom.header import Raster

__all__ = ["GreyScale", "Lut", "Window", "grey_levels", "grey_scale"]


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
        return self.entries[places.astype(np.intp)]


@dataclass(frozen=True)
class Window:
    """A window (PS3.3 C.11.2.1.2), with a width that its function allows."""

    centre: float
    width: float
    function: str

    def apply(self, values: np.ndarray) -> np.ndarray:
        """Map values to 0..1."""
        if self.function == "SIGMOID":
            with np.errstate(over="ignore"):
                return 1 / (1 + np.exp(-4 * (values - self.centre) / self.width))
        if self.function == "LINEAR_EXACT":
            return np.clip((values - self.centre) / self.width + 0.5, 0, 1)
        if self.width == 1:
            return (values > self.centre - 0.5).astype(np.float64)
        return np.clip((values - (self.centre - 0.5)) / (self.width - 1) + 0.5, 0, 1)


@dataclass(frozen=True, eq=False)
class GreyScale:
    """How a file asks for its stored values to be shown.

    Attributes
    ----------
    slope, intercept : float
    modality : Lut or None
        Instead of slope and intercept.
    voi : Lut or None
        Instead of a window.
    window : Window or None
        The first of the file.
    padding : (int, int) or None
        Lowest and highest stored value that mark where there is no picture.
    inverse : bool
        The lowest value is shown white.
    notes : tuple of str
    """

    slope: float
    intercept: float
    modality: Lut | None
    voi: Lut | None
    window: Window | None
    padding: tuple[int, int] | None
    inverse: bool
    notes: tuple[str, ...]


def grey_scale(data: DataSet, raster: Raster) -> GreyScale:
    """Gather what a file says of its grey scale; what makes no sense counts as absent.

    Parameters
    ----------
    data : DataSet
    raster : Raster
    """
    notes = []
    modality = _first_lut(data, "ModalityLUTSequence", raster.signed)
    slope, intercept = (data.numbers(keyword)[:1] for keyword in ("RescaleSlope", "RescaleIntercept"))
    if slope == [0.0]:
        slope, intercept = [], []
        notes.append("The file gives a rescale slope of zero, which was ignored.")
    slope, intercept = (slope or [1.0])[0], (intercept or [0.0])[0]
    below_zero = raster.signed if modality is None else False
    voi = _first_lut(data, "VOILUTSequence", below_zero or (modality is None and (intercept < 0 or slope < 0)))
    window = None if voi else _window(data, notes)
    shape = data.text("PresentationLUTShape")
    inverse = shape == "INVERSE" if shape in ("INVERSE", "IDENTITY") else raster.white_is_low
    if inverse != raster.white_is_low:
        notes.append(
            "The file contradicts itself on whether its lowest values are black or white; its presentation LUT shape "
            "was followed."
        )
    return GreyScale(slope, intercept, modality, voi, window, _padding(data, raster), inverse, tuple(notes))


def _first_lut(data: DataSet, keyword: str, signed: bool) -> Lut | None:
    """The first item of a sequence of look-up tables that makes sense."""
    for item in data.sequence(keyword):
        lut = _lut(item, data.little, signed)
        if lut:
            return lut
    return None


# A table whose entries leave so many of the announced bits unused announces too many.
_UNUSED_BITS = 3


def _lut(item: Dataset, little: bool, signed: bool) -> Lut | None:
    descriptor = words_of(item, "LUTDescriptor", little)
    if descriptor is None or len(descriptor) != 3 or not 8 <= descriptor[2] <= 16:
        return None
    count, first, bits = map(int, descriptor)
    count = count or 65536
    if signed and first >= 2**15:
        first -= 2**16
    words = words_of(item, "LUTData", little)
    if words is None:
        return None
    if len(words) < count <= 2 * len(words):
        # PS3.3 C.11.1.1.1: eight-bit entries, two to a word.
        words = words.astype("<u2").view(np.uint8)
    if len(words) < count:
        return None
    entries = words[:count].astype(np.float64)
    used = max(8, int(entries.max()).bit_length())
    # Some devices announce 16 bits and use 12 or fewer.
    return Lut(first, entries, 2.0 ** (bits if used <= bits < used + _UNUSED_BITS else used) - 1)


def _window(data: DataSet, notes: list[str]) -> Window | None:
    """The first window; later ones are alternatives for other tissues."""
    centres, widths = data.numbers("WindowCenter"), data.numbers("WindowWidth")
    if not centres or not widths:
        return None
    function = data.text("VOILUTFunction")
    function = function if function in ("SIGMOID", "LINEAR_EXACT") else "LINEAR"
    if widths[0] <= 0 or (function == "LINEAR" and widths[0] < 1):
        notes.append("The file gives a window without width, which was ignored.")
        return None
    return Window(centres[0], widths[0], function)


def _padding(data: DataSet, raster: Raster) -> tuple[int, int] | None:
    ends = [data.words(keyword) for keyword in ("PixelPaddingValue", "PixelPaddingRangeLimit")]
    values = [int(end[0]) - (2**16 if raster.signed and end[0] >= 2**15 else 0) for end in ends if end is not None]
    return (min(values), max(values)) if ends[0] is not None else None


# The share of values at either end that may be outliers, and the share of the scale that the others must use.
_TAIL = 0.005
_USED = 0.5
_LEAST_CONTRAST = 0.1
_ROWS = 128


def grey_levels(codes: np.ndarray, raster: Raster, signed: bool, scale: GreyScale) -> tuple[np.ndarray, dict]:
    """Show stored values as the file asks.

    Where the file has neither a VOI LUT nor a window, black and white are the ends of the widest of these ranges of
    which the image uses at least half, its outermost half per cent at either end left out: all values that can be
    stored; all that occur; all that occur but for that half per cent. The first leaves an 8-bit image exactly as its
    levels over 255; the others are told. A window that shows next to nothing of the image counts as absent.

    Parameters
    ----------
    codes : ndarray of uint16, shape (H, W)
        Stored values as unsigned numbers of ``raster.stored`` bits.
    raster : Raster
    signed : bool
        Codes with the topmost bit set stand for negative values.
    scale : GreyScale

    Returns
    -------
    pixels : ndarray of float32, shape (H, W)
        0..1, black to white.
    told : dict
        ``notes`` (list of str) and ``stored_range`` (lowest and highest stored value).
    """
    values = np.arange(2**raster.stored, dtype=np.int64)
    if signed:
        values[2 ** (raster.stored - 1) :] -= 2**raster.stored
    counts = sum(np.bincount(block.ravel(), minlength=len(values)) for block in _blocks(codes))
    present = values[counts > 0]
    told = {"notes": list(scale.notes), "stored_range": (int(present.min()), int(present.max()))}
    if scale.padding:
        inside = (values >= scale.padding[0]) & (values <= scale.padding[1])
        counts = np.where(inside, 0, counts) if counts[~inside].any() else counts
    if scale.modality:
        outputs, ends = scale.modality.apply(values), (0.0, scale.modality.top)
    else:
        outputs = values * scale.slope + scale.intercept
        ends = (float(outputs.min()), float(outputs.max()))
    if scale.voi:
        levels = scale.voi.apply(outputs) / scale.voi.top
    elif scale.window:
        levels = scale.window.apply(outputs)
    else:
        levels = None
    if levels is not None and np.ptp(_inner(levels, counts)) < _LEAST_CONTRAST < np.ptp(outputs[counts > 0]):
        levels = None
        told["notes"].append("The window that the file gives shows next to nothing of the image and was ignored.")
    if levels is None:
        levels = _spread(outputs, counts, ends, told["notes"])
    if scale.inverse:
        levels = 1 - levels
    shown = np.clip(levels, 0, 1).astype(np.float32)
    pixels = np.empty(codes.shape, np.float32)
    for block, into in zip(_blocks(codes), _blocks(pixels), strict=True):
        into[:] = shown[block]
    return pixels, told


def _blocks(samples: np.ndarray) -> Iterator[np.ndarray]:
    """Some rows at a time: looking up a whole image would take four times its own room in indices."""
    for start in range(0, len(samples), _ROWS):
        yield samples[start : start + _ROWS]


def _inner(levels: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Levels between which the image lies, but for its outermost half per cent at either end."""
    order = np.argsort(levels, kind="stable")
    share = np.cumsum(counts[order]) / counts.sum()
    low, high = np.searchsorted(share, (_TAIL, 1 - _TAIL))
    return levels[order][[low, min(high, len(order) - 1)]]


def _spread(outputs: np.ndarray, counts: np.ndarray, ends: tuple[float, float], notes: list[str]) -> np.ndarray:
    """Levels 0..1 of an image without window, by the rule of `grey_levels`."""
    inner = _inner(outputs, counts)
    occurring = outputs[counts > 0]
    whole = (float(occurring.min()), float(occurring.max()))
    low, high = next(
        (span for span in (ends, whole) if np.ptp(inner) >= _USED * (span[1] - span[0])),
        (float(inner[0]), float(inner[1])),
    )
    if (low, high) != ends:
        notes.append(
            "The file gives no usable window and uses a small part of its grey scale; the values from "
            f"{low:g} to {high:g} were spread over all of it."
        )
    return (outputs - low) / ((high - low) or 1.0)
