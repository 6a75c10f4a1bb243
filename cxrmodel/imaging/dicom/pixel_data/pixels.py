"""Decode the pixel data of a DICOM file to stored values."""

from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from cxrmodel.errors import MissingPixelData, UnreadableFile, UnsupportedFile
from cxrmodel.imaging.dicom.dataset import LOSSY
from cxrmodel.imaging.dicom.header import DicomHeader
from cxrmodel.imaging.dicom.parser import PIXEL_DATA, damaged_dicom
from cxrmodel.imaging.dicom.pixel_data.codestreams import Codestream
from cxrmodel.imaging.dicom.pixel_data.decoders import decode_codestream
from cxrmodel.imaging.dicom.pixel_data.frames import Frame, read_frame
from cxrmodel.imaging.dicom.pixel_data.lossless_jpeg import has_all_bits
from cxrmodel.imaging.sandbox.pool import isolated
from cxrmodel.imaging.stored_numbers import Numbers, find_numbers
from cxrmodel.messages import Message

_UINT8, _LITTLE, _BIG = np.dtype("u1"), np.dtype("<u2"), np.dtype(">u2")
_TRUNCATED = "imaging.dicom.truncated"
_SHARED_CHROMA = "YBRFULL422"


class StoredValues(NamedTuple):
    """Decoded pixel data.

    Attributes
    ----------
    codes : ndarray of uint16, shape (H, W) or (H, W, 3)
        Unsigned numbers of ``numbers.bits`` bits; a negative value is its two's complement.
    numbers : Numbers
        How these are to be read: as the header states, unless the image contradicts it.
    notes : tuple of Message
        What is odd about the pixel data.
    """

    codes: np.ndarray
    numbers: Numbers
    notes: tuple[Message, ...]


