"""TIFF 6.0 and BigTIFF."""

import struct
from dataclasses import dataclass, replace
from math import ceil
from typing import Any, Literal

import numpy as np
from PIL.TiffImagePlugin import TiffImageFile

from cxrmodel.errors import MultipleImages, UnreadableFile
from cxrmodel.imaging.formats.image_format import DecodedImage, Header, ImageFormat, damaged, is_preview
from cxrmodel.imaging.formats.raster import decode_raster, to_greyscale
from cxrmodel.messages import Message


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
    corrections : tuple of (int, str, int)
        The same for what would have a decoder find another image: previews and damaged tags.
    """

    white_is_zero: bool = False
    orientation: int = 1
    unsigned: bool = False
    neutral: tuple[tuple[int, str, int], ...] = ()
    corrections: tuple[tuple[int, str, int], ...] = ()


# TIFF 6.0 field types and those of BigTIFF: bytes per value.
_FIELD_BYTES = dict.fromkeys((1, 2, 6, 7), 1) | dict.fromkeys((3, 8), 2) | dict.fromkeys((4, 9, 11, 13), 4)
_FIELD_BYTES |= dict.fromkeys((5, 10, 12, 16, 17, 18), 8)
_MAX_FIELDS = 4096
_LONG = 32
# Values of the tag of the sample format.
_UNSIGNED_SAMPLES, _SIGNED_SAMPLES = 1, 2
_UNSIGNED = {1: "B", 3: "H", 4: "I", 16: "Q"}
_UNCOMPRESSED = 1
_MAX_PAGES = 100
# Tags that only describe the image: texts, resolution, page numbers; and those above all that TIFF 6.0 defines.
_DESCRIPTIVE = {269, 270, 271, 272, 282, 283, 285, 286, 287, 296, 297, 305, 306, 315, 316, 333, 337, 700}
_PRIVATE = 32768


class _Directory:
    """A directory of a TIFF or BigTIFF file, with every value that the image needs inside the file.

    Parameters
    ----------
    data : bytes
    link : int or None
        Offset of the number that gives the directory's position; None for the first one.
    """

    def __init__(self, data: bytes, link: int | None = None) -> None:
        self.data = data
        self.order: Literal["<", ">"] = "<" if data[:1] == b"I" else ">"
        big = data[2:4] in (b"+\0", b"\0+")
        pointer, count, entry, inline = ("Q", "Q", "HHQ", 8) if big else ("I", "H", "HHI", 4)
        self.link, self.pointer = inline if link is None else link, self.order + pointer
        (self.position,) = self._unpack(pointer, self.link)
        position = self.position
        self.damaged: list[tuple[int, str, int]] = []
        (entries,) = self._unpack(count, position)
        if entries > _MAX_FIELDS:
            raise damaged("TIFF")
        position += struct.calcsize(self.order + count)
        self.fields: dict[int, tuple[int, int, int]] = {}
        for _ in range(entries):
            tag, kind, values = self._unpack(entry, position)
            position += struct.calcsize(self.order + entry)
            length = _FIELD_BYTES.get(kind, 0) * values
            offset = position if length <= inline else self._unpack(pointer, position)[0]
            if offset + length <= len(data):
                self.fields.setdefault(tag, (kind, values, offset))
            elif tag in _DESCRIPTIVE or tag >= _PRIVATE:
                # One byte instead.
                kind_at = position - struct.calcsize(self.order + entry) + 2
                self.damaged += [(kind_at, f"{self.order}H", 1), (kind_at + 2, self.pointer, 1)]
            else:
                raise damaged("TIFF")
            position += inline
        self.next_link = position
        (self.next,) = self._unpack(pointer, position)

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

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.first(256), self.first(257)

    @property
    def corrections(self) -> tuple[tuple[int, str, int], ...]:
        """Offsets, formats and values that make this the only directory, without its damaged tags."""
        first = 8 if self.pointer.endswith("Q") else 4
        alone = [(first, self.pointer, self.position)] if self.link != first else []
        alone += [(self.next_link, self.pointer, 0)] if self.next else []
        return (*alone, *self.damaged)

    def location(self, tag: int) -> tuple[int, str]:
        """Offset of a field's value, and its `struct` format."""
        kind, _, offset = self.fields[tag]
        return offset, self.order + _UNSIGNED[kind]


