"""WebP (RFC 9649)."""

import struct

from PIL.WebPImagePlugin import WebPImageFile

from cxrmodel.errors import UnsupportedFile
from cxrmodel.imaging.formats.image_format import Header, ImageFormat, damaged
from cxrmodel.imaging.formats.raster import decode_raster, to_greyscale


def _read_header(data: bytes) -> Header:
    """Read the first chunk, which is of one of three kinds."""
    (length,) = struct.unpack_from("<I", data, 4)
    if data[8:12] != b"WEBP":
        raise UnsupportedFile("imaging.unsupported.sound_or_video")
    if length + 8 > len(data):
        raise damaged("WebP")
    kind = data[12:16]
    if kind == b"VP8X":
        width = int.from_bytes(data[24:27], "little") + 1
        height = int.from_bytes(data[27:30], "little") + 1
        return Header(width, height, 8, multiple=bool(data[20] & 2))
    if kind == b"VP8 " and data[23:26] == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", data, 26)
        return Header(width & 0x3FFF, height & 0x3FFF, 8)
    if kind == b"VP8L" and data[20] == 0x2F:
        (packed,) = struct.unpack_from("<I", data, 21)
        return Header((packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1, 8)
    raise damaged("WebP")


WEBP = ImageFormat(
    "WebP",
    ("webp",),
    lambda data: data.startswith(b"RIFF"),
    _read_header,
    lambda data, header: to_greyscale(decode_raster(data, header, WebPImageFile, "WebP"), header),
)
