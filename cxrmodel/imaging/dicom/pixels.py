"""Decode the pixel data of a DICOM file to stored values."""

from dataclasses import dataclass
from io import BytesIO
from itertools import pairwise

import gdcm
import jpeg_ls
import numpy as np
from openjpeg.utils import decode as decode_jpeg2000
from PIL.JpegImagePlugin import JpegImageFile

from cxrmodel.errors import MissingPixelData, UnsupportedFile
from cxrmodel.imaging.dicom.codestreams import Codestream, read_codestream
from cxrmodel.imaging.dicom.dataset import RLE, DataSet, damaged_dicom
from cxrmodel.imaging.dicom.header import PixelDescription
from cxrmodel.imaging.dicom.lossless_jpeg import has_all_bits
from cxrmodel.imaging.formats.raster import ended_early

__all__ = ["StoredValues", "stored_values"]

gdcm.Trace.DebugOff()
gdcm.Trace.WarningOff()
gdcm.Trace.ErrorOff()

_UINT8, _LITTLE, _BIG = np.dtype("u1"), np.dtype("<u2"), np.dtype(">u2")
_TRUNCATED = "imaging.dicom.truncated"


@dataclass(frozen=True, eq=False)
class StoredValues:
    """The stored values of one frame.

    Attributes
    ----------
    codes : ndarray of uint16, shape (rows, columns)
        Unsigned numbers of ``bits_stored`` bits; a negative value is its two's complement.
    signed : bool
        Codes with the topmost bit set are negative values.
    unused : int
        Surplus bytes of pixel data, beyond one byte of padding.
    """

    codes: np.ndarray
    signed: bool
    unused: int = 0


def stored_values(data: DataSet, description: PixelDescription) -> StoredValues:
    """Decode the one frame of a DICOM file.

    Bits outside the stored value (overlays, encoder leftovers) are cleared. Safe to call from several threads.

    Parameters
    ----------
    data : DataSet
    description : PixelDescription
        Within limits.

    Returns
    -------
    StoredValues

    Raises
    ------
    ImageRefused
        The pixel data are missing, truncated, or contradict the description.
    """
    frame, words = data.pixel_bytes()
    found = None if data.is_native else read_codestream(frame)
    samples: np.ndarray
    if found:
        samples = _decompressed(found, description)
        signed = description.signed or found.signed
        if signed and not found.signed and found.bits < description.bits_stored:
            # The encoder took two's complements of fewer bits than described for unsigned numbers.
            sign = np.int32(1 << found.bits - 1)
            samples = (samples.astype(np.int32) ^ sign) - sign
        elif data.is_lossy and not signed and found.bits > description.bits_stored:
            samples = _without_overshoot(samples, description)
        return StoredValues(_masked(samples, description, 0), signed)
    unused = 0
    if data.syntax == RLE:
        samples = _unpacked(frame, description)
    elif data.is_native or data.is_encapsulated_raw:
        samples, unused = _uncompressed(frame, description, data.little_endian, words)
    else:
        raise damaged_dicom()
    return StoredValues(
        _masked(samples, description, description.high_bit + 1 - description.bits_stored), description.signed, unused
    )


# Lossy coding in more bits than are stored may exceed white slightly.
_OVERSHOOT = 1.125


def _without_overshoot(samples: np.ndarray, description: PixelDescription) -> np.ndarray:
    """Clip values slightly above white: masked, they would be black."""
    white = 2**description.bits_stored - 1
    return np.minimum(samples, white) if samples.max() < _OVERSHOOT * white else samples


def _masked(samples: np.ndarray, description: PixelDescription, shift: int) -> np.ndarray:
    """The stored value without the bits above and below it."""
    codes: np.ndarray = samples.astype(np.uint16, copy=False)
    if shift:
        codes = codes >> shift
    return codes & np.uint16(2**description.bits_stored - 1) if description.bits_stored < 16 else codes