def _pages(data: bytes) -> list[_Directory]:
    """Directories of all images of a file."""
    pages = [_Directory(data)]
    while pages[-1].next not in {0, *(page.position for page in pages)}:
        pages.append(_Directory(data, pages[-1].next_link))
        if len(pages) > _MAX_PAGES:
            raise MultipleImages("imaging.multiple_images")
    return pages


def _main_page(data: bytes) -> tuple[_Directory, bool]:
    """The directory of the image of which all others are previews, and whether there are any."""
    if not _Directory(data).next:
        return _Directory(data), False
    try:
        pages = _pages(data)
        main = max(pages, key=lambda page: page.size[0] * page.size[1])
        others = [page for page in pages if page is not main]
        previews = [is_preview(page.size, main.size) for page in others]
    except (UnreadableFile, struct.error):
        previews = [False]
    if not all(previews):
        raise MultipleImages("imaging.multiple_images")
    return main, bool(others)


def _read_header(data: bytes) -> TiffHeader:
    """Read size, polarity and orientation, and check that every strip or tile is complete."""
    directory, previews = _main_page(data)
    width, height = directory.size
    samples = directory.first(277, 1)
    planes = samples if directory.first(284, 1) == 2 else 1
    misstated = False
    if 324 in directory.fields:
        tile_width, tile_height = directory.first(322), directory.first(323)
        across, down = ceil(width / tile_width), ceil(height / tile_height)
        # A tile is padded to its full size: one much larger than the image is a decompression bomb.
        oversized = tile_width > width + 1024 or tile_height > height + 1024
        offsets, lengths = directory.values(324), directory.values(325)
    else:
        rows = min(directory.first(278, height), height)
        across, down = 1, ceil(height / rows)
        oversized = False
        offsets = directory.values(273)
        native = directory.first(259, 1) == _UNCOMPRESSED and len(offsets) == down * planes
        lengths = directory.values(279, 0 if native else None)
        misstated = native and (279 not in directory.fields or bool((lengths > len(data) - offsets).any()))
        if misstated:
            # The lengths follow from the size.
            row_bytes = ceil(width * directory.first(258, 1) * (samples // planes) / 8)
            lengths = np.tile(np.append(np.full(down - 1, rows), height - rows * (down - 1)) * row_bytes, planes)
    complete = len(offsets) == len(lengths) == across * down * planes
    if not complete or oversized or (offsets < 0).any() or (lengths < 0).any():
        raise damaged("TIFF")
    if (offsets > len(data)).any() or (lengths > len(data) - offsets).any():
        raise damaged("TIFF")
    notes = [Message("imaging.note.preview")] if previews else []
    notes += [Message("imaging.note.damaged_parts")] if directory.damaged or misstated else []
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
        notes=tuple(notes),
        white_is_zero=white_is_zero,
        orientation=orientation if 1 <= orientation <= 8 else 1,
        unsigned=unsigned,
        neutral=tuple((*directory.location(tag), value) for tag, value in replaced.items() if value is not None),
        corrections=directory.corrections,
    )


def _decode(data: bytes, header: Header) -> DecodedImage:
    assert isinstance(header, TiffHeader)
    stored = decode_raster(_neutralised(data, header), header, TiffImageFile, "TIFF")
    samples = stored.samples.view(np.uint32) if header.unsigned and stored.samples.dtype == np.int32 else stored.samples
    return to_greyscale(replace(stored, samples=samples, orientation=header.orientation), header, header.white_is_zero)


def _neutralised(data: bytes, header: TiffHeader) -> bytes:
    """Overwrite the tags that decoders honour at some depths only, which are applied here, and those that are odd."""
    if not header.neutral and not header.corrections:
        return data
    copy = bytearray(data)
    for offset, form, value in header.neutral + header.corrections:
        struct.pack_into(form, copy, offset, value)
    return bytes(copy)


TIFF = ImageFormat(
    "TIFF",
    ("tif", "tiff"),
    lambda data: data.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")),
    _read_header,
    _decode,
)
