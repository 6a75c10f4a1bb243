"""TIFF 6.0 and BigTIFF."""

import struct
from dataclasses import dataclass, replace
from math import ceil
from typing import Any, Literal

import numpy as np
from PIL.TiffImagePlugin import TiffImageFile

from cxrmodel.errors import UnreadableFile
from cxrmodel.imaging.formats.image_format import DecodedImage, Header, ImageFormat, damaged
from cxrmodel.imaging.formats.raster import decode_raster, to_greyscale


@dataclass(frozen=True)
class TiffHeader(Header):
    """What a TIFF file states about its image.

    Attributes
    ----------
    white_is_zero : bool
        The lowest stored value is shown white (photometric interpretation 0).
    orientation : int
        1..8.
    neutral : tuple of (int, str)
        Offsets of the tags behind the two fields above, with the `struct` format of each: a decoder that finds 1 there
        neither inverts nor rotates the image.
    """

    white_is_zero: bool = False
    orientation: int = 1
    neutral: tuple[tuple[int, str], ...] = ()


# TIFF 6.0 field types and those of BigTIFF: bytes per value.
_FIELD_BYTES = dict.fromkeys((1, 2, 6, 7), 1) | dict.fromkeys((3, 8), 2) | dict.fromkeys((4, 9, 11, 13), 4)
_FIELD_BYTES |= dict.fromkeys((5, 10, 12, 16, 17, 18), 8)
_MAX_FIELDS = 4096
_UNSIGNED = {1: "B", 3: "H", 4: "I", 16: "Q"}


class _Directory:
    """The first directory of a TIFF or BigTIFF file, with every value inside the file."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.order: Literal["<", ">"] = "<" if data[:1] == b"I" else ">"
        big = data[2:4] in (b"+\0", b"\0+")
        start, count, entry, inline = ("8xQ", "Q", "HHQ", 8) if big else ("4xI", "H", "HHI", 4)
        (position,) = self._unpack(start, 0)
        (entries,) = self._unpack(count, position)
        if entries > _MAX_FIELDS:
            raise damaged("TIFF")
        position += struct.calcsize(self.order + count)
        self.fields: dict[int, tuple[int, int, int]] = {}
        for _ in range(entries):
            tag, kind, values = self._unpack(entry, position)
            position += struct.calcsize(self.order + entry)
            length = _FIELD_BYTES.get(kind, 0) * values
            offset = position if length <= inline else self._unpack("Q" if big else "I", position)[0]
            if offset + length > len(data):
                raise damaged("TIFF")
            self.fields.setdefault(tag, (kind, values, offset))
            position += inline
        (self.next,) = self._unpack("Q" if big else "I", position)

    def _unpack(self, form: str, offset: int) -> tuple[Any, ...]:
        return struct.unpack_from(self.order + form, self.data, offset)

    def values(self, tag: int, default: int | None = None) -> np.ndarray:
        """Values of an unsigned integer field as int64, or the default where the field is absent."""
        if tag not in self.fields and default is not None:
            return np.array([default])
        kind, count, offset = self.fields.get(tag, (0, 0, 0))
        if kind not in _UNSIGNED or not count:
            raise damaged("TIFF")
        dtype = np.dtype(_UNSIGNED[kind]).newbyteorder(self.order)
        return np.frombuffer(self.data, dtype, count, offset).astype(np.int64)

    def first(self, tag: int, default: int | None = None) -> int:
        """First value of an unsigned integer field."""
        return int(self.values(tag, default)[0])

    def location(self, tag: int) -> tuple[int, str]:
        """Offset of a field's value, and its `struct` format."""
        kind, _, offset = self.fields[tag]
        return offset, self.order + _UNSIGNED[kind]


def _read_header(data: bytes) -> TiffHeader:
    """Read size, polarity and orientation, and check that every strip or tile is complete."""
    directory = _Directory(data)
    width, height = directory.first(256), directory.first(257)
    samples = directory.first(277, 1)
    planes = samples if directory.first(284, 1) == 2 else 1
    if 324 in directory.fields:
        tile_width, tile_height = directory.first(322), directory.first(323)
        across, down = ceil(width / tile_width), ceil(height / tile_height)
        # A tile is padded to its full size: one much larger than the image is a decompression bomb.
        oversized = tile_width > width + 1024 or tile_height > height + 1024
        offsets, lengths = directory.values(324), directory.values(325)
    else:
        across, down = 1, ceil(height / min(directory.first(278, height), height))
        oversized = False
        offsets, lengths = directory.values(273), directory.values(279)
    complete = len(offsets) == len(lengths) == across * down * planes
    if not complete or oversized or (offsets < 0).any() or (lengths < 0).any():
        raise damaged("TIFF")
    if (offsets > len(data)).any() or (lengths > len(data) - offsets).any():
        raise damaged("TIFF")
    if 262 not in directory.fields:
        raise UnreadableFile("imaging.tiff_polarity")
    white_is_zero, orientation = directory.first(262) == 0, directory.first(274, 1)
    return TiffHeader(
        width,
        height,
        bits=directory.first(258, 1),
        multiple=directory.next != 0,
        white_is_zero=white_is_zero,
        orientation=orientation if 1 <= orientation <= 8 else 1,
        neutral=tuple(
            directory.location(tag) for tag, wanted in ((262, white_is_zero), (274, orientation != 1)) if wanted
        ),
    )


def _decode(data: bytes, header: Header) -> DecodedImage:
    assert isinstance(header, TiffHeader)
    stored = decode_raster(_neutralised(data, header), header, TiffImageFile, "TIFF")
    return to_greyscale(replace(stored, orientation=header.orientation), header, header.white_is_zero)


def _neutralised(data: bytes, header: TiffHeader) -> bytes:
    """Overwrite the tags that decoders honour at some depths only; they are applied here instead."""
    if not header.neutral:
        return data
    copy = bytearray(data)
    for offset, form in header.neutral:
        struct.pack_into(form, copy, offset, 1)
    return bytes(copy)


TIFF = ImageFormat(
    "TIFF",
    ("tif", "tiff"),
    lambda data: data.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")),
    _read_header,
    _decode,
)