def _uncompressed(
    frame: bytes, description: PixelDescription, little_endian: bool, words: bool
) -> tuple[np.ndarray, int]:
    dtype = _UINT8 if description.bits_allocated == 8 else _LITTLE if little_endian else _BIG
    size = description.rows * description.columns * dtype.itemsize
    if len(frame) < size:
        raise MissingPixelData(_TRUNCATED)
    if description.bits_allocated == 8 and words and not little_endian:
        # PS3.5 annex D: two samples to a word, the first in its less significant byte.
        swapped = np.frombuffer(frame, _BIG, len(frame) // 2).astype(_LITTLE).view(_UINT8)
        samples = np.append(swapped, np.frombuffer(frame[-1:], _UINT8)) if len(frame) % 2 else swapped
    else:
        samples = np.frombuffer(frame, dtype, description.rows * description.columns)
    samples = samples[: description.rows * description.columns].reshape(description.rows, description.columns)
    return samples, max(0, len(frame) - size - size % 2)


def _unpacked(frame: bytes, description: PixelDescription) -> np.ndarray:
    """PS3.5 annex G: one run-length coded segment for each byte of a sample, the most significant first."""
    planes = description.bits_allocated // 8
    header = np.frombuffer(frame, "<u4", 16)
    starts = [*header[1 : 1 + planes].tolist(), len(frame)]
    if header[0] != planes or starts[0] < 64 or starts != sorted(starts):
        raise damaged_dicom()
    samples: np.ndarray = np.zeros(description.rows * description.columns, np.uint16)
    for start, end in pairwise(starts):
        samples = samples << 8 | np.frombuffer(_run_lengths(frame[start:end], samples.size), _UINT8)
    return samples.reshape(description.rows, description.columns)


def _run_lengths(packed: bytes, size: int) -> bytearray:
    """Expand a segment to exactly ``size`` bytes."""
    plain, position, end = bytearray(), 0, len(packed)
    while len(plain) < size:
        if position + 1 >= end:
            raise MissingPixelData(_TRUNCATED)
        count = packed[position]
        if count < 128:
            plain += packed[position + 1 : position + 2 + count]
            position += 2 + count
        elif count > 128:
            plain += packed[position + 1 : position + 2] * (257 - count)
            position += 2
        else:
            position += 1
    del plain[size:]
    return plain


def _decompressed(found: Codestream, description: PixelDescription) -> np.ndarray:
    if (found.height, found.width) != (
        description.rows,
        description.columns,
    ) or found.bits > description.bits_allocated:
        raise damaged_dicom()
    if found.kind == "JPEG 2000":
        samples = _jpeg2000(found)
    elif found.kind == "JPEG-LS":
        buffer, _ = jpeg_ls.decode_pixel_data(found.bare)
        samples = np.frombuffer(buffer, _UINT8 if found.bits <= 8 else _LITTLE)
    elif found.kind == "JPEG" and found.bits == 8:
        with JpegImageFile(BytesIO(found.bare)) as image:
            samples = np.asarray(image)
    else:
        samples = _gdcm(found)
    if samples.size != found.width * found.height:
        raise damaged_dicom()
    samples = samples.reshape(found.height, found.width)
    if found.kind == "JPEG":
        whole = not ended_early(samples, 2 ** (found.bits - 1))
    else:
        whole = found.kind != "lossless JPEG" or has_all_bits(found.bare, samples, found.bits)
    if not whole:
        raise MissingPixelData(_TRUNCATED)
    return samples


def _jpeg2000(found: Codestream) -> np.ndarray:
    samples = decode_jpeg2000(found.bare, j2k_format=0, reshape=False)
    kind = "i" if found.signed else "u"
    return samples.view(f"<{kind}{1 if found.bits <= 8 else 2}")


# PS3.5 annex A.4.1 and A.4.2: extended JPEG of 12 bits, lossless JPEG with any predictor.
_SYNTAXES = {"JPEG": "1.2.840.10008.1.2.4.51", "lossless JPEG": "1.2.840.10008.1.2.4.57"}


def _gdcm(found: Codestream) -> np.ndarray:
    fragment = gdcm.Fragment()
    fragment.SetByteStringValue(found.bare)
    fragments = gdcm.SequenceOfFragments.New()
    fragments.AddFragment(fragment)
    element = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    element.SetValue(fragments.__ref__())
    image = gdcm.Image()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((found.width, found.height, 1))
    image.SetDataElement(element)
    grey = gdcm.PhotometricInterpretation.MONOCHROME2
    image.SetPhotometricInterpretation(gdcm.PhotometricInterpretation(grey))
    syntax = gdcm.TransferSyntax.GetTSType(_SYNTAXES[found.kind])
    image.SetTransferSyntax(gdcm.TransferSyntax(syntax))
    # With 16 bits the 8-bit decoder is tried before the 12-bit one, and complains on standard error.
    allocated = 8 if found.bits <= 8 else 12 if found.kind == "JPEG" else 16
    image.SetPixelFormat(gdcm.PixelFormat(1, allocated, found.bits, found.bits - 1, 0))
    text = image.GetBuffer()
    if not text:
        raise UnsupportedFile("imaging.dicom.compression")
    # The binding returns bytes as text.
    return np.frombuffer(text.encode("utf-8", "surrogateescape"), _UINT8 if allocated == 8 else _LITTLE)
