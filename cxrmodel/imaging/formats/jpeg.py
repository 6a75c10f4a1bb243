"""JPEG of 8 bits (ITU T.81)."""

import struct

from PIL.JpegImagePlugin import JpegImageFile

from cxrmodel.errors import UnsupportedFile
from cxrmodel.imaging.formats.image_format import DecodedImage, Header, ImageFormat, damaged
from cxrmodel.imaging.formats.raster import decode_raster, ended_early, to_greyscale

_MAX_SEGMENTS = 200_000
_MAX_SCANS = 100
"""Each scan of a progressive JPEG covers every pixel: encoders use about ten, decompression bombs thousands."""


def _read_header(data: bytes) -> Header:
    """Read the one frame header before the first scan."""
    position, frame, multiple, one_scan = 2, None, False, False
    for _ in range(_MAX_SEGMENTS):
        if data[position] != 0xFF:
            raise damaged("JPEG")
        position += 1
        marker = data[position]
        if marker == 0xFF:
            continue
        (length,) = struct.unpack_from(">H", data, position + 1)
        if marker == 0xDA and frame is not None and (one_scan or data.count(b"\xff\xda", position - 1) <= _MAX_SCANS):
            return Header(*frame, multiple)
        if marker in (0x00, 0x01, 0xDA) or 0xD0 <= marker <= 0xD9 or length < 2:
            raise damaged("JPEG")
        if marker == 0xF7 or (0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC)):
            bits, height, width = struct.unpack_from(">BHH", data, position + 3)
            if bits != 8 or marker == 0xF7:
                raise UnsupportedFile("imaging.unsupported.deep_jpeg")
            if frame is not None:
                raise damaged("JPEG")
            frame = (width, height, bits)
            # The decoder stops at a second scan of a sequential image of one component.
            one_scan = marker in (0xC0, 0xC1) and data[position + 8] == 1
        multiple |= marker == 0xE2 and data.startswith(b"MPF\0", position + 3)
        position += 1 + length
    raise damaged("JPEG")


def _decode(data: bytes, header: Header) -> DecodedImage:
    stored = decode_raster(data, header, JpegImageFile, "JPEG")
    if ended_early(stored.samples):
        raise damaged("JPEG")
    return to_greyscale(stored, header)


JPEG = ImageFormat("JPEG", ("jpg", "jpeg"), lambda data: data.startswith(b"\xff\xd8\xff"), _read_header, _decode)
