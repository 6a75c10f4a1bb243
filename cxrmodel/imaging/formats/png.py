"""PNG (ISO 15948)."""

import struct
import zlib

from PIL.PngImagePlugin import PngImageFile

from cxrmodel.imaging.formats.image_format import Header, ImageFormat, damaged
from cxrmodel.imaging.formats.raster import decode_raster, to_greyscale

_MAX_CHUNKS = 200_000


def _read_header(data: bytes) -> Header:
    """Read IHDR and verify the checksum of every chunk up to IEND."""
    width, height, bits = struct.unpack_from(">IIB", data, 16)
    if data[:8] != b"\x89PNG\r\n\x1a\n" or data[12:16] != b"IHDR":
        raise damaged("PNG")
    view, position, multiple = memoryview(data), 8, False
    for _ in range(_MAX_CHUNKS):
        length, kind = struct.unpack_from(">I4s", data, position)
        (checksum,) = struct.unpack_from(">I", data, position + 8 + length)
        if zlib.crc32(view[position + 4 : position + 8 + length]) != checksum:
            raise damaged("PNG")
        multiple |= kind == b"acTL"
        if kind == b"IEND":
            return Header(width, height, bits, multiple)
        position += 12 + length
    raise damaged("PNG")


PNG = ImageFormat(
    "PNG",
    ("png",),
    lambda data: data.startswith(b"\x89PNG"),
    _read_header,
    lambda data, header: to_greyscale(decode_raster(data, header, PngImageFile, "PNG"), header),
)
