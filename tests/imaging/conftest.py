"""Fixtures that write image files byte by byte, including files that no library writes."""

import struct
import zlib
from collections.abc import Callable
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

VARIETIES = [
    "PNG grey",
    "PNG colour",
    "PNG grey with alpha",
    "PNG colour with alpha",
    "PNG palette",
    "PNG 1 bit",
    "PNG 2 bits",
    "PNG 16 bits",
    "PNG 16-bit colour",
    "PNG 16 bits with alpha",
    "PNG 16-bit colour with alpha",
    "WebP",
    "WebP with alpha",
    "TIFF",
    "TIFF LZW",
    "TIFF deflate",
    "TIFF packbits",
    "TIFF fax",
    "TIFF colour",
    "TIFF CMYK",
    "BigTIFF",
    "TIFF little-endian 16 bits",
    "TIFF big-endian 16 bits",
    "TIFF big-endian 8 bits",
    "TIFF 16-bit colour",
    "TIFF big-endian 16-bit colour",
    "TIFF float",
    "TIFF big-endian float",
    "TIFF 32 bits",
]


@pytest.fixture(scope="session")
def save() -> Callable[..., bytes]:
    """A function ``save(samples, file_format, mode=None, **options)``: array -> bytes of a file, through Pillow."""
    return _save


@pytest.fixture(scope="session")
def tiff() -> Callable[..., bytes]:
    """A function ``tiff(samples, order="<", photometric=1, tags={})``: array -> bytes of an uncompressed TIFF.

    `tags` adds or replaces short (16-bit) tags; None as a value leaves a tag out.
    """
    return _tiff


@pytest.fixture(scope="session")
def raw_png() -> Callable[..., bytes]:
    """A function ``raw_png(samples, colour_type, extra=b"", size=None, bits=16)``: array -> bytes of a PNG.

    `extra` goes before the pixel data; `size` is (width, height) as the header claims it. Below 16 bits the rows
    are taken as packed bytes.
    """
    return _raw_png


@pytest.fixture(scope="session")
def varieties() -> dict[str, tuple[bytes, np.ndarray, str, int]]:
    """One grey image in every variety of lossless file: name -> bytes, expected pixels, type, bits."""
    made = _varieties()
    assert list(made) == VARIETIES
    return made


@pytest.fixture(params=VARIETIES)
def variety(request, varieties) -> tuple[bytes, np.ndarray, str, int]:
    """Each of the varieties in turn."""
    return varieties[request.param]


@pytest.fixture(scope="session")
def chunk() -> Callable[[bytes, bytes], bytes]:
    """A function ``chunk(kind, body)`` that returns one PNG chunk with its length and checksum."""
    return _chunk


def _save(samples: np.ndarray, file_format: str, mode: str | None = None, **options) -> bytes:
    image = Image.fromarray(samples)
    return _written(image.convert(mode) if mode else image, file_format, **options)


def _written(image: Image.Image, file_format: str, **options) -> bytes:
    out = BytesIO()
    image.save(out, file_format, **options)
    return out.getvalue()


def _tiff(samples: np.ndarray, order: str = "<", photometric: int = 1, tags: dict | None = None) -> bytes:
    height, width = samples.shape[:2]
    channels = samples.shape[2] if samples.ndim == 3 else 1
    body = samples.astype(samples.dtype.newbyteorder(order)).tobytes()
    body += b"\0" * (len(body) % 2)
    kinds = {"u": 1, "i": 2, "f": 3}
    fields = {
        256: ("H", [width]),
        257: ("H", [height]),
        258: ("H", [samples.itemsize * 8] * channels),
        259: ("H", [1]),
        262: ("H", [photometric]),
        273: ("I", [8]),
        277: ("H", [channels]),
        278: ("H", [height]),
        279: ("I", [len(body)]),
        339: ("H", [kinds[samples.dtype.kind]] * channels),
    }
    for tag, value in (tags or {}).items():
        fields[tag] = ("H", [value])
    fields = {tag: field for tag, field in sorted(fields.items()) if field[1] != [None]}
    directory, overflow = struct.pack(order + "H", len(fields)), b""
    overflow_at = 8 + len(body) + 2 + 12 * len(fields) + 4
    for tag, (form, values) in fields.items():
        packed = struct.pack(f"{order}{len(values)}{form}", *values)
        directory += struct.pack(order + "HHI", tag, {"H": 3, "I": 4}[form], len(values))
        if len(packed) > 4:
            directory += struct.pack(order + "I", overflow_at + len(overflow))
            overflow += packed
        else:
            directory += packed.ljust(4, b"\0")
    start = (b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, 8 + len(body))
    return start + body + directory + struct.pack(order + "I", 0) + overflow


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _raw_png(
    samples: np.ndarray, colour_type: int, extra: bytes = b"", size: tuple[int, int] | None = None, bits: int = 16
) -> bytes:
    width, height = size or samples.shape[1::-1]
    rows = b"".join(b"\0" + row.astype(">u2" if bits == 16 else "u1").tobytes() for row in samples)
    header = struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + extra
        + _chunk(b"IDAT", zlib.compress(rows))
        + _chunk(b"IEND", b"")
    )


