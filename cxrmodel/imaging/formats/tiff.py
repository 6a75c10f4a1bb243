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
    unsigned : bool
        Samples of 32 bits are unsigned integers, which the decoder takes for signed ones.
    neutral : tuple of (int, str, int)
        Offsets of tags whose meaning decoders honour at some depths only, with the `struct` format and the value of
        each that has every decoder neither invert nor rotate the image, and open 32 bits in either byte order.
    """

    white_is_zero: bool = False
    orientation: int = 1
    unsigned: bool = False
    neutral: tuple[tuple[int, str, int], ...] = ()


# TIFF 6.0 field types and those of BigTIFF: bytes per value.
_FIELD_BYTES = dict.fromkeys((1, 2, 6, 7), 1) | dict.fromkeys((3, 8), 2) | dict.fromkeys((4, 9, 11, 13), 4)
_FIELD_BYTES |= dict.fromkeys((5, 10, 12, 16, 17, 18), 8)
_MAX_FIELDS = 4096
_LONG = 32
# Values of the tag of the sample format.
_UNSIGNED_SAMPLES, _SIGNED_SAMPLES = 1, 2
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
    bits = directory.first(258, 1)
    unsigned = bits == _LONG and directory.first(339, _UNSIGNED_SAMPLES) == _UNSIGNED_SAMPLES
    replaced = {262: 1 if white_is_zero else None, 274: 1 if orientation != 1 else None}
    replaced[339] = _SIGNED_SAMPLES if unsigned and 339 in directory.fields else None
    return TiffHeader(
        width,
        height,
        bits=bits,
        multiple=directory.next != 0,
        white_is_zero=white_is_zero,
        orientation=orientation if 1 <= orientation <= 8 else 1,
        unsigned=unsigned,
        neutral=tuple((*directory.location(tag), value) for tag, value in replaced.items() if value is not None),
    )


def _decode(data: bytes, header: Header) -> DecodedImage:
    assert isinstance(header, TiffHeader)
    stored = decode_raster(_neutralised(data, header), header, TiffImageFile, "TIFF")
    samples = stored.samples.view(np.uint32) if header.unsigned and stored.samples.dtype == np.int32 else stored.samples
    return to_greyscale(replace(stored, samples=samples, orientation=header.orientation), header, header.white_is_zero)


def _neutralised(data: bytes, header: TiffHeader) -> bytes:
    """Overwrite the tags that decoders honour at some depths only; they are applied here instead."""
    if not header.neutral:
        return data
    copy = bytearray(data)
    for offset, form, value in header.neutral:
        struct.pack_into(form, copy, offset, value)
    return bytes(copy)


TIFF = ImageFormat(
    "TIFF",
    ("tif", "tiff"),
    lambda data: data.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")),
    _read_header,
    _decode,
)