def stored_values(header: DicomHeader) -> StoredValues:
    """Decode the one frame of a DICOM file.

    Bits outside the stored value (overlays, encoder leftovers) are cleared. Safe to call from several threads.

    Parameters
    ----------
    header : DicomHeader
        Within limits.

    Raises
    ------
    ImageRefused
        The pixel data are missing, truncated, or contradict the header.
    """
    frame = read_frame(header.data, _native_size(header), header.samples * header.bits_allocated // 8)
    found, stated = frame.codestream, Numbers(header.bits, header.signed)
    samples: np.ndarray
    if found:
        samples = _decompressed(found, header)
        stated = Numbers(header.bits, header.signed or found.signed)
        if stated.signed and not found.signed and found.bits < header.bits:
            # The encoder took two's complements of fewer bits than described for unsigned numbers.
            sign = np.int32(1 << found.bits - 1)
            samples = (samples.astype(np.int32) ^ sign) - sign
        elif header.data.syntax in LOSSY and not stated.signed and found.bits > header.bits:
            samples = _without_overshoot(samples, header.bits)
        words = stated.codes(samples.astype(np.uint16, copy=False))
    else:
        samples = _unpacked(frame.data, header) if frame.run_lengths else _uncompressed(frame, header)
        words = samples.astype(np.uint16, copy=False) >> np.uint16(header.high_bit + 1 - header.bits)
    numbers = find_numbers(words, stated) if words.ndim == 2 else stated
    notes = frame.notes if numbers == stated else (*frame.notes, numbers.note(stated))
    return StoredValues(numbers.codes(words), numbers, notes)


# Lossy coding in more bits than are stored may exceed white slightly.
_OVERSHOOT = 1.125


def _without_overshoot(samples: np.ndarray, bits: int) -> np.ndarray:
    """Clip values slightly above white: without their higher bits, they would be black."""
    white = 2**bits - 1
    return np.minimum(samples, white) if samples.max() < _OVERSHOOT * white else samples


def _native_size(header: DicomHeader) -> int:
    """Bytes of a native frame; pixels may share their chromas two by two."""
    size = header.height * header.width * header.samples * header.bits_allocated // 8
    shared = header.photometric == _SHARED_CHROMA and 2 * size // 3 <= header.data.elements[PIXEL_DATA].length < size
    return 2 * size // 3 if shared else size


def _uncompressed(frame: Frame, header: DicomHeader) -> np.ndarray:
    little_endian = header.data.little_endian
    dtype = _UINT8 if header.bits_allocated == 8 else _LITTLE if little_endian else _BIG
    count = _native_size(header) // dtype.itemsize
    if header.bits_allocated == 8 and frame.words and not little_endian:
        # PS3.5 annex D: two samples to a word, the first in its less significant byte.
        swapped = np.frombuffer(frame.data, _BIG, len(frame.data) // 2).astype(_LITTLE).view(_UINT8)
        samples = np.append(swapped, np.frombuffer(frame.data[-1:], _UINT8)) if len(frame.data) % 2 else swapped
    else:
        samples = np.frombuffer(frame.data, dtype, count)
    shared = count < header.height * header.width * header.samples
    return _with_both_chromas(samples[:count], header) if shared else _arranged(samples[:count], header)


def _arranged(samples: np.ndarray, header: DicomHeader, planes: bool | None = None) -> np.ndarray:
    """Samples of an image, component by component in planes or pixel by pixel: shape (H, W) or (H, W, 3)."""
    shape = (header.height, header.width)
    if header.samples == 1:
        return samples.reshape(shape)
    if header.data.integer("PlanarConfiguration", 0) == 1 if planes is None else planes:
        return np.moveaxis(samples.reshape(3, *shape), 0, 2)
    return samples.reshape(*shape, 3)


def _with_both_chromas(samples: np.ndarray, header: DicomHeader) -> np.ndarray:
    """Components of pixels that share their chromas two by two (PS3.3 C.7.6.3.1.2)."""
    pairs = samples.reshape(-1, 4)
    pixels = np.stack([pairs[:, :2], pairs[:, 2:3].repeat(2, 1), pairs[:, 3:].repeat(2, 1)], axis=2)
    return pixels.reshape(header.height, header.width, 3)


def _unpacked(frame: memoryview, header: DicomHeader) -> np.ndarray:
    """PS3.5 annex G: one run-length coded segment for each byte of a sample, the most significant first."""
    bytes_each = header.bits_allocated // 8
    starts = [*np.frombuffer(frame, "<u4", bytes_each * header.samples, 4).tolist(), len(frame)]
    samples: np.ndarray = np.zeros((header.samples, header.height * header.width), np.uint16)
    for number, (start, end) in enumerate(pairwise(starts)):
        plane = samples[number // bytes_each]
        plane[:] = plane << 8 | np.frombuffer(_run_lengths(bytes(frame[start:end]), plane.size), _UINT8)
    return _arranged(samples, header, planes=True)


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
        raise UnreadableFile("imaging.dicom.size_contradiction")
    if len(found.components) not in (1, header.samples):
        raise damaged_dicom()
    samples = _samples(found)
    if samples.size != found.width * found.height * len(found.components):
        raise damaged_dicom()
    samples = samples.reshape(found.height, found.width, *([3] if len(found.components) == 3 else []))
    if not _is_whole(found, samples):
        raise MissingPixelData(_TRUNCATED)
    return samples


def _samples(found: Codestream) -> np.ndarray:
    """Decode a codestream to samples of any shape, pixel by pixel."""
    samples, ends_early = isolated(decode_codestream, found.bare, replace(found, bare=b""))
    if ends_early:
        raise MissingPixelData(_TRUNCATED)
    if not isinstance(samples, np.ndarray):
        raise UnsupportedFile("imaging.dicom.compression")
    return samples


# Any bits that are not those of blocks in mid-grey, and no marker.
_FILLER = bytes(range(1, 255))


def _is_whole(found: Codestream, samples: np.ndarray) -> bool:
    """Whether no data are missing that the decoder filled in without an error."""
    if found.kind not in ("JPEG", "lossless JPEG") or (found.kind == "JPEG" and found.bits == 8):
        return True
    if found.kind == "lossless JPEG" and not has_all_bits(found.bare, samples, found.bits):
        return False
    # Missing blocks are mid-grey, but others may be as well: only missing ones change with what follows the data.
    last_block = samples[(found.height - 1) // 8 * 8 :, (found.width - 1) // 8 * 8 :]
    if found.ended and (found.kind == "lossless JPEG" or (last_block != 2 ** (found.bits - 1)).any()):
        return True
    longer = replace(found, bare=found.bare[:-2] + _FILLER + found.bare[-2:])
    return np.array_equal(samples.ravel(), _samples(longer).ravel())
