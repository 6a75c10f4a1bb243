"""Bytes -> Header: what a picture file says of itself, read without decoding a pixel.

The type is judged by content alone. Only the few fields that decide whether a file may be decoded are read
here, with the lengths and checksums that show whether all of it has arrived.
"""

import struct
import zlib
from dataclasses import dataclass
from math import ceil

import numpy as np

from cxrmodel.errors import UnreadableFile, UnsupportedFile
from cxrmodel.imaging.formats.sniff import why_unsupported

__all__ = ["Header", "broken", "read_header"]


@dataclass(frozen=True)
class Header:
    """What a picture file says of itself.

    Attributes
    ----------
    file_format : str
        "JPEG", "PNG", "TIFF" or "WebP"; "DICOM" where another module read it.
    width, height : int
        Pixels as stored, before any rotation that the file asks for.
    bits : int
        Stored bits per sample.
    several : bool
        The file holds more than one picture: an animation, pages, a preview.
    white_is_zero : bool
        The lowest stored value is shown white (TIFF photometric interpretation 0).
    orientation : int
        TIFF orientation tag, 1..8. For the other types it lies in their EXIF block and is 1 here.
    neutral : tuple of (int, str)
        Places of the TIFF tags behind the two fields above, with the `struct` format of each: a decoder that
        finds 1 there neither inverts nor turns the picture.
    """

    file_format: str
    width: int
    height: int
    bits: int
    several: bool = False
    white_is_zero: bool = False
    orientation: int = 1
    neutral: tuple[tuple[int, str], ...] = ()


def broken(file_format: str) -> UnreadableFile:
    """Build the refusal of a damaged file of a known type."""
    return UnreadableFile(
        f"This {file_format} file is broken or incomplete, or of a variety that is not read here: "
        "copy it again from its source, or export the image again as an 8- or 16-bit greyscale PNG."
    )


def read_header(data: bytes) -> Header:
    """Read a file's own description without decoding it.

    Parameters
    ----------
    data : bytes
        A whole file.

    Returns
    -------
    Header

    Raises
    ------
    UnsupportedFile
        The bytes are not a JPEG, PNG, TIFF or WebP.
    UnreadableFile
        They are, but broken or truncated as far as lengths and checksums tell.
    """
    sentence = why_unsupported(data)
    if sentence:
        raise UnsupportedFile(sentence)
    for magic, file_format, parse in _PARSERS:
        if data.startswith(magic):
            try:
                return parse(data)
            except (struct.error, IndexError, ValueError, ArithmeticError) as error:
                raise broken(file_format) from error
    raise UnsupportedFile(
        "This is not a picture that is read here: drop the image as a DICOM, PNG, JPEG, TIFF or WebP file, "
        "exported from the viewer or archive that holds it."
    )


# Chunks or segments that are followed: a file of nothing but empty ones would take long.
_MOST_PARTS = 200_000


def _png(data: bytes) -> Header:
    """PNG (ISO 15948): IHDR, and the checksum of every chunk up to IEND."""
    width, height, bits = struct.unpack_from(">IIB", data, 16)
    if data[:8] != b"\x89PNG\r\n\x1a\n" or data[12:16] != b"IHDR":
        raise broken("PNG")
    view, position, several = memoryview(data), 8, False
    for _ in range(_MOST_PARTS):
        length, kind = struct.unpack_from(">I4s", data, position)
        (checksum,) = struct.unpack_from(">I", data, position + 8 + length)
        if zlib.crc32(view[position + 4 : position + 8 + length]) != checksum:
            raise broken("PNG")
        several |= kind == b"acTL"
        if kind == b"IEND":
            return Header("PNG", width, height, bits, several)
        position += 12 + length
    raise broken("PNG")


# Each scan of a progressive JPEG goes over every pixel: encoders use about ten, decompression bombs thousands.
_MOST_SCANS = 100


def _jpeg(data: bytes) -> Header:
    """JPEG (ITU T.81): the one frame header before the first scan."""
    position, frame, several, one_scan = 2, None, False, False
    for _ in range(_MOST_PARTS):
        if data[position] != 0xFF:
            raise broken("JPEG")
        position += 1
        marker = data[position]
        if marker == 0xFF:
            continue
        (length,) = struct.unpack_from(">H", data, position + 1)
        if marker == 0xDA and frame is not None and (one_scan or data.count(b"\xff\xda", position - 1) <= _MOST_SCANS):
            return Header("JPEG", *frame, several)
        if marker in (0x00, 0x01, 0xDA) or 0xD0 <= marker <= 0xD9 or length < 2:
            raise broken("JPEG")
        if marker == 0xF7 or (0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC)):
            bits, height, width = struct.unpack_from(">BHH", data, position + 3)
            if bits != 8 or marker == 0xF7:
                raise UnsupportedFile(
                    "This is a JPEG of more than 8 bits or of the JPEG-LS kind, which is not read here: "
                    "export the image as a 16-bit PNG or TIFF."
                )
            if frame is not None:
                raise broken("JPEG")
            frame = (width, height, bits)
            # The decoder stops at a second scan of a sequential picture of one component.
            one_scan = marker in (0xC0, 0xC1) and data[position + 8] == 1
        several |= marker == 0xE2 and data.startswith(b"MPF\0", position + 3)
        position += 1 + length
    raise broken("JPEG")


