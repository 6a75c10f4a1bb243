"""Headers of compressed pixel data, parsed and bounded before a decoder in C or C++ sees them.

Decoders of rare transfer syntaxes are less hardened than those of web images. Only what one grey image can be passes:
one component, one frame of the stated size, and no parameter that makes a decoder allocate memory out of proportion.
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from math import ceil

from cxrmodel.errors import UnreadableFile
from cxrmodel.imaging.formats.jpeg_scans import layout_of


@dataclass(frozen=True)
class Codestream:
    """The frame header of a compressed image.

    Attributes
    ----------
    kind : str
        "JPEG", "lossless JPEG", "JPEG-LS" or "JPEG 2000".
    width, height, bits : int
    signed : bool
        Whether the samples are signed (JPEG 2000 only).
    bare : bytes
        The codestream without comments and application segments, without file boxes around it, and without padding.
    table, component : int
        Numbers of the quantisation table and of the component (JPEG only).
    """

    kind: str
    width: int
    height: int
    bits: int
    signed: bool = False
    bare: bytes = field(default=b"", repr=False)
    table: int = 0
    component: int = 0


class _InvalidCodestream(ValueError):
    """The codestream is damaged, truncated, or not of one grey image."""


def _reject_if(invalid: bool) -> None:
    if invalid:
        raise _InvalidCodestream


def read_codestream(frame: bytes) -> Codestream | None:
    """Read the header of a compressed image and follow its markers to the end.

    Parameters
    ----------
    frame : bytes
        One compressed frame; zeros may follow it.

    Returns
    -------
    Codestream or None
        None when the bytes are neither a JPEG of any kind nor a JPEG 2000.

    Raises
    ------
    UnreadableFile
        It is damaged, truncated, has more than one component, or requires too much memory.
    """
    try:
        if frame.startswith(b"\xff\xd8"):
            return _jpeg(frame)
        if frame.startswith(b"\xff\x4f\xff\x51"):
            return _jpeg2000(frame, 0)
        if frame.startswith(b"\0\0\0\x0cjP  \r\n\x87\n"):
            return _jpeg2000(frame, frame.index(b"\xff\x4f\xff\x51"))
    except (struct.error, IndexError, ValueError) as error:
        raise UnreadableFile("imaging.dicom.damaged_codestream") from error
    return None


_MAX_SCANS = 100
_MAX_SEGMENTS = 1_000
# ITU T.81, table B.1: Huffman-coded baseline, extended and progressive; lossless. ITU T.87: JPEG-LS.
_FRAMES = {0xC0: "JPEG", 0xC1: "JPEG", 0xC2: "JPEG", 0xC3: "lossless JPEG", 0xF7: "JPEG-LS"}
_PRECISIONS = {"JPEG": (8, 12), "lossless JPEG": range(8, 17), "JPEG-LS": range(2, 17)}
_HUFFMAN, _SCAN, _END, _QUANTISATION, _RESTART, _PARAMETERS = 0xC4, 0xDA, 0xD9, 0xDB, 0xDD, 0xF8
_COMMENTS = {*range(0xE0, 0xF0), 0xFE}
# Within a scan, a marker's first byte is followed by zero (no marker) or by a restart.
_FOREIGN = re.compile(rb"\xff[^\x00\xd0-\xd7]")


def _jpeg(frame: bytes) -> Codestream:
    """ITU T.81 annex B: one frame header of one component, tables that fit, one end."""
    frame = frame.rstrip(b"\0")
    _reject_if(not frame.endswith(b"\xff\xd9"))
    found: Codestream | None = None
    bare, tables = [frame[:2]], set[tuple[str, int]]()
    for marker, body, segment, end in segments(frame, 2):
        if marker not in _COMMENTS:
            bare.append(segment)
        if marker == _SCAN:
            if found is None:
                raise _InvalidCodestream
            _check_scan(found, body, tables)
            _check_scan_data(found, frame, end)
            _reject_if(found.kind != "JPEG-LS" and not layout_of(frame).complete)
            return replace(found, bare=b"".join([*bare, frame[end:]]))
        if marker in _FRAMES and not found:
            found = _frame_header(marker, body)
        elif marker == _HUFFMAN:
            tables |= _huffman_tables(body)
        elif marker == _QUANTISATION:
            tables |= _quantisation_tables(body)
        elif marker not in _COMMENTS | {_PARAMETERS} and not (marker == _RESTART and len(body) == 2):
            raise _InvalidCodestream
    raise _InvalidCodestream


def segments(frame: bytes, position: int, last: int | None = None) -> Iterator[tuple[int, bytes, bytes, int]]:
    """Follow the marker segments of a header.

    Parameters
    ----------
    frame : bytes
    position : int
        Of the first marker.
    last : int or None
        Marker at which to stop (JPEG 2000). None goes on and skips fill bytes (JPEG).

    Yields
    ------
    marker : int
        Second byte of the marker.
    body, segment : bytes
        Without and with marker and length.
    end : int
        Position after the segment.

    Raises
    ------
    ValueError, IndexError, struct.error
        A segment is damaged, or there are too many.
    """
    for _ in range(_MAX_SEGMENTS):
        _reject_if(frame[position] != 0xFF)
        marker = frame[position + 1]
        if marker == last:
            return
        if marker == 0xFF and last is None:
            position += 1
            continue
        (length,) = struct.unpack_from(">H", frame, position + 2)
        end = position + 2 + length
        body = frame[position + 4 : end]
        _reject_if(length < 2 or len(body) != length - 2)
        yield marker, body, frame[position:end], end
        position = end
    raise _InvalidCodestream


def _check_scan_data(found: Codestream, frame: bytes, start: int) -> None:
    """Check the data after a scan header: as many scans as the process allows, and no foreign marker."""
    single = found.kind != "JPEG" or found.bits != 8
    _reject_if(1 + frame.count(b"\xff\xda", start) > (1 if single else _MAX_SCANS))
    if single and found.kind != "JPEG-LS":
        foreign = _FOREIGN.search(frame, start)
        _reject_if(foreign is None or foreign.start() != len(frame) - 2)


def _frame_header(marker: int, body: bytes) -> Codestream:
    """Parse a frame header: one component, of a size and depth that its process allows."""
    bits, height, width, components, _, sampling, table = struct.unpack(">BHHBBBB", body)
    kind = _FRAMES[marker]
    _reject_if(components != 1 or bits not in _PRECISIONS[kind] or not (width and height) or table > 3)
    _reject_if(not (1 <= sampling >> 4 <= 4 and 1 <= sampling & 0x0F <= 4))
    _reject_if(marker != 0xC1 and kind == "JPEG" and bits != 8)
    return Codestream(kind, width, height, bits, table=table, component=body[6])


def _check_scan(found: Codestream, body: bytes, tables: set[tuple[str, int]]) -> None:
    """Check a scan header: the one component, known tables and, if lossless, an existing predictor."""
    _reject_if(len(body) != 6 or body[:2] != bytes([1, found.component]))
    selected, first, approximation = body[2], body[3], body[5]
    if found.kind == "JPEG-LS":
        return
    needed = {("direct", selected >> 4)}
    if found.kind == "lossless JPEG":
        _reject_if(not 1 <= first <= 7 or approximation >= found.bits)
    else:
        needed |= {("quantisation", found.table)}
        needed |= {("alternating", selected & 0x0F)} if found.bits != 8 else set()
    _reject_if(not needed <= tables)


def _huffman_tables(body: bytes) -> set[tuple[str, int]]:
    """Check Huffman tables: no more codes than their lengths allow, and a value for each."""
    position, tables = 0, set()
    while position < len(body):
        counts = body[position + 1 : position + 17]
        room = 1
        for count in counts:
            room = 2 * room - count
            _reject_if(room < 0)
        kind, number = divmod(body[position], 16)
        _reject_if(number > 3 or kind > 1 or len(counts) != 16 or not 0 < sum(counts) <= 256)
        tables.add((("direct", "alternating")[kind], number))
        position += 17 + sum(counts)
    _reject_if(position != len(body))
    return tables


def _quantisation_tables(body: bytes) -> set[tuple[str, int]]:
    """Check quantisation tables: 64 values of one or two bytes."""
    position, tables = 0, set()
    while position < len(body):
        wide, number = divmod(body[position], 16)
        values = body[position + 1 : position + 1 + 64 * (1 + wide)]
        _reject_if(wide > 1 or number > 3 or len(values) != 64 * (1 + wide))
        tables.add(("quantisation", number))
        position += 1 + len(values)
    return tables


# ITU T.800 annex A.
_SOC, _SIZ, _COD, _COC, _QCC, _RGN, _POC, _SOT, _SOD = 0x4F, 0x51, 0x52, 0x53, 0x5D, 0x5E, 0x5F, 0x90, 0x93
_MAX_TILES, _MAX_BLOCKS, _MAX_LAYERS = 16_384, 1_000_000, 256


def _jpeg2000(frame: bytes, start: int) -> Codestream:
    """ITU T.800 annex A: size, coding style, and every tile-part up to the end of the codestream."""
    _, extent_x, extent_y, x, y, tile_x, tile_y, *origin, components, depth, step_x, step_y = struct.unpack_from(
        ">HIIIIIIIIHBBB", frame, start + 6
    )
    width, height, bits = extent_x - x, extent_y - y, (depth & 0x7F) + 1
    _reject_if(components != 1 or (step_x, step_y) != (1, 1) or not 1 < bits <= 16 or width <= 0 or height <= 0)
    _reject_if(not tile_x or not tile_y or origin[0] > x or origin[1] > y or max(extent_x, extent_y) >= 2**31)
    tiles = ceil((extent_x - origin[0]) / tile_x) * ceil((extent_y - origin[1]) / tile_y)
    _reject_if(tiles > _MAX_TILES)
    size = (min(tile_x, width), min(tile_y, height), tiles)
    position = _header(frame, start + 2, _SOT, size)
    for _ in range(_MAX_TILES * 4):
        if frame[position : position + 2] == b"\xff\xd9":
            return Codestream("JPEG 2000", width, height, bits, bool(depth & 0x80), frame[start:])
        length, index, parts = struct.unpack_from(">HHI", frame, position + 2)
        _reject_if(frame[position : position + 2] != b"\xff\x90" or length != 10 or index >= tiles)
        body = _header(frame, position + 12, _SOD, size)
        if not parts:  # the last tile-part, up to the end of the codestream
            parts = frame.rindex(b"\xff\xd9") - position
        _reject_if(position + parts < body + 2)
        position += parts
    raise _InvalidCodestream


def _header(frame: bytes, position: int, last: int, size: tuple[int, int, int]) -> int:
    """Check the segments of a header of JPEG 2000, and return the position of the marker after it."""
    for marker, body, _, end in segments(frame, position, last):
        _reject_if(marker in (_SOC, _SOT, _SOD, _COC, _QCC, _RGN, _POC))
        if marker == _COD:
            _check_coding(body, size)
        position = end
    return position


def _check_coding(body: bytes, size: tuple[int, int, int]) -> None:
    """Check a coding style: no more layers, code-blocks and precincts than the image can need."""
    style, _, layers, _, levels, block_x, block_y = struct.unpack_from(">BBHBBBB", body)
    _reject_if(not 0 < layers <= _MAX_LAYERS or levels > 32 or block_x > 8 or block_y > 8 or block_x + block_y > 8)
    precincts = body[10:] if style & 1 else b"\xff" * (levels + 1)
    _reject_if(len(precincts) != levels + 1)
    width, height, tiles = size
    blocks = ceil(width / 2 ** (block_x + 2)) * ceil(height / 2 ** (block_y + 2))
    for level, exponents in enumerate(reversed(precincts)):
        across = ceil(width / 2**level / 2 ** (exponents & 0x0F))
        blocks += across * ceil(height / 2**level / 2 ** (exponents >> 4))
    _reject_if(blocks * tiles > _MAX_BLOCKS)
