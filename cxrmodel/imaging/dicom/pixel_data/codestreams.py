"""Headers of compressed pixel data, parsed and bounded before a decoder in C or C++ sees them.

Decoders of rare transfer syntaxes are less hardened than those of web images. Only what one radiograph can be passes:
one component or three, one frame of the stated size, and no parameter that makes a decoder take memory out of bounds.
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
    components : tuple of (int, int)
        One or three: number of each component and of its quantisation table (zeros for JPEG 2000).
    ended : bool
        Whether there is an end marker. Without one, ``bare`` has one in any case but that of a JPEG of 8 bits.
    """

    kind: str
    width: int
    height: int
    bits: int
    signed: bool = False
    bare: bytes = field(default=b"", repr=False)
    components: tuple[tuple[int, int], ...] = ((0, 0),)
    ended: bool = True


class _InvalidCodestream(ValueError):
    """The codestream is damaged, truncated, or not of one image."""


def _reject_if(invalid: bool) -> None:
    if invalid:
        raise _InvalidCodestream


_JPEG, _JPEG_2000, _BOX = b"\xff\xd8\xff", b"\xff\x4f\xff\x51", b"\0\0\0\x0cjP  \r\n\x87\n"


def is_codestream(frame: bytes) -> bool:
    """Whether bytes begin with the signature of a JPEG of any kind or a JPEG 2000, of which 12 bytes suffice."""
    return frame.startswith((_JPEG, _JPEG_2000, _BOX))


def read_codestream(frame: bytes) -> Codestream:
    """Read the header of a compressed image and follow its markers to the end.

    Parameters
    ----------
    frame : bytes
        One compressed frame; anything may follow it.

    Raises
    ------
    UnreadableFile
        It is damaged, truncated, has neither one component nor three, or requires too much memory.
    """
    try:
        if frame.startswith(_JPEG):
            return _jpeg(frame)
        return _jpeg2000(frame, frame.index(_JPEG_2000))
    except (struct.error, IndexError, ValueError) as error:
        raise UnreadableFile("imaging.dicom.damaged_codestream") from error


_MAX_SEGMENTS = 1_000
# ITU T.81, table B.1: Huffman-coded baseline, extended and progressive; lossless. ITU T.87: JPEG-LS.
_FRAMES = {0xC0: "JPEG", 0xC1: "JPEG", 0xC2: "JPEG", 0xC3: "lossless JPEG", 0xF7: "JPEG-LS"}
_PRECISIONS = {"JPEG": (8, 12), "lossless JPEG": range(8, 17), "JPEG-LS": range(2, 17)}
_HUFFMAN, _SCAN, _QUANTISATION, _RESTART, _PARAMETERS = 0xC4, 0xDA, 0xDB, 0xDD, 0xF8
_END = b"\xff\xd9"
_COMMENTS = {*range(0xE0, 0xF0), 0xFE}


def _jpeg(frame: bytes) -> Codestream:
    """ITU T.81 annex B: one frame header, tables that fit, one end."""
    found: Codestream | None = None
    bare, tables = [frame[:2]], set[tuple[str, int]]()
    for marker, body, segment, end in segments(frame, 2):
        if marker not in _COMMENTS:
            bare.append(segment)
        if marker == _SCAN:
            if found is None:
                raise _InvalidCodestream
            _check_scan(found, body, tables)
            last, ended = _end_of_scans(found, frame, end)
            closed = ended or found.kind != "JPEG" or found.bits != 8
            return replace(found, bare=b"".join([*bare, frame[end:last], _END * closed]), ended=ended)
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


def _end_of_scans(found: Codestream, frame: bytes, start: int) -> tuple[int, bool]:
    """Position after the entropy-coded data, and whether an end marker follows; as many scans as the process allows."""
    if found.kind == "JPEG-LS":
        # Its coding leaves no byte of ones before one above 127. The components may come one after the other.
        last = frame.find(_END, start)
        _reject_if(frame.count(b"\xff\xda", start, last if last >= 0 else None) >= len(found.components))
        return (last, True) if last >= 0 else (len(frame.rstrip(b"\0")), False)
    layout = layout_of(frame)
    _reject_if(not layout.complete or (len(layout.scans) > 1 and (found.kind != "JPEG" or found.bits != 8)))
    return layout.end - (2 if layout.ended else 0), layout.ended


def _frame_header(marker: int, body: bytes) -> Codestream:
    """Parse a frame header: one component or three, of a size and depth that its process allows."""
    bits, height, width, count = struct.unpack_from(">BHHB", body)
    kind = _FRAMES[marker]
    _reject_if(count not in (1, 3) or len(body) != 6 + 3 * count or not (width and height))
    specified = [(body[i], body[i + 1], body[i + 2]) for i in range(6, len(body), 3)]
    for _, sampling, table in specified:
        _reject_if(table > 3 or not (1 <= sampling >> 4 <= 4 and 1 <= sampling & 0x0F <= 4))
    _reject_if(bits not in _PRECISIONS[kind] or (kind == "JPEG" and bits != 8 and (marker != 0xC1 or count != 1)))
    _reject_if(kind != "JPEG" and len({sampling for _, sampling, _ in specified}) != 1)
    return Codestream(kind, width, height, bits, components=tuple((name, table) for name, _, table in specified))