def _webp(data: bytes) -> Header:
    """WebP (RFC 9649): the first chunk, in its three varieties."""
    (length,) = struct.unpack_from("<I", data, 4)
    if data[8:12] != b"WEBP":
        raise UnsupportedFile(
            "This is a sound or video file, not an image: drop the image as a PNG, JPEG, TIFF or WebP file."
        )
    if length + 8 > len(data):
        raise broken("WebP")
    kind = data[12:16]
    if kind == b"VP8X":
        width = int.from_bytes(data[24:27], "little") + 1
        height = int.from_bytes(data[27:30], "little") + 1
        return Header("WebP", width, height, 8, several=bool(data[20] & 2))
    if kind == b"VP8 " and data[23:26] == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", data, 26)
        return Header("WebP", width & 0x3FFF, height & 0x3FFF, 8)
    if kind == b"VP8L" and data[20] == 0x2F:
        (packed,) = struct.unpack_from("<I", data, 21)
        return Header("WebP", (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1, 8)
    raise broken("WebP")


# TIFF 6.0 field types and those of BigTIFF: bytes per value.
_FIELD_BYTES = dict.fromkeys((1, 2, 6, 7), 1) | dict.fromkeys((3, 8), 2) | dict.fromkeys((4, 9, 11, 13), 4)
_FIELD_BYTES |= dict.fromkeys((5, 10, 12, 16, 17, 18), 8)
_MOST_FIELDS = 4096
_UNSIGNED = {1: "B", 3: "H", 4: "I", 16: "Q"}


class _Directory:
    """The first directory of a TIFF or BigTIFF file, every value of which lies within the file."""

    def __init__(self, data: bytes):
        self.data, self.order = data, "<" if data[:1] == b"I" else ">"
        big = data[2:4] in (b"+\0", b"\0+")
        start, count, entry, inline = ("8xQ", "Q", "HHQ", 8) if big else ("4xI", "H", "HHI", 4)
        (position,) = self._unpack(start, 0)
        (entries,) = self._unpack(count, position)
        if entries > _MOST_FIELDS:
            raise broken("TIFF")
        position += struct.calcsize(self.order + count)
        self.fields = {}
        for _ in range(entries):
            tag, kind, values = self._unpack(entry, position)
            position += struct.calcsize(self.order + entry)
            length = _FIELD_BYTES.get(kind, 0) * values
            offset = position if length <= inline else self._unpack("Q" if big else "I", position)[0]
            if offset + length > len(data):
                raise broken("TIFF")
            self.fields.setdefault(tag, (kind, values, offset))
            position += inline
        (self.next,) = self._unpack("Q" if big else "I", position)

    def _unpack(self, form: str, offset: int) -> tuple:
        return struct.unpack_from(self.order + form, self.data, offset)

    def values(self, tag: int, default: int | None = None) -> np.ndarray:
        """Values of an unsigned integer field as int64, or the default alone where the field is absent."""
        if tag not in self.fields and default is not None:
            return np.array([default])
        kind, count, offset = self.fields.get(tag, (0, 0, 0))
        if kind not in _UNSIGNED or not count:
            raise broken("TIFF")
        dtype = np.dtype(_UNSIGNED[kind]).newbyteorder(self.order)
        return np.frombuffer(self.data, dtype, count, offset).astype(np.int64)

    def first(self, tag: int, default: int | None = None) -> int:
        return int(self.values(tag, default)[0])

    def place(self, tag: int) -> tuple[int, str]:
        kind, _, offset = self.fields[tag]
        return offset, self.order + _UNSIGNED[kind]


def _tiff(data: bytes) -> Header:
    """TIFF 6.0 and BigTIFF: size, polarity, orientation, and whether every strip or tile has arrived."""
    directory = _Directory(data)
    width, height = directory.first(256), directory.first(257)
    samples = directory.first(277, 1)
    planes = samples if directory.first(284, 1) == 2 else 1
    if 324 in directory.fields:
        tile_width, tile_height = directory.first(322), directory.first(323)
        across, down = ceil(width / tile_width), ceil(height / tile_height)
        # A tile is padded to its full size, so one much larger than the picture is a decompression bomb.
        oversized = tile_width > width + 1024 or tile_height > height + 1024
        offsets, lengths = directory.values(324), directory.values(325)
    else:
        across, down = 1, ceil(height / min(directory.first(278, height), height))
        oversized = False
        offsets, lengths = directory.values(273), directory.values(279)
    complete = len(offsets) == len(lengths) == across * down * planes
    if not complete or oversized or (offsets < 0).any() or (lengths < 0).any():
        raise broken("TIFF")
    if (offsets > len(data)).any() or (lengths > len(data) - offsets).any():
        raise broken("TIFF")
    if 262 not in directory.fields:
        raise UnreadableFile(
            "This TIFF file does not say whether its lowest value is black or white: "
            "export the image again as an 8- or 16-bit greyscale PNG."
        )
    white_is_zero, orientation = directory.first(262) == 0, directory.first(274, 1)
    return Header(
        "TIFF",
        width,
        height,
        bits=directory.first(258, 1),
        several=directory.next != 0,
        white_is_zero=white_is_zero,
        orientation=orientation if 1 <= orientation <= 8 else 1,
        neutral=tuple(
            directory.place(tag) for tag, wanted in ((262, white_is_zero), (274, orientation != 1)) if wanted
        ),
    )


_PARSERS = (
    (b"\x89PNG", "PNG", _png),
    (b"\xff\xd8\xff", "JPEG", _jpeg),
    (b"RIFF", "WebP", _webp),
    (b"II*\0", "TIFF", _tiff),
    (b"MM\0*", "TIFF", _tiff),
    (b"II+\0", "TIFF", _tiff),
    (b"MM\0+", "TIFF", _tiff),
)
