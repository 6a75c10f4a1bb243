"""Pixel data of a DICOM file -> stored values: the one place where they are decompressed."""

from dataclasses import dataclass
from io import BytesIO
from itertools import pairwise

import gdcm
import jpeg_ls
import numpy as np
import openjpeg
from PIL.JpegImagePlugin import JpegImageFile

from cxrmodel.errors import MissingPixelData, UnsupportedFile
from cxrmodel.imaging.dicom.codestreams import Codestream, read_codestream
from cxrmodel.imaging.dicom.dataset import RLE, DataSet, unreadable
from cxrmodel.imaging.dicom.header import Raster
from cxrmodel.imaging.dicom.lossless_jpeg import has_all_bits
from cxrmodel.imaging.formats.decode import ended_early

__all__ = ["Stored", "stored_values"]

gdcm.Trace.DebugOff()
gdcm.Trace.WarningOff()
gdcm.Trace.ErrorOff()

_UINT8, _LITTLE, _BIG = np.dtype("u1"), np.dtype("<u2"), np.dtype(">u2")
_HALF_SAID = "The pixel data of this DICOM file end early: send it again from the archive."


@dataclass(frozen=True, eq=False)
class Stored:
    """The stored values of one frame.

    Attributes
    ----------
    codes : ndarray of uint16, shape (rows, columns)
        As unsigned numbers of as many bits as the file says; a negative value is its two's complement.
    signed : bool
        Codes with the topmost bit set stand for negative values.
    unused : int
        Bytes of pixel data that the frame does not need, beyond one to make their number even.
    """

    codes: np.ndarray
    signed: bool
    unused: int = 0


def stored_values(data: DataSet, raster: Raster) -> Stored:
    """Decode the one frame of a DICOM file.

    Bits that are no part of the stored value (overlays, whatever an encoder left) are cleared. Safe to call from
    several threads.

    Parameters
    ----------
    data : DataSet
    raster : Raster
        What its tags say of the frame, found within limits.

    Returns
    -------
    Stored

    Raises
    ------
    ImageRefused
        Pixel data are missing, end early, or are not what the tags say.
    """
    frame, words = data.pixel_bytes()
    found = None if data.is_native else read_codestream(frame)
    if found:
        samples = _decompressed(found, raster)
        signed = raster.signed or found.signed
        if signed and not found.signed and found.bits < raster.stored:
            # The encoder took two's complements of fewer bits than the tags say for unsigned numbers.
            sign = np.int32(1 << found.bits - 1)
            samples = (samples.astype(np.int32) ^ sign) - sign
        elif data.is_lossy and not signed and found.bits > raster.stored:
            samples = _without_overshoot(samples, raster)
        return Stored(_masked(samples, raster, 0), signed)
    unused = 0
    if data.syntax == RLE:
        samples = _unpacked(frame, raster)
    elif data.is_native or data.is_encapsulated_raw:
        samples, unused = _uncompressed(frame, raster, data.little, words)
    else:
        raise unreadable()
    return Stored(_masked(samples, raster, raster.high + 1 - raster.stored), raster.signed, unused)


# Lossy coding in more bits than are stored may miss white by a little upwards.
_OVERSHOOT = 1.125


def _without_overshoot(samples: np.ndarray, raster: Raster) -> np.ndarray:
    """Keep what lies a little above white at white: masked, it would be black."""
    white = 2**raster.stored - 1
    return np.minimum(samples, white) if samples.max() < _OVERSHOOT * white else samples


def _masked(samples: np.ndarray, raster: Raster, shift: int) -> np.ndarray:
    """The stored value alone, without what lies in the bits above and below it."""
    codes = samples.astype(np.uint16, copy=False)
    if shift:
        codes = codes >> shift
    return codes & np.uint16(2**raster.stored - 1) if raster.stored < 16 else codes


def _uncompressed(frame: bytes, raster: Raster, little: bool, words: bool) -> tuple[np.ndarray, int]:
    dtype = _UINT8 if raster.allocated == 8 else _LITTLE if little else _BIG
    size = raster.rows * raster.columns * dtype.itemsize
    if len(frame) < size:
        raise MissingPixelData(_HALF_SAID)
    if raster.allocated == 8 and words and not little:
        # PS3.5 annex D: two samples to a word, the first in its less significant byte.
        swapped = np.frombuffer(frame, _BIG, len(frame) // 2).astype(_LITTLE).view(_UINT8)
        samples = np.append(swapped, np.frombuffer(frame[-1:], _UINT8)) if len(frame) % 2 else swapped
    else:
        samples = np.frombuffer(frame, dtype, raster.rows * raster.columns)
    samples = samples[: raster.rows * raster.columns].reshape(raster.rows, raster.columns)
    return samples, max(0, len(frame) - size - size % 2)


def _unpacked(frame: bytes, raster: Raster) -> np.ndarray:
    """PS3.5 annex G: one run-length coded segment for each byte of a sample, the most significant first."""
    planes = raster.allocated // 8
    header = np.frombuffer(frame, "<u4", 16)
    starts = [*header[1 : 1 + planes].tolist(), len(frame)]
    if header[0] != planes or starts[0] < 64 or starts != sorted(starts):
        raise unreadable()
    samples = np.zeros(raster.rows * raster.columns, np.uint16)
    for start, end in pairwise(starts):
        samples = samples << 8 | np.frombuffer(_run_lengths(frame[start:end], samples.size), _UINT8)
    return samples.reshape(raster.rows, raster.columns)


def _run_lengths(packed: bytes, size: int) -> bytearray:
    """Expand a segment to so many bytes and no more."""
    plain, position, end = bytearray(), 0, len(packed)
    while len(plain) < size:
        if position + 1 >= end:
            raise MissingPixelData(_HALF_SAID)
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


def _decompressed(found: Codestream, raster: Raster) -> np.ndarray:
    if (found.height, found.width) != (raster.rows, raster.columns) or found.bits > raster.allocated:
        raise unreadable()
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
        raise unreadable()
    samples = samples.reshape(found.height, found.width)
    if found.kind == "JPEG":
        whole = not ended_early(samples, 2 ** (found.bits - 1))
    else:
        whole = found.kind != "lossless JPEG" or has_all_bits(found.bare, samples, found.bits)
    if not whole:
        raise MissingPixelData(_HALF_SAID)
    return samples


def _jpeg2000(found: Codestream) -> np.ndarray:
    samples = openjpeg.decode(found.bare, j2k_format=0, reshape=False)
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
    # Told of 16 bits, the 12-bit decoder is tried after the 8-bit one, which complains on standard error.
    allocated = 8 if found.bits <= 8 else 12 if found.kind == "JPEG" else 16
    image.SetPixelFormat(gdcm.PixelFormat(1, allocated, found.bits, found.bits - 1, 0))
    text = image.GetBuffer()
    if not text:
        raise UnsupportedFile(
            "The pixels of this DICOM file are compressed in a way that is not read here: send it again uncompressed."
        )
    # The binding hands bytes over as text.
    return np.frombuffer(text.encode("utf-8", "surrogateescape"), _UINT8 if allocated == 8 else _LITTLE)
