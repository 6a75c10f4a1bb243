"""Segments and scans of a JPEG (ITU T.81 annex B), and a decoder that does not fill in what is missing.

Decoders replace missing data with mid-grey, without an error. Here the decoder gets the entropy-coded data without the
marker that follows them, and waits for more where some are missing.
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import ceil
from typing import Any

import numpy as np
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

# Restarts are counted as segments.
_MAX_SEGMENTS = 200_000
_MAX_SCANS = 100
"""Each scan of a progressive JPEG covers every pixel: encoders use about ten, decompression bombs thousands."""

SCAN, _INTERVAL, _END, JPEG_LS = 0xDA, 0xDD, 0xD9, 0xF7
FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC} | {JPEG_LS}
_PROGRESSIVE, _LOSSLESS, _ARITHMETIC = {0xC2, 0xCA}, {0xC3, 0xCB}, range(0xC9, 0xD0)
_OTHERS = {0xC4, 0xCC, 0xDB, 0xDC, 0xDD, 0xFE, *range(0xE0, 0xF0)}
_RESTARTS = range(0xD0, 0xD8)
_STUFFED = b"\xff\0"
# Within entropy-coded data, a byte of ones that is followed by zero is no marker. One before it may be repeated, which
# this leaves to the caller: a pattern that begins with one fixed byte is found fifteen times as fast.
_MARKER = re.compile(rb"\xff[^\x00\xff]")


class DamagedJpeg(ValueError):
    """The segments of a JPEG do not follow each other, or data are missing."""


@dataclass(frozen=True)
class Segment:
    """One marker segment, and the entropy-coded data after it.

    Attributes
    ----------
    marker : int
        Second byte of the marker.
    body : bytes
        Without marker and length.
    ends : tuple of int
        Position after the segment; for a scan, the positions at which its entropy-coded data are interrupted by
        restarts, and that after them.
    """

    marker: int
    body: bytes
    ends: tuple[int, ...]


def segments(data: bytes, position: int = 0) -> Iterator[Segment]:
    """Follow the segments of a JPEG from its start to its end marker, or to the end of the data.

    Parameters
    ----------
    data : bytes
    position : int
        Of the start marker.

    Raises
    ------
    DamagedJpeg, struct.error, IndexError
        They do not follow each other, or are too many.
    """
    # A file that was not copied to its end may be padded.
    size = len(data.rstrip(b"\0\xff"))
    size += 2 * data.startswith(_STUFFED, size)
    position += 2
    left = _MAX_SEGMENTS
    while position < size:
        if not left or data[position] != 0xFF:
            raise DamagedJpeg
        marker = data[position + 1]
        if marker == 0xFF:
            position, left = position + 1, left - 1
            continue
        if marker == _END:
            yield Segment(marker, b"", (position + 2,))
            return
        (length,) = struct.unpack_from(">H", data, position + 2)
        if marker not in _OTHERS | FRAMES | {SCAN} or length < 2 or position + 2 + length > size:
            raise DamagedJpeg
        body, position = data[position + 4 : position + 2 + length], position + 2 + length
        ends = [position] if marker != SCAN else list(_interruptions(data, position, size, left))
        left, position = left - len(ends), ends[-1]
        yield Segment(marker, body, tuple(ends))


def _interruptions(data: bytes, position: int, size: int, limit: int) -> Iterator[int]:
    """Positions of the restarts in entropy-coded data, and of the marker after them."""
    for _ in range(limit):
        found = _MARKER.search(data, position, size)
        if found is None:
            yield size
            return
        start = found.start()
        while start > position and data[start - 1] == 0xFF:
            start -= 1
        yield start
        if data[found.end() - 1] not in _RESTARTS:
            return
        position = found.end()
    raise DamagedJpeg


@dataclass(frozen=True)
class JpegLayout:
    """What a JPEG holds, and where.

    Attributes
    ----------
    marker : int
        Second byte of the frame header's marker, which names the process.
    width, height, bits, components : int
    scans : tuple of tuple of int
        ``Segment.ends`` of every scan.
    complete : bool
        The scans bring every bit of every coefficient, and have as many restarts as they need.
    end : int
        Position after the end marker, or after the last scan where there is none.
    ended : bool
        Whether there is an end marker.
    """

    marker: int
    width: int
    height: int
    bits: int
    components: int
    scans: tuple[tuple[int, ...], ...]
    complete: bool
    end: int
    ended: bool

    @property
    def one_scan(self) -> bool:
        """Whether the decoder is done after the first scan."""
        return self.marker not in _PROGRESSIVE and len(self.scans) == 1

    @property
    def arithmetic(self) -> bool:
        """Whether the entropy coding is arithmetic."""
        return self.marker in _ARITHMETIC


def layout_of(data: bytes, position: int = 0) -> JpegLayout:
    """Follow a JPEG to its end.

    Parameters
    ----------
    data : bytes
    position : int
        Of the start marker.

    Raises
    ------
    DamagedJpeg, struct.error, IndexError
        It has no frame before its first scan, more than one, or scans that do not belong to it.
    """
    account, segment = None, Segment(_END, b"", (position,))
    scans: list[tuple[int, ...]] = []
    interval = 0
    for segment in segments(data, position):
        if segment.marker in FRAMES:
            if account:
                raise DamagedJpeg
            account = _Account(segment)
        elif segment.marker == _INTERVAL:
            (interval,) = struct.unpack(">H", segment.body)
        elif segment.marker == SCAN:
            if not account or len(scans) >= _MAX_SCANS:
                raise DamagedJpeg
            account.add(segment, interval)
            scans.append(segment.ends)
    if not account or not scans or not (account.width and account.height):
        raise DamagedJpeg
    frame = account.marker, account.width, account.height, account.bits, len(account.sampling)
    return JpegLayout(*frame, tuple(scans), account.complete, segment.ends[-1], segment.marker == _END)


class _Account:
    """A frame, and the bits of its coefficients that no scan has brought yet."""

    def __init__(self, frame: Segment) -> None:
        self.marker = frame.marker
        self.bits, self.height, self.width, count = struct.unpack_from(">BHHB", frame.body)
        identifiers, factors = frame.body[6 : 6 + 3 * count : 3], frame.body[7 : 6 + 3 * count : 3]
        self.sampling = {number: divmod(factor, 16) for number, factor in zip(identifiers, factors, strict=True)}
        self.missing = {component: np.full(64, 16) for component in self.sampling}
        self.restarts = True

    @property
    def complete(self) -> bool:
        return self.restarts and not any(bits.any() for bits in self.missing.values())

    def add(self, scan: Segment, interval: int) -> None:
        """Take off what a scan brings, and compare its restarts with their interval."""
        count = scan.body[0]
        components = scan.body[1 : 1 + 2 * count : 2]
        first, last, approximation = scan.body[1 + 2 * count : 4 + 2 * count]
        if self.marker not in _PROGRESSIVE:
            first, last, approximation = 0, 63, 0
        for component in components:
            if component not in self.missing:
                raise DamagedJpeg
            self.missing[component][first : last + 1] = approximation & 0x0F
        if interval:
            self.restarts &= len(scan.ends) >= ceil(self._units(components) / interval)

    def _units(self, components: bytes) -> int:
        """Number of minimum coded units in a scan (annex A.2)."""
        widest, highest = (max(factors) for factors in zip(*self.sampling.values(), strict=True))
        across, down = self.sampling[components[0]] if len(components) == 1 else (1, 1)
        side = 1 if self.marker in _LOSSLESS else 8
        units: int = ceil(ceil(self.width * across / widest) / side) * ceil(ceil(self.height * down / highest) / side)
        return units


# What the decoder gets in place of the marker after entropy-coded data. It reads up to eight bytes ahead. Ones are no
# code (T.81 annex C), and arithmetic coding leaves zeros out at the end (annex D.1.8).
_ONES, _ZEROS = 8 * _STUFFED, bytes(8)


class WholeJpeg(JpegImageFile):
    """A JPEG of which Pillow decodes every block but at most the last two, or none."""

    def load(self) -> Any:
        """Decode the image from the bytes that it was opened with.

        Raises
        ------
        DamagedJpeg
            Data are missing, or the decoder rejects them.
        """
        if self.tile:
            assert self.fp is not None
            self.fp.seek(0)
            data = self.fp.read()
            layout, (tile, *_) = layout_of(data), self.tile
            self.tile = []
            self.im = self._decoded(tile, data, layout, _ZEROS if layout.arithmetic else _ONES)
            if not layout.ended:
                # The last block is missing as well if it depends on what comes after the data.
                image = self.tobytes()
                self.im = self._decoded(tile, data, layout, _ZEROS)
                if layout.arithmetic or image != self.tobytes():
                    raise DamagedJpeg
        return super().load()

    def _decoded(self, tile: Any, data: bytes, layout: JpegLayout, filler: bytes) -> Any:
        """Decode scan by scan, each with the filler after it."""
        image = Image.new(self.mode, self.size).im
        decoder = Image._getdecoder(self.mode, tile.codec_name, tile.args, self.decoderconfig)
        try:
            decoder.setimage(image, tile.extents)
            # The decoder of arithmetic coding cannot wait at a restart.
            ends = [end for scan in layout.scans for end in (scan[-1:] if layout.arithmetic else scan)]
            for start, end in pairwise([0, *ends]):
                piece = data[start:end] + filler
                read, error = decoder.decode(piece)
                if layout.one_scan and (read < 0 or end == ends[-1]):
                    break
                # After complete data, the decoder skips anything in search of a marker; otherwise it waits for more.
                if read != len(piece) or decoder.decode(filler[:2])[0] != 2:
                    raise DamagedJpeg
            else:
                read, error = decoder.decode(b"\xff\xd9")
            if read >= 0 or error:
                raise DamagedJpeg
        finally:
            decoder.cleanup()
        return image