def _check_scan(found: Codestream, body: bytes, tables: set[tuple[str, int]]) -> None:
    """Check a scan header: components of the frame, known tables and, if lossless, an existing predictor."""
    count = body[0]
    names, selected = body[1 : 1 + 2 * count : 2], body[2 : 1 + 2 * count : 2]
    quantisation = dict(found.components)
    _reject_if(
        len(body) != 4 + 2 * count or not set(names) <= set(quantisation) or len(set(names)) != count or not count
    )
    first, approximation = body[-3], body[-1]
    if found.kind == "JPEG-LS":
        return
    needed = {("direct", number >> 4) for number in selected}
    if found.kind == "lossless JPEG":
        _reject_if(not 1 <= first <= 7 or approximation >= found.bits or count != len(found.components))
    else:
        needed |= {("quantisation", quantisation[name]) for name in names}
        needed |= {("alternating", number & 0x0F) for number in selected} if found.bits != 8 else set()
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
_SOC, _SIZ, _COD, _COC, _RGN, _POC, _SOT, _SOD = 0x4F, 0x51, 0x52, 0x53, 0x5E, 0x5F, 0x90, 0x93
_MAX_TILES, _MAX_BLOCKS, _MAX_LAYERS = 16_384, 1_000_000, 256


def _jpeg2000(frame: bytes, start: int) -> Codestream:
    """ITU T.800 annex A: size, coding style, and every tile-part up to the end of the codestream."""
    _, extent_x, extent_y, x, y, tile_x, tile_y, *origin, components, depth, step_x, step_y = struct.unpack_from(
        ">HIIIIIIIIHBBB", frame, start + 6
    )
    width, height, bits = extent_x - x, extent_y - y, (depth & 0x7F) + 1
    _reject_if(
        components not in (1, 3) or (step_x, step_y) != (1, 1) or not 1 < bits <= 16 or width <= 0 or height <= 0
    )
    # Each has the same depth and sampling.
    _reject_if(frame[start + 42 : start + 42 + 3 * components] != bytes([depth, step_x, step_y]) * components)
    _reject_if(not tile_x or not tile_y or origin[0] > x or origin[1] > y or max(extent_x, extent_y) >= 2**31)
    tiles = ceil((extent_x - origin[0]) / tile_x) * ceil((extent_y - origin[1]) / tile_y)
    _reject_if(tiles > _MAX_TILES)
    size = (min(tile_x, width), min(tile_y, height), tiles)
    body = position = _header(frame, start + 2, _SOT, size)
    seen: set[int] = set()
    for _ in range(_MAX_TILES * 4):
        ended = frame[position : position + 2] == _END
        if ended or (len(seen) == tiles and _is_plain(frame, body, position)):
            found = Codestream("JPEG 2000", width, height, bits, bool(depth & 0x80), ended=ended)
            return replace(found, bare=frame[start:position] + _END, components=((0, 0),) * components)
        length, index, parts = struct.unpack_from(">HHI", frame, position + 2)
        _reject_if(frame[position : position + 2] != b"\xff\x90" or length != 10 or index >= tiles)
        body = _header(frame, position + 12, _SOD, size)
        if not parts:  # the last tile-part, up to the end of the codestream
            parts = frame.rindex(_END) - position
        _reject_if(not body + 2 <= position + parts <= len(frame))
        position += parts
        seen.add(index)
    raise _InvalidCodestream


# Within packets, a byte of ones is followed by one below 0x90 (annex A.1).
_FOREIGN = re.compile(rb"\xff[\x90-\xff]")


def _is_plain(frame: bytes, start: int, end: int) -> bool:
    """Whether the last tile-part holds data to its end and not padding, and only zeros follow it."""
    return frame[end - 1] > 0 and not frame[end:].strip(b"\0") and not _FOREIGN.search(frame, start + 2, end)


def _header(frame: bytes, position: int, last: int, size: tuple[int, int, int]) -> int:
    """Check the segments of a header of JPEG 2000, and return the position of the marker after it."""
    for marker, body, _, end in segments(frame, position, last):
        _reject_if(marker in (_SOC, _SOT, _SOD, _RGN, _POC))
        if marker == _COD:
            _check_coding(body[0], body[1:], size)
        elif marker == _COC:
            # Of one component, in place of the general coding style.
            _reject_if(body[0] > 2)
            _check_coding(body[1], b"\0\0\1\0" + body[2:], size)
        position = end
    return position


def _check_coding(style: int, body: bytes, size: tuple[int, int, int]) -> None:
    """Check a coding style: no more layers, code-blocks and precincts than the image can need."""
    _, layers, _, levels, block_x, block_y = struct.unpack_from(">BHBBBB", body)
    _reject_if(not 0 < layers <= _MAX_LAYERS or levels > 32 or block_x > 8 or block_y > 8 or block_x + block_y > 8)
    precincts = body[9:] if style & 1 else b"\xff" * (levels + 1)
    _reject_if(len(precincts) != levels + 1)
    width, height, tiles = size
    blocks = ceil(width / 2 ** (block_x + 2)) * ceil(height / 2 ** (block_y + 2))
    for level, exponents in enumerate(reversed(precincts)):
        across = ceil(width / 2**level / 2 ** (exponents & 0x0F))
        blocks += across * ceil(height / 2**level / 2 ** (exponents >> 4))
    _reject_if(blocks * tiles > _MAX_BLOCKS)
