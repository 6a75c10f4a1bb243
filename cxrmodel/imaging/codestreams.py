"""What a compressed picture says of itself, read and bounded before a decoder in C or C++ sees it.

Decoders of rare syntaxes are less hardened than those of the web's pictures, so their input is held here against what
one grey film can be: one component, one frame of the size announced, and no parameter that makes a decoder set aside
memory out of proportion.
"""

import struct
from dataclasses import dataclass
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
    start : int
        Where the codestream begins: behind the boxes of a JPEG 2000 file, where somebody wrote one.
    """

    kind: str
    width: int
    height: int
    bits: int
    signed: bool = False
    start: int = 0


class _Unfit(ValueError):
    """The codestream is broken, ends early, or is not of one grey film."""


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
_PRECISIONS = {"JPEG": (8, 12), "lossless JPEG": range(2, 17), "JPEG-LS": range(2, 17)}
_HUFFMAN, _SCAN, _END = 0xC4, 0xDA, 0xD9


def _jpeg(frame: bytes) -> Codestream:
    """ITU T.81 annex B: one frame header of one component, tables that fit, one end."""
    if not frame.rstrip(b"\0").endswith(b"\xff\xd9"):
        raise _Unfit
    position, found, tables = 2, None, False
    for _ in range(_MOST_SEGMENTS):
        if frame[position] != 0xFF:
            raise _Unfit
        marker = frame[position + 1]
        if marker == 0xFF:
            position += 1
            continue
        (length,) = struct.unpack_from(">H", frame, position + 2)
        body = frame[position + 4 : position + 2 + length]
        if length < 2 or len(body) != length - 2 or marker <= 0x01 or 0xD0 <= marker <= _END:
            raise _Unfit
        if marker == _SCAN:
            if found is None or not (tables or found.kind == "JPEG-LS"):
                raise _Unfit
            _check_scan(found, body)
            if frame.count(b"\xff\xda", position) > (_MOST_SCANS if found.kind == "JPEG" else 1):
                raise _Unfit
            return found
        if marker in _FRAMES:
            bits, height, width, components = struct.unpack_from(">BHHB", body)
            kind = _FRAMES[marker]
            if found or components != 1 or bits not in _PRECISIONS[kind] or not (width and height):
                raise _Unfit
            if marker == 0xC2 and bits != 8:
                raise _Unfit
            found = Codestream(kind, width, height, bits)
        elif marker == _HUFFMAN:
            _check_tables(body)
            tables = True
        elif 0xC5 <= marker <= 0xCF and marker != 0xCC:
            raise _Unfit
        position += 2 + length
    raise _Unfit


def _check_scan(found: Codestream, body: bytes) -> None:
    """Scan header of one component; for the lossless process, a predictor and a point transform that exist."""
    count, *_, first, _, approximation = body
    if count != 1 or len(body) != 6:
        raise _Unfit
    if found.kind == "lossless JPEG" and (not 1 <= first <= 7 or approximation >> 4 or approximation >= found.bits):
        raise _Unfit


def _check_tables(body: bytes) -> None:
    """Huffman tables: no more codes than their lengths allow, and values for each."""
    position = 0
    while position < len(body):
        counts = body[position + 1 : position + 17]
        room = 1
        for count in counts:
            room = 2 * room - count
            if room < 0:
                raise _Unfit
        if body[position] & 0x0F > 3 or body[position] >> 4 > 1 or len(counts) != 16 or not 0 < sum(counts) <= 256:
            raise _Unfit
        position += 17 + sum(counts)
    if position != len(body):
        raise _Unfit


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
            return Codestream("JPEG 2000", width, height, bits, bool(depth & 0x80), start)
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
