"""PNG (ISO 15948)."""

import struct
import zlib
from dataclasses import dataclass

from PIL.PngImagePlugin import PngImageFile

from cxrmodel.imaging.formats.image_format import DecodedImage, Header, ImageFormat, damaged, surplus_notes
from cxrmodel.imaging.formats.raster import decode_raster, to_greyscale
from cxrmodel.messages import Message

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_MAX_CHUNKS = 200_000
# Ancillary chunks without which the image would be another one: transparency, orientation, depth.
_NEEDED = {b"tRNS", b"eXIf", b"sBIT"}
_END = b"\0\0\0\0IEND\xaeB`\x82"
_BLOCK = 2**20


@dataclass(frozen=True)
class PngHeader(Header):
    """What a PNG states about its image.

    Attributes
    ----------
    intact : tuple of (int, int), or None
        Start and end of every intact chunk but the last one of a file that is damaged where its image is not; None for
        any other file.
    """

    intact: tuple[tuple[int, int], ...] | None = None


def _read_header(data: bytes) -> PngHeader:
    """Read IHDR and verify the checksum of every chunk up to IEND; descriptive chunks may be damaged."""
    width, height, bits = struct.unpack_from(">IIB", data, 16)
    if data[:8] != _SIGNATURE or data[12:16] != b"IHDR":
        raise damaged("PNG")
    view, position, multiple, ended = memoryview(data), 8, False, False
    intact: list[tuple[int, int]] = []
    notes: tuple[Message, ...] = ()
    while position + 12 <= len(data) and not ended:
        length, kind = struct.unpack_from(">I4s", data, position)
        end = position + 12 + length
        if end > len(data) or len(intact) == _MAX_CHUNKS:
            break
        ended = kind == b"IEND"
        if zlib.crc32(view[position + 4 : end - 4]) != int.from_bytes(view[end - 4 : end], "big"):
            if not ended and (not kind.isalpha() or not kind[0] & 0x20 or kind in _NEEDED):
                raise damaged("PNG")
            notes = (Message("imaging.note.damaged_parts"),)
        elif not ended:
            intact.append((position, end))
        # An animation of one image is none.
        multiple |= kind == b"acTL" and data[position + 8 : position + 12] != b"\0\0\0\1"
        position = end
    if not ended:
        if len(intact) == _MAX_CHUNKS or data[position + 4 : position + 8] == b"IDAT":
            raise damaged("PNG")
        notes += (Message("imaging.note.no_end"),)
    else:
        notes += surplus_notes(data[position:])
    repaired = None if ended and Message("imaging.note.damaged_parts") not in notes else tuple(intact)
    return PngHeader(width, height, bits, multiple, notes, repaired)


def _decode(data: bytes, header: Header) -> DecodedImage:
    assert isinstance(header, PngHeader)
    if header.intact is not None:
        data = _repaired(data, header.intact)
    return to_greyscale(decode_raster(data, header, PngImageFile, "PNG"), header)


def _repaired(data: bytes, intact: tuple[tuple[int, int], ...]) -> bytes:
    """The intact chunks with an end, if the compressed image among them has reached its own end."""
    inflater = zlib.decompressobj()
    for start, end in intact:
        if data[start + 4 : start + 8] == b"IDAT" and not inflater.eof:
            inflater.decompress(data[start + 8 : end - 4], _BLOCK)
            while inflater.unconsumed_tail:
                inflater.decompress(inflater.unconsumed_tail, _BLOCK)
    if not inflater.eof:
        raise damaged("PNG")
    return b"".join([_SIGNATURE, *(data[start:end] for start, end in intact), _END])


PNG = ImageFormat("PNG", ("png",), lambda data: data.startswith(b"\x89PNG"), _read_header, _decode)
