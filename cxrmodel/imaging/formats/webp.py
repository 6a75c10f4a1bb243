"""WebP (RFC 9649)."""

import struct

from PIL.WebPImagePlugin import WebPImageFile

from cxrmodel.errors import UnsupportedFile
from cxrmodel.imaging.formats.image_format import DecodedImage, Header, ImageFormat, damaged, surplus_notes
from cxrmodel.imaging.formats.raster import decode_raster, to_greyscale
from cxrmodel.messages import Message

_LOSSY, _LOSSLESS, _EXTENDED = b"VP8 ", b"VP8L", b"VP8X"
_MAX_CHUNKS = 1_000


def _read_header(data: bytes) -> Header:
    """Read the first chunk, which is of one of three kinds, and find the one with the image."""
    (length,) = struct.unpack_from("<I", data, 4)
    if data[8:12] != b"WEBP":
        raise UnsupportedFile("imaging.unsupported.sound_or_video")
    kind, multiple = data[12:16], False
    if kind == _EXTENDED:
        width = int.from_bytes(data[24:27], "little") + 1
        height = int.from_bytes(data[27:30], "little") + 1
        multiple = bool(data[20] & 2)
    elif kind == _LOSSY and data[23:26] == b"\x9d\x01\x2a":
        width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", data, 26))
    elif kind == _LOSSLESS and data[20] == 0x2F:
        (packed,) = struct.unpack_from("<I", data, 21)
        width, height = (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1
    else:
        raise damaged("WebP")
    if length + 8 <= len(data):
        # A chunk of odd length is padded, but not every writer counts that byte.
        return Header(width, height, 8, multiple, surplus_notes(data[8 + length + length % 2 :]))
    if multiple or _end_of_image(data) > len(data):
        raise damaged("WebP")
    return Header(width, height, 8, multiple, (Message("imaging.note.no_end"),))


def _end_of_image(data: bytes) -> int:
    """Position after the chunk with the image, in a file whose end is missing."""
    position = 12
    for _ in range(_MAX_CHUNKS):
        kind, length = struct.unpack_from("<4sI", data, position)
        position += 8 + length + length % 2
        if kind in (_LOSSY, _LOSSLESS):
            return int(position - length % 2)
    raise damaged("WebP")


def _decode(data: bytes, header: Header) -> DecodedImage:
    if Message("imaging.note.no_end") in header.notes:
        end = _end_of_image(data)
        data = data[:4] + struct.pack("<I", end - 8 + end % 2) + data[8:end] + bytes(end % 2)
    return to_greyscale(decode_raster(data, header, WebPImageFile, "WebP"), header)


WEBP = ImageFormat("WebP", ("webp",), lambda data: data.startswith(b"RIFF"), _read_header, _decode)
