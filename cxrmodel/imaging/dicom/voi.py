"""Values of interest: which modality values a DICOM image shows black and white (PS3.3 C.11.2)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from cxrmodel.imaging.dicom.dataset import DataSet
from cxrmodel.imaging.dicom.luts import valid_luts
from cxrmodel.messages import Message

# A window or table must leave the image this share of the greys: half, and a little for rounding.
_GREYS = 0.51
# Where less than this share of the pixels is neither black nor white, it is no window for this image.
_BETWEEN = 0.1
# A level this near to black or white is that: half of one of 255.
_NEAR = 1 / 510


@dataclass(frozen=True, eq=False)
class Voi:
    """One way to show an image.

    Attributes
    ----------
    levels : ndarray of float64, shape (N,)
        Of each modality value; black is 0 and white is 1, and there may be others beyond.
    ignored : str
        Code of the note where this is not shown.
    """

    levels: np.ndarray
    ignored: str


def choose_voi(
    data: DataSet,
    outputs: np.ndarray,
    signed: bool,
    counts: np.ndarray,
    spread: Callable[[np.ndarray], float],
    notes: list[Message],
) -> np.ndarray | None:
    """The first of a file's VOI LUTs and then of its windows that leaves the image at least half of the greys.

    Others are alternatives for other tissues, which serve where the first is wrong: too wide, beside the image, or a
    table that states more bits than it uses. Such a table is first tried with the bits that it uses.

    Parameters
    ----------
    data : DataSet
    outputs : ndarray of float64, shape (N,)
        Modality values of the possible stored values.
    signed : bool
        Modality values may be below 0.
    counts : ndarray of int64, shape (N,)
        Pixels of the image with each.
    spread : callable
        Difference of levels that the image has without isolated values, by the levels of each modality value.
    notes : list of Message
        Receives what was ignored.

    Returns
    -------
    ndarray of float64, shape (N,), or None
        Levels of the modality values; None where nothing serves.
    """
    for voi in _candidates(data, outputs, signed, notes):
        levels = np.clip(voi.levels, 0, 1)
        between = counts[(levels > _NEAR) & (levels < 1 - _NEAR)].sum()
        if between >= _BETWEEN * counts.sum() and (_bulk(levels, counts) >= _GREYS or spread(levels) >= _GREYS):
            return voi.levels
        if Message(voi.ignored) not in notes:
            notes.append(Message(voi.ignored))
    return None


def _candidates(data: DataSet, outputs: np.ndarray, signed: bool, notes: list[Message]) -> Iterator[Voi]:
    for lut in valid_luts(data, "VOILUTSequence", signed):
        entries = lut.apply(outputs)
        if lut.used_top < lut.top:
            # Bits may be unused on purpose, so that the stated ones come first.
            yield Voi(entries / lut.top, "imaging.dicom.lut_bits")
        yield Voi(entries / lut.used_top, "imaging.dicom.lut_ignored")
    for centre, width in zip(data.numbers("WindowCenter"), data.numbers("WindowWidth"), strict=False):
        levels = _windowed(data.text("VOILUTFunction"), outputs, centre, width)
        if levels is not None:
            yield Voi(levels, "imaging.dicom.window_ignored")
        elif Message("imaging.dicom.zero_width") not in notes:
            notes.append(Message("imaging.dicom.zero_width"))


def _windowed(function: str, values: np.ndarray, centre: float, width: float) -> np.ndarray | None:
    """Levels by a window (PS3.3 C.11.2.1.2); None for one without width."""
    if width <= 0 or (function not in ("SIGMOID", "LINEAR_EXACT") and width < 1):
        return None
    if function == "SIGMOID":
        with np.errstate(over="ignore"):
            return 1 / (1 + np.exp(-4 * (values - centre) / width))
    if function == "LINEAR_EXACT":
        return np.clip((values - centre) / width + 0.5, 0, 1)
    if width == 1:
        return (values > centre - 0.5).astype(np.float64)
    return np.clip((values - (centre - 0.5)) / (width - 1) + 0.5, 0, 1)


def _bulk(levels: np.ndarray, counts: np.ndarray) -> float:
    """Difference of levels between the central 90 % of the pixels."""
    order = np.argsort(levels, kind="stable")
    low, high = np.searchsorted(np.cumsum(counts[order]), counts.sum() * np.array([0.05, 0.95]))
    return float(levels[order[min(high, len(order) - 1)]] - levels[order[low]])
