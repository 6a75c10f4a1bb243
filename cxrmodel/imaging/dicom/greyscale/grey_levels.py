"""Greyscale transformations of a DICOM image: stored values to grey levels 0..1.

PS3.4 N.2 and PS3.3 C.11: modality LUT or rescale, then VOI LUT or window, then polarity (presentation LUT shape, or
photometric interpretation without one). A stored value has at most 16 bits, so the transformation is computed once for
every possible value, and the image is looked up.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from cxrmodel.imaging.dicom.greyscale.luts import valid_luts
from cxrmodel.imaging.dicom.greyscale.padding import find_padding
from cxrmodel.imaging.dicom.greyscale.voi import Voi, offered_vois
from cxrmodel.imaging.dicom.header import DicomHeader
from cxrmodel.imaging.grey_range import GreyRange, Scale, find_grey_range, row_blocks, usual_depth
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


_EIGHT_BITS = 255
# A window or table must leave the image this share of the greys: half, and a little for rounding.
_GREYS = 0.51
# Where less than this share of the pixels is neither black nor white, it is none for this image.
_BETWEEN = 0.1
# A level this near to black or white is that: half of one of 255.
_NEAR = 1 / 510
# A window covers a scale if at most this share of the scale is outside it.
_OUTSIDE = 0.02
# The share of the greys that a window which covers all that a file can store must leave the scale of the image.
_SCALE_GREYS = 0.8


def grey_levels(header: DicomHeader, codes: np.ndarray, signed: bool) -> GreyLevels:
    """Apply the greyscale transformation of a file; an invalid part of it counts as absent.

    The first of the file's VOI LUTs and windows that serves is applied: others are alternatives for other tissues.
    Where none does, black and white follow from the image (`find_grey_range`). Pixel padding does not count, and is
    black.

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
    levels = image.stated_levels(notes)
    if levels is None:
        levels = image.own_levels(notes)
    table = np.clip(1 - levels if image.inverse else levels, 0, 1).astype(np.float32)
    pixels = np.empty(codes.shape, np.float32)
    for block, into in zip(row_blocks(codes), row_blocks(pixels), strict=True):
        into[:] = table[block]
    if image.padding is not None:
        if pixels[image.padding].any():
            notes.append(Message("imaging.dicom.padding"))
        pixels[image.padding] = 0
    return GreyLevels(pixels, image.inverse, image.stored_range, tuple(notes))


Ends = tuple[float, float]


def _covers(window: Ends, scale: Ends) -> bool:
    margin = _OUTSIDE * (scale[1] - scale[0])
    return window[0] <= scale[0] + margin and window[1] >= scale[1] - margin


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
        for block in row_blocks(codes):
            self.counts += np.bincount(block.ravel(), minlength=len(self.values))
        present = self.values[self.counts > 0]
        self.stored_range = int(present.min()), int(present.max())
        self.padding = find_padding(header, codes, self.values, self.counts)
        if self.padding is not None:
            self.counts -= np.bincount(codes[self.padding], minlength=len(self.values))

    def stated_levels(self, notes: list[Message]) -> np.ndarray | None:
        """Levels of each code by the first VOI LUT or window that serves; None where none does."""
        for voi in offered_vois(self._header.data, self.outputs, self.may_be_negative, notes):
            objection = self._objection(voi)
            if not objection:
                return voi.levels
            if Message(objection) not in notes:
                notes.append(Message(objection))
        return None

    def _objection(self, voi: Voi) -> str:
        """Code of the note on a VOI LUT or window that was not meant for this image; empty where it serves.

        It must leave the image half of the greys. A window over all that the file can store says no more than none at
        all, and serves only where it is the scale of the image.
        """
        levels = np.clip(voi.levels, 0, 1)
        between = self.counts[(levels > _NEAR) & (levels < 1 - _NEAR)].sum()
        if between < _BETWEEN * self.counts.sum():
            return voi.ignored
        if self._bulk(levels) < _GREYS and self._spread(levels) < _GREYS:
            return voi.ignored
        covering = voi.ends is not None and any(_covers(voi.ends, scale) for scale in self._whole_scales())
        if covering and (self._range.own or self._scale_greys(levels) < _SCALE_GREYS):
            return "imaging.dicom.window_of_all"
        return ""

    def _whole_scales(self) -> Iterator[Ends]:
        """Ends of what the file can store and of the depth that the image needs, stored and as modality values."""
        scales = [self._stated[:2]]
        if not self._lut and not self._signed:
            scales.append((0.0, 2.0 ** usual_depth(self.values[self.counts > 0].max()) - 1))
        for scale in scales:
            yield scale
            yield self._as_outputs(scale)

    def _scale_greys(self, levels: np.ndarray) -> float:
        """Difference of levels between the ends of the scale of the image; levels of each code."""
        scale = self._range.scale
        within = levels[(self._measured >= scale.low) & (self._measured <= scale.high)]
        return float(np.ptp(within))

    def _as_outputs(self, ends: Ends) -> Ends:
        """Ends of a scale on which the range of the image is found, as modality values."""
        low, high = sorted(end * self._slope + self._intercept for end in ends)
        return low, high

    def _bulk(self, levels: np.ndarray) -> float:
        """Difference of levels between the central 90 % of the pixels; levels of each code."""
        order = np.argsort(levels, kind="stable")
        total = np.cumsum(self.counts[order])
        low, high = np.searchsorted(total, total[-1] * np.array([0.05, 0.95]))
        return float(levels[order[min(high, len(order) - 1)]] - levels[order[low]])

    def _spread(self, levels: np.ndarray) -> float:
        """Difference of levels that the image has without isolated values; levels of each code."""
        outputs, found = self._measured, self._range
        proper = (self.counts > 0) & (outputs >= found.lowest) & (outputs <= found.highest)
        return float(np.ptp(levels[proper]))

    def own_levels(self, notes: list[Message]) -> np.ndarray:
        """Levels of each code without a window."""
        found, scale = self._range, self._range.scale
        if found.own:
            low, high = self._as_outputs((found.lowest, found.highest))
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