def _as_unit(levels: np.ndarray, white: float = 255) -> np.ndarray:
    return (levels.astype(np.float64) / white).astype(np.float32)


def _colour(levels: np.ndarray) -> np.ndarray:
    return np.dstack([levels] * 3)


def _varieties() -> dict[str, tuple[bytes, np.ndarray, str, int]]:
    grain = np.random.default_rng(0).integers(0, 12, (72, 80))
    levels = (np.add.outer(np.arange(72), 2 * np.arange(80)) + grain).astype(np.uint8)
    sixteen = levels.astype(np.uint16) * 257 - grain.astype(np.uint16)
    opaque, bilevel = np.full_like(levels, 255), levels > 127
    with_alpha, deep_alpha = np.dstack([levels, opaque]), np.dstack([sixteen, np.full_like(sixteen, 65535)])
    fractions = _as_unit(levels)
    palette = Image.fromarray(255 - levels)
    palette.putpalette([255 - level // 3 for level in range(768)])
    printed = Image.frombytes("CMYK", (80, 72), np.dstack([0 * _colour(levels), 255 - levels]).tobytes())
    shallow = levels // 64
    packed = shallow.reshape(72, 20, 4) @ np.uint8([64, 16, 4, 1])
    eight, deep = _as_unit(levels), _as_unit(sixteen, 65535)
    return {
        "PNG grey": (_save(levels, "PNG"), eight, "PNG", 8),
        "PNG colour": (_save(_colour(levels), "PNG"), eight, "PNG", 8),
        "PNG grey with alpha": (_save(with_alpha, "PNG"), eight, "PNG", 8),
        "PNG colour with alpha": (_save(np.dstack([_colour(levels), opaque]), "PNG"), eight, "PNG", 8),
        "PNG palette": (_written(palette, "PNG"), eight, "PNG", 8),
        "PNG 1 bit": (_save(bilevel, "PNG"), _as_unit(bilevel, 1), "PNG", 1),
        "PNG 2 bits": (_raw_png(packed, 0, size=(80, 72), bits=2), _as_unit(shallow, 3), "PNG", 2),
        "PNG 16 bits": (_save(sixteen, "PNG"), deep, "PNG", 16),
        "PNG 16-bit colour": (_raw_png(_colour(sixteen), 2), deep, "PNG", 16),
        "PNG 16 bits with alpha": (_raw_png(deep_alpha, 4), deep, "PNG", 16),
        "PNG 16-bit colour with alpha": (
            _raw_png(np.dstack([_colour(sixteen), deep_alpha[..., 1]]), 6),
            deep,
            "PNG",
            16,
        ),
        "WebP": (_save(levels, "WEBP", lossless=True), eight, "WebP", 8),
        "WebP with alpha": (_save(with_alpha, "WEBP", mode="RGBA", lossless=True), eight, "WebP", 8),
        "TIFF": (_save(levels, "TIFF"), eight, "TIFF", 8),
        "TIFF LZW": (_save(levels, "TIFF", compression="tiff_lzw"), eight, "TIFF", 8),
        "TIFF deflate": (_save(levels, "TIFF", compression="tiff_adobe_deflate"), eight, "TIFF", 8),
        "TIFF packbits": (_save(levels, "TIFF", compression="packbits"), eight, "TIFF", 8),
        "TIFF fax": (_save(bilevel, "TIFF", compression="group4"), _as_unit(bilevel, 1), "TIFF", 1),
        "TIFF colour": (_save(_colour(levels), "TIFF", compression="tiff_lzw"), eight, "TIFF", 8),
        "TIFF CMYK": (_written(printed, "TIFF"), eight, "TIFF", 8),
        "BigTIFF": (_save(levels, "TIFF", big_tiff=True), eight, "TIFF", 8),
        "TIFF little-endian 16 bits": (_tiff(sixteen), deep, "TIFF", 16),
        "TIFF big-endian 16 bits": (_tiff(sixteen, ">"), deep, "TIFF", 16),
        "TIFF big-endian 8 bits": (_tiff(levels, ">"), eight, "TIFF", 8),
        "TIFF 16-bit colour": (_tiff(_colour(sixteen), photometric=2), deep, "TIFF", 16),
        "TIFF big-endian 16-bit colour": (_tiff(_colour(sixteen), ">", photometric=2), deep, "TIFF", 16),
        "TIFF float": (_tiff(fractions), fractions, "TIFF", 32),
        "TIFF big-endian float": (_tiff(fractions, ">"), fractions, "TIFF", 32),
        "TIFF 32 bits": (_tiff(sixteen.astype(np.int32)), deep, "TIFF", 32),
    }
