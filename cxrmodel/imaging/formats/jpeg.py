"""JPEG of 8 bits (ITU T.81)."""

import struct

from cxrmodel.errors import UnsupportedFile
from cxrmodel.imaging.formats.image_format import DecodedImage, Header, ImageFormat, damaged, is_preview, surplus_notes
from cxrmodel.imaging.formats.jpeg_scans import FRAMES, JPEG_LS, DamagedJpeg, WholeJpeg, layout_of, segments
from cxrmodel.imaging.formats.raster import decode_raster, to_greyscale
from cxrmodel.messages import Message

_START = b"\xff\xd8\xff"
_MAX_OTHERS = 10


def _read_header(data: bytes) -> Header:
    """Read the frame header, and follow the file to its end marker and to the images after it."""
    frame = next(segment for segment in segments(data) if segment.marker in FRAMES)
    if frame.marker == JPEG_LS or frame.body[0] != 8:
        raise UnsupportedFile("imaging.unsupported.deep_jpeg")
    layout = layout_of(data)
    if not layout.complete:
        raise damaged("JPEG")
    others = _sizes_after(data, layout.end)
    size = layout.width, layout.height
    previews = [is_preview(other, size) for other in others]
    notes = surplus_notes(data[layout.end :], bool(previews))
    if not layout.ended:
        notes += (Message("imaging.note.no_end"),)
    return Header(*size, layout.bits, not all(previews), notes)


def _sizes_after(data: bytes, position: int) -> list[tuple[int, int]]:
    """Width and height of the JPEGs after the first one: further photographs, or previews (CIPA DC-007)."""
    sizes: list[tuple[int, int]] = []
    for _ in range(_MAX_OTHERS):
        position = data.find(_START, position)
        if position < 0:
            break
        try:
            frame = next(segment for segment in segments(data, position) if segment.marker in FRAMES)
            sizes.append(struct.unpack_from(">HH", frame.body, 1)[::-1])
        except (DamagedJpeg, struct.error, IndexError, StopIteration):
            pass
        position += len(_START)
    return sizes


def _decode(data: bytes, header: Header) -> DecodedImage:
    return to_greyscale(decode_raster(data, header, WholeJpeg, "JPEG"), header)


JPEG = ImageFormat(
    "JPEG",
    ("jpg", "jpeg"),
    lambda data: data.startswith(_START),
    _read_header,
    _decode,
    bytes_per_pixel=12,
)
