"""Decode the pixel data of a DICOM file to stored values."""

from dataclasses import replace
from itertools import pairwise

import numpy as np

from cxrmodel.errors import MissingPixelData, UnsupportedFile
from cxrmodel.imaging.dicom.codestreams import Codestream, read_codestream
from cxrmodel.imaging.dicom.dataset import RLE, damaged_dicom
from cxrmodel.imaging.dicom.frames import decode_frame
from cxrmodel.imaging.dicom.header import DicomHeader
from cxrmodel.imaging.dicom.lossless_jpeg import has_all_bits
from cxrmodel.imaging.sandbox.pool import isolated

_UINT8, _LITTLE, _BIG = np.dtype("u1"), np.dtype("<u2"), np.dtype(">u2")
_TRUNCATED = "imaging.dicom.truncated"


def stored_values(header: DicomHeader) -> tuple[np.ndarray, bool, int]:
    """Decode the one frame of a DICOM file.

    Bits outside the stored value (overlays, encoder leftovers) are cleared. Safe to call from several threads.

    Parameters
    ----------
    header : DicomHeader
        Within limits.

    Returns
    -------
    codes : ndarray of uint16, shape (H, W)
        Unsigned numbers of ``header.bits`` bits; a negative value is its two's complement.
    signed : bool
        Codes with the topmost bit set are negative values.
    surplus : int
        Bytes of pixel data after the frame and its byte of padding.

    Raises
    ------
    ImageRefused
        The pixel data are missing, truncated, or contradict the header.
    """
    data = header.data
    frame, words = data.pixel_bytes()
    found = None if data.is_native else read_codestream(frame)
    samples: np.ndarray
    if found:
        samples = _decompressed(found, header)
        signed = header.signed or found.signed
        if signed and not found.signed and found.bits < header.bits:
            # The encoder took two's complements of fewer bits than described for unsigned numbers.
            sign = np.int32(1 << found.bits - 1)
            samples = (samples.astype(np.int32) ^ sign) - sign
        elif data.is_lossy and not signed and found.bits > header.bits:
            samples = _without_overshoot(samples, header.bits)
        return _masked(samples, header.bits, 0), signed, 0
    surplus = 0
    if data.syntax == RLE:
        samples = _unpacked(frame, header)
    elif data.is_native or data.is_encapsulated_raw:
        samples, surplus = _uncompressed(frame, header, words)
    else:
        raise damaged_dicom()
    return _masked(samples, header.bits, header.high_bit + 1 - header.bits), header.signed, surplus


# Lossy coding in more bits than are stored may exceed white slightly.
_OVERSHOOT = 1.125


def _without_overshoot(samples: np.ndarray, bits: int) -> np.ndarray:
    """Clip values slightly above white: masked, they would be black."""
    white = 2**bits - 1
    return np.minimum(samples, white) if samples.max() < _OVERSHOOT * white else samples


def _masked(samples: np.ndarray, bits: int, shift: int) -> np.ndarray:
    """The stored value without the bits above and below it."""
    codes: np.ndarray = samples.astype(np.uint16, copy=False)
    if shift:
        codes = codes >> shift
    return codes & np.uint16(2**bits - 1) if bits < 16 else codes


def _uncompressed(frame: bytes, header: DicomHeader, words: bool) -> tuple[np.ndarray, int]:
    little_endian, count = header.data.little_endian, header.height * header.width
    dtype = _UINT8 if header.bits_allocated == 8 else _LITTLE if little_endian else _BIG
    size = count * dtype.itemsize
    if len(frame) < size:
        raise MissingPixelData(_TRUNCATED)
    if header.bits_allocated == 8 and words and not little_endian:
        # PS3.5 annex D: two samples to a word, the first in its less significant byte.
        swapped = np.frombuffer(frame, _BIG, len(frame) // 2).astype(_LITTLE).view(_UINT8)
        samples = np.append(swapped, np.frombuffer(frame[-1:], _UINT8)) if len(frame) % 2 else swapped
    else:
        samples = np.frombuffer(frame, dtype, count)
    return samples[:count].reshape(header.height, header.width), max(0, len(frame) - size - size % 2)


def _unpacked(frame: bytes, header: DicomHeader) -> np.ndarray:
    """PS3.5 annex G: one run-length coded segment for each byte of a sample, the most significant first."""
    planes = header.bits_allocated // 8
    number, *offsets = np.frombuffer(frame, "<u4", 16).tolist()
    starts = [*offsets[:planes], len(frame)]
    if number != planes or starts[0] < 64 or starts != sorted(starts):
        raise damaged_dicom()
    samples: np.ndarray = np.zeros(header.height * header.width, np.uint16)
    for start, end in pairwise(starts):
        samples = samples << 8 | np.frombuffer(_run_lengths(frame[start:end], samples.size), _UINT8)
    return samples.reshape(header.height, header.width)


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


def _decompressed(found: Codestream, header: DicomHeader) -> np.ndarray:
    if (found.height, found.width) != (header.height, header.width) or found.bits > header.bits_allocated:
        raise damaged_dicom()
    samples = _samples(found)
    if samples.size != found.width * found.height:
        raise damaged_dicom()
    samples = samples.reshape(found.height, found.width)
    if not _is_whole(found, samples):
        raise MissingPixelData(_TRUNCATED)
    return samples


def _samples(found: Codestream) -> np.ndarray:
    """Decode a codestream to samples in one row or several."""
    size = found.width, found.height
    samples, ends_early = isolated(decode_frame, found.bare, found.kind, size, found.bits, found.signed)
    if ends_early:
        raise MissingPixelData(_TRUNCATED)
    if not isinstance(samples, np.ndarray):
        raise UnsupportedFile("imaging.dicom.compression")
    return samples


# Any bits that are not those of blocks in mid-grey, and no marker.
_FILLER = bytes(range(1, 255))


def _is_whole(found: Codestream, samples: np.ndarray) -> bool:
    """Whether no data are missing that the decoder filled in without an error."""
    if found.kind == "lossless JPEG":
        return has_all_bits(found.bare, samples, found.bits)
    last_block = samples[(found.height - 1) // 8 * 8 :, (found.width - 1) // 8 * 8 :]
    if found.kind != "JPEG" or found.bits == 8 or (last_block != 2 ** (found.bits - 1)).any():
        return True
    # Missing blocks are mid-grey, but others may be as well: only missing ones change with what follows the data.
    longer = replace(found, bare=found.bare[:-2] + _FILLER + found.bare[-2:])
    return np.array_equal(samples.ravel(), _samples(longer))
