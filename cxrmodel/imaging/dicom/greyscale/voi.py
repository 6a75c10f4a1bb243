"""Values of interest: which modality values a DICOM image shows black and white (PS3.3 C.11.2)."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from cxrmodel.imaging.dicom.dataset import DataSet
from cxrmodel.imaging.dicom.greyscale.luts import valid_luts
from cxrmodel.messages import Message


@dataclass(frozen=True, eq=False)
class Voi:
    """One way to show an image.

    Attributes
    ----------
    levels : ndarray of float64, shape (N,)
        Of each modality value; black is 0 and white is 1, and there may be others beyond.
    ignored : str
        Code of the note where this is not shown.
    ends : (float, float) or None
        Modality values that a window with straight sides shows black and white.
    """

    levels: np.ndarray
    ignored: str
    ends: tuple[float, float] | None = None


def offered_vois(data: DataSet, outputs: np.ndarray, signed: bool, notes: list[Message]) -> Iterator[Voi]:
    """A file's VOI LUTs and then its windows, in order.

    A table that states more bits than it uses comes a second time, with the bits that it uses.

    Parameters
    ----------
    data : DataSet
    outputs : ndarray of float64, shape (N,)
        Modality values of the possible stored values.
    signed : bool
        Modality values may be below 0.
    notes : list of Message
        Receives what is invalid.
    """
    for lut in valid_luts(data, "VOILUTSequence", signed):
        entries = lut.apply(outputs)
        if lut.used_top < lut.top:
            # Bits may be unused on purpose, so that the stated ones come first.
            yield Voi(entries / lut.top, "imaging.dicom.lut_bits")
        yield Voi(entries / lut.used_top, "imaging.dicom.lut_ignored")
    function = data.text("VOILUTFunction")
    for centre, width in zip(data.numbers("WindowCenter"), data.numbers("WindowWidth"), strict=False):
        levels = _windowed(function, outputs, centre, width)
        if levels is not None:
            ends = None if function == "SIGMOID" else (centre - width / 2, centre + width / 2)
            yield Voi(levels, "imaging.dicom.window_ignored", ends)
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
