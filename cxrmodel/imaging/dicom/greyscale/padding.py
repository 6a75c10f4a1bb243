"""Pixel padding: pixels of a DICOM frame that are no part of the image (PS3.3 C.7.5.1.1.2)."""

import numpy as np

from cxrmodel.imaging.dicom.dataset import words_of
from cxrmodel.imaging.dicom.header import DicomHeader
from cxrmodel.imaging.dicom.pixel_data.frames import read_frame

_WORD = 16


def find_padding(header: DicomHeader, codes: np.ndarray, values: np.ndarray, counts: np.ndarray) -> np.ndarray | None:
    """Find the pixels with a padding value.

    Parameters
    ----------
    header : DicomHeader
    codes : ndarray of uint16, shape (H, W)
    values : ndarray of int64, shape (N,)
        Stored value of each code.
    counts : ndarray of int64, shape (N,)
        Pixels with each.

    Returns
    -------
    ndarray of bool, shape (H, W), or None
        None where no pixel is padding, or every one, which is a wrong statement.
    """
    ends = _stated_range(header)
    if ends is None:
        return None
    table = (values >= ends[0]) & (values <= ends[1]) & (counts > 0)
    found = table[codes] if table.any() else None
    beyond = _beyond_bits(header, ends)
    if beyond is not None:
        found = beyond if found is None else found | beyond
    return None if found is None or found.all() else found


def _stated_range(header: DicomHeader) -> tuple[int, int] | None:
    """Lowest and highest padding value; None where the file states none."""
    words = [
        words_of(header.data.values, keyword, header.data.little_endian)
        for keyword in ("PixelPaddingValue", "PixelPaddingRangeLimit")
    ]
    if words[0] is None:
        return None
    ends = [int(word[0]) - (2**16 if header.signed and word[0] >= 2**15 else 0) for word in words if word is not None]
    return min(ends), max(ends)


def _beyond_bits(header: DicomHeader, ends: tuple[int, int]) -> np.ndarray | None:
    """Pixels whose padding value the stored bits do not hold; None where there are none.

    The standard forbids it, but 65535 beside twelve stored bits is common. The other bits of the sample hold the rest.
    """
    low = -(2 ** (header.bits - 1)) if header.signed else 0
    high = low + 2**header.bits - 1
    if low <= ends[0] and ends[1] <= high:
        return None
    if header.bits_allocated != _WORD or header.high_bit != header.bits - 1:
        return None
    count = header.height * header.width
    frame = read_frame(header.data, 2 * count, 2)
    if frame.codestream or frame.run_lengths:
        return None
    dtype = np.dtype("i2" if header.signed else "u2").newbyteorder("<" if header.data.little_endian else ">")
    samples = np.frombuffer(frame.data, dtype, count).reshape(header.height, header.width)
    found: np.ndarray = (samples >= ends[0]) & (samples <= ends[1]) & ((samples < low) | (samples > high))
    return found if found.any() else None
