"""What a compressed picture says of itself, read and bounded before a decoder in C or C++ sees it.

Decoders of rare syntaxes are less hardened than those of the web's pictures, so their input is held here against what
one grey image can be: one component, one frame of the size announced, and no parameter that makes a decoder set aside
memory out of proportion.
"""

import re
import struct
from dataclasses import dataclass, field, replace
from math import ceil

from cxrmodel.errors import UnreadableFile

__all__ = ["Codestream", "read_codestream"]


@dataclass(frozen=True)
class Codestream:
    """The frame header of a compressed picture.

    Attributes
    ----------
    kind : str
        "JPEG", "lossless JPEG", "JPEG-LS" or "JPEG 2000".
    width, height, bits : int
    signed : bool
        Samples have a sign of their own (JPEG 2000 alone).
    bare : bytes
        The codestream without remarks, without what boxes of a file surround it, and without padding.
    table, component : int
        Numbers of the quantisation table and of the component (JPEG alone).
    """

    kind: str
    width: int
    height: int
    bits: int
    signed: bool = False
    bare: bytes = field(default=b"", repr=False)
    table: int = 0
    component: int = 0


class _Unfit(ValueError):
    """The codestream is broken, ends early, or is not of one grey image."""


def read_codestream(frame: bytes) -> Codestream | None:
    """Read the header of a compressed picture and follow its markers to its end.

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
        It is broken, ends early, has more than one component, or demands unreasonable room.
    """
    try:
        if frame.startswith(b"\xff\xd8"):
            return _jpeg(frame)
        if frame.startswith(b"\xff\x4f\xff\x51"):
            return _jpeg2000(frame, 0)
        if frame.startswith(b"\0\0\0\x0cjP  \r\n\x87\n"):
            return _jpeg2000(frame, frame.index(b"\xff\x4f\xff\x51"))
    except (_Unfit, struct.error, IndexError, ValueError) as error:
        raise UnreadableFile(
            "The compressed pixel data of this DICOM file are broken or incomplete, or of a variety that is not read "
            "here: send it again from the archive, uncompressed if possible."
        ) from error
    return None


_MOST_SCANS = 100
_MOST_SEGMENTS = 1_000
# ITU T.81, table B.1: Huffman-coded baseline, extended and progressive; lossless. ITU T.87: JPEG-LS.
_FRAMES = {0xC0: "JPEG", 0xC1: "JPEG", 0xC2: "JPEG", 0xC3: "lossless JPEG", 0xF7: "JPEG-LS"}
_PRECISIONS = {"JPEG": (8, 12), "lossless JPEG": range(8, 17), "JPEG-LS": range(2, 17)}
_HUFFMAN, _SCAN, _END, _QUANTISATION, _RESTART, _PARAMETERS = 0xC4, 0xDA, 0xD9, 0xDB, 0xDD, 0xF8
_REMARKS = {*range(0xE0, 0xF0), 0xFE}
# Behind a marker's first byte within a scan: a zero that makes it none, or a restart.
_FOREIGN = re.compile(rb"\xff[^\x00\xd0-\xd7]")


def _jpeg(frame: bytes) -> Codestream:
    """ITU T.81 annex B: one frame header of one component, tables that fit, one end."""
    frame = frame.rstrip(b"\0")
    if not frame.endswith(b"\xff\xd9"):
        raise _Unfit
    position, found, bare, tables = 2, None, [frame[:2]], set()
    for _ in range(_MOST_SEGMENTS):
        if frame[position] != 0xFF:
            raise _Unfit
        marker = frame[position + 1]
        if marker == 0xFF:
            position += 1
            continue
        (length,) = struct.unpack_from(">H", frame, position + 2)
        body = frame[position + 4 : position + 2 + length]
        if length < 2 or len(body) != length - 2:
            raise _Unfit
        if marker not in _REMARKS:
            bare.append(frame[position : position + 2 + length])
        position += 2 + length
        if marker == _SCAN:
            _check_scan(found, body, tables)
            scans = 1 + frame.count(b"\xff\xda", position)
            single = found.kind != "JPEG" or found.bits != 8
            if scans > (1 if single else _MOST_SCANS):
                raise _Unfit
            if single and found.kind != "JPEG-LS" and _FOREIGN.search(frame, position).start() != len(frame) - 2:
                raise _Unfit
            return replace(found, bare=b"".join([*bare, frame[position:]]))
        if marker in _FRAMES and not found:
            found = _frame_header(marker, body)
        elif marker == _HUFFMAN:
            tables |= _huffman_tables(body)
        elif marker == _QUANTISATION:
            tables |= _quantisation_tables(body)
        elif marker not in _REMARKS | {_PARAMETERS} and not (marker == _RESTART and length == 4):
            raise _Unfit
    raise _Unfit


def _frame_header(marker: int, body: bytes) -> Codestream:
    """One component, of a size and depth that its process allows."""
    bits, height, width, components, _, sampling, table = struct.unpack(">BHHBBBB", body)
    kind = _FRAMES[marker]
    if components != 1 or bits not in _PRECISIONS[kind] or not (width and height) or table > 3:
        raise _Unfit
    if not (1 <= sampling >> 4 <= 4 and 1 <= sampling & 0x0F <= 4) or (marker != 0xC1 and kind == "JPEG" and bits != 8):
        raise _Unfit
    return Codestream(kind, width, height, bits, table=table, component=body[6])


