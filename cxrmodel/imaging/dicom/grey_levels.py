"""Greyscale transformations of a DICOM image: stored values to grey levels 0..1.

PS3.4 N.2 and PS3.3 C.11: modality LUT or rescale, then VOI LUT or window, then polarity (presentation LUT shape, or
photometric interpretation without one). A stored value has at most 16 bits, so the transformation is computed once for
every possible value, and the image is looked up.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from cxrmodel.imaging.dicom.header import DicomHeader
from cxrmodel.imaging.dicom.luts import valid_luts
from cxrmodel.imaging.dicom.padding import find_padding
from cxrmodel.imaging.dicom.voi import choose_voi
from cxrmodel.imaging.grey_range import GreyRange, Scale, find_grey_range
from cxrmodel.messages import Message


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


_ROWS = 128
_EIGHT_BITS = 255


def grey_levels(header: DicomHeader, codes: np.ndarray, signed: bool) -> GreyLevels:
    """Apply the greyscale transformation of a file; an invalid part of it counts as absent.

    Where the file has neither a VOI LUT nor a window that serves (`choose_voi`), black and white follow from the image
    (`find_grey_range`). Pixel padding does not count, and is black.

    Parameters
    ----------
    header : DicomHeader
    codes : ndarray of uint16, shape (H, W)
        Stored values as unsigned numbers of ``header.bits`` bits.
    signed : bool
        Codes with the topmost bit set are negative values.
    """
    notes: list[Message] = []
    image = _Image(header, codes, signed, notes)
    levels = choose_voi(header.data, image.outputs, image.may_be_negative, image.counts, image.spread, notes)
    if levels is None:
        levels = image.own_levels(notes)
    table = np.clip(1 - levels if image.inverse else levels, 0, 1).astype(np.float32)
    pixels = np.empty(codes.shape, np.float32)
    for block, into in zip(_blocks(codes), _blocks(pixels), strict=True):
        into[:] = table[block]
    if image.padding is not None:
        if pixels[image.padding].any():
            notes.append(Message("imaging.dicom.padding"))
        pixels[image.padding] = 0
    return GreyLevels(pixels, image.inverse, image.stored_range, tuple(notes))


class _Image:
    """An image before its values of interest are chosen.

    Attributes
    ----------
    values : ndarray of int64, shape (N,)
        Stored value of each code.
    outputs : ndarray of float64, shape (N,)
        Modality value of each.
    may_be_negative : bool
        A VOI LUT may begin below 0.
    inverse : bool
        The lowest value is shown white.
    padding : ndarray of bool, shape (H, W), or None
        Pixels outside the image proper; None where there are none.
    counts : ndarray of int64, shape (N,)
        Pixels of the image proper with each value.
    stored_range : (int, int)
        Lowest and highest stored value, with padding.
    """

    def __init__(self, header: DicomHeader, codes: np.ndarray, signed: bool, notes: list[Message]) -> None:
        self._header, self._codes, self._signed = header, codes, signed
        self.values = np.arange(2**header.bits, dtype=np.int64)
        if signed:
            self.values[2 ** (header.bits - 1) :] -= 2**header.bits
        self._lut = next(valid_luts(header.data, "ModalityLUTSequence", header.signed), None)
        self._slope, self._intercept = (1.0, 0.0) if self._lut else _rescale(header, notes)
        self.outputs = self._lut.apply(self.values) if self._lut else self.values * self._slope + self._intercept
        self.may_be_negative = not self._lut and (header.signed or self._intercept < 0 or self._slope < 0)
        self.inverse = _inverse(header, notes)
        self.counts = np.zeros(len(self.values), np.int64)
        for block in _blocks(codes):
            self.counts += np.bincount(block.ravel(), minlength=len(self.values))
        present = self.values[self.counts > 0]
        self.stored_range = int(present.min()), int(present.max())
        self.padding = find_padding(header, codes, self.values, self.counts)
        if self.padding is not None:
            self.counts -= np.bincount(codes[self.padding], minlength=len(self.values))

    def spread(self, levels: np.ndarray) -> float:
        """Difference of levels that the image has without isolated values; levels of each code."""
        outputs, found = self._measured, self._range
        proper = (self.counts > 0) & (outputs >= found.lowest) & (outputs <= found.highest)
        return float(np.ptp(levels[proper]))

    def own_levels(self, notes: list[Message]) -> np.ndarray:
        """Levels of each code without a window."""
        found, scale = self._range, self._range.scale
        if found.own:
            low, high = sorted(end * self._slope + self._intercept for end in (found.lowest, found.highest))
            notes.append(Message("imaging.dicom.no_window", low=low, high=high))
        elif scale != self._stated:
            notes.append(Message("imaging.note.bits", stored=self._header.bits, used=scale.bits))
        if found.isolated:
            notes.append(Message("imaging.note.isolated"))
        levels = (self._measured - scale.low) / ((scale.high - scale.low) or 1.0)
        return levels if self._slope > 0 else 1 - levels

    @property
    def _measured(self) -> np.ndarray:
        """What the range of the image is found in, for each code: stored values, which a rescale does not reorder."""
        return self.outputs if self._lut else self.values

    @property
    def _stated(self) -> Scale:
        low, high = (0.0, self._lut.top) if self._lut else (float(self.values.min()), float(self.values.max()))
        return Scale(low, high, 8 if high - low == _EIGHT_BITS else 0)

    @cached_property
    def _range(self) -> GreyRange:
        samples = self._codes
        if self._lut or self._signed:
            samples = self._measured.astype(np.float32 if self._lut else np.int32)[samples]
        counted = None if self.padding is None else ~self.padding
        return find_grey_range(samples, counted, self._stated, self.inverse != (self._slope < 0))


def _rescale(header: DicomHeader, notes: list[Message]) -> tuple[float, float]:
    """Rescale slope and intercept."""
    slope, intercept = (
        (header.data.numbers(keyword) or [default])[0]
        for keyword, default in (("RescaleSlope", 1.0), ("RescaleIntercept", 0.0))
    )
    if slope == 0:
        notes.append(Message("imaging.dicom.zero_slope"))
        return 1.0, 0.0
    return slope, intercept


def _inverse(header: DicomHeader, notes: list[Message]) -> bool:
    """Whether the lowest value is shown white."""
    shape = header.data.text("PresentationLUTShape")
    inverse = shape == "INVERSE" if shape in ("INVERSE", "IDENTITY") else header.monochrome1
    if inverse != header.monochrome1:
        notes.append(Message("imaging.dicom.polarity_contradiction"))
    return inverse


def _blocks(samples: np.ndarray) -> Iterator[np.ndarray]:
    """Some rows at a time: the indices of a whole image would take four times its memory."""
    for start in range(0, len(samples), _ROWS):
        yield samples[start : start + _ROWS]