def _check_scan(found: Codestream | None, body: bytes, tables: set[tuple[str, int]]) -> None:
    """Scan header of the one component, with tables that were given and, where lossless, a predictor that exists."""
    if found is None or len(body) != 6 or body[:2] != bytes([1, found.component]):
        raise _Unfit
    selected, first, approximation = body[2], body[3], body[5]
    if found.kind == "JPEG-LS":
        return
    needed = {("direct", selected >> 4)}
    if found.kind == "lossless JPEG":
        if not 1 <= first <= 7 or approximation >= found.bits:
            raise _Unfit
    else:
        needed |= {("quantisation", found.table)}
        needed |= {("alternating", selected & 0x0F)} if found.bits != 8 else set()
    if not needed <= tables:
        raise _Unfit


def _huffman_tables(body: bytes) -> set[tuple[str, int]]:
    """Huffman tables: no more codes than their lengths allow, and values for each."""
    position, tables = 0, set()
    while position < len(body):
        counts = body[position + 1 : position + 17]
        room = 1
        for count in counts:
            room = 2 * room - count
            if room < 0:
                raise _Unfit
        kind, number = divmod(body[position], 16)
        if number > 3 or kind > 1 or len(counts) != 16 or not 0 < sum(counts) <= 256:
            raise _Unfit
        tables.add((("direct", "alternating")[kind], number))
        position += 17 + sum(counts)
    if position != len(body):
        raise _Unfit
    return tables


def _quantisation_tables(body: bytes) -> set[tuple[str, int]]:
    """Quantisation tables of 64 values of one or two bytes, none of them zero."""
    position, tables = 0, set()
    while position < len(body):
        wide, number = divmod(body[position], 16)
        values = body[position + 1 : position + 1 + 64 * (1 + wide)]
        if wide > 1 or number > 3 or len(values) != 64 * (1 + wide):
            raise _Unfit
        tables.add(("quantisation", number))
        position += 1 + len(values)
    return tables


# ITU T.800 annex A.
_SOC, _SIZ, _COD, _COC, _QCC, _RGN, _POC, _SOT, _SOD = 0x4F, 0x51, 0x52, 0x53, 0x5D, 0x5E, 0x5F, 0x90, 0x93
_MOST_TILES, _MOST_BLOCKS, _MOST_LAYERS = 16_384, 1_000_000, 256


def _jpeg2000(frame: bytes, start: int) -> Codestream:
    """ITU T.800 annex A: size, coding style, and every tile-part up to the end of the codestream."""
    _, extent_x, extent_y, x, y, tile_x, tile_y, *origin, components, depth, step_x, step_y = struct.unpack_from(
        ">HIIIIIIIIHBBB", frame, start + 6
    )
    width, height, bits = extent_x - x, extent_y - y, (depth & 0x7F) + 1
    if components != 1 or (step_x, step_y) != (1, 1) or not 1 < bits <= 16 or width <= 0 or height <= 0:
        raise _Unfit
    if not tile_x or not tile_y or origin[0] > x or origin[1] > y or max(extent_x, extent_y) >= 2**31:
        raise _Unfit
    tiles = ceil((extent_x - origin[0]) / tile_x) * ceil((extent_y - origin[1]) / tile_y)
    if tiles > _MOST_TILES:
        raise _Unfit
    size = (min(tile_x, width), min(tile_y, height), tiles)
    position = _header(frame, start + 2, _SOT, size)
    for _ in range(_MOST_TILES * 4):
        if frame[position : position + 2] == b"\xff\xd9":
            return Codestream("JPEG 2000", width, height, bits, bool(depth & 0x80), frame[start:])
        length, index, parts = struct.unpack_from(">HHI", frame, position + 2)
        if frame[position : position + 2] != b"\xff\x90" or length != 10 or index >= tiles:
            raise _Unfit
        body = _header(frame, position + 12, _SOD, size)
        if not parts:  # the last tile-part, up to the end of the codestream
            parts = frame.rindex(b"\xff\xd9") - position
        if position + parts < body + 2:
            raise _Unfit
        position += parts
    raise _Unfit


def _header(frame: bytes, position: int, last: int, size: tuple[int, int, int]) -> int:
    """Follow the marker segments of a header to the one behind it, and give that one's place."""
    for _ in range(_MOST_SEGMENTS):
        if frame[position] != 0xFF:
            raise _Unfit
        marker = frame[position + 1]
        if marker == last:
            return position
        (length,) = struct.unpack_from(">H", frame, position + 2)
        body = frame[position + 4 : position + 2 + length]
        if length < 2 or len(body) != length - 2 or marker in (_SOC, _SOT, _SOD, _COC, _QCC, _RGN, _POC):
            raise _Unfit
        if marker == _COD:
            _check_coding(body, size)
        position += 2 + length
    raise _Unfit


def _check_coding(body: bytes, size: tuple[int, int, int]) -> None:
    """Coding style: layers, code-blocks and precincts in a number that the picture can need."""
    style, _, layers, _, levels, block_x, block_y = struct.unpack_from(">BBHBBBB", body)
    if not 0 < layers <= _MOST_LAYERS or levels > 32 or block_x > 8 or block_y > 8 or block_x + block_y > 8:
        raise _Unfit
    precincts = body[10:] if style & 1 else b"\xff" * (levels + 1)
    if len(precincts) != levels + 1:
        raise _Unfit
    width, height, tiles = size
    many = ceil(width / 2 ** (block_x + 2)) * ceil(height / 2 ** (block_y + 2))
    for level, exponents in enumerate(reversed(precincts)):
        across = ceil(width / 2**level / 2 ** (exponents & 0x0F))
        many += across * ceil(height / 2**level / 2 ** (exponents >> 4))
    if many * tiles > _MOST_BLOCKS:
        raise _Unfit
