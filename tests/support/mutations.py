"""Small files of every format and ways to damage them, for the fuzz tests."""

import gzip
import io
import re
import zipfile
from collections.abc import Callable

import cv2
import numpy as np
from PIL import Image
from pydicom.sequence import Sequence

from tests.support.dicom_files import NATIVE, SYNTAXES, compressed, dicom, lut_item, palette
from tests.support.hostile import HOSTILE

__all__ = ["frames", "hostile_name", "mutated", "seeds", "wrapped"]

_INTERESTING = (0, 1, 2, 3, 7, 8, 15, 16, 31, 32, 63, 64, 127, 128, 192, 216, 217, 218, 254, 255)
_NUMBERS = (0, 1, 2**7, 2**8 - 1, 2**8, 2**15, 2**16 - 1, 2**16, 2**31 - 1, 2**31, 2**32 - 1)


def seeds() -> dict[str, bytes]:
    """Small undamaged files of every format, by name."""
    rows, columns = np.mgrid[0:72, 0:90]
    grain = np.random.default_rng(0).integers(0, 9, rows.shape)
    levels = np.uint8(np.clip(rows + 2 * columns * 0.8 + grain, 0, 255))
    deep = levels.astype(np.uint16) * 16 + 7
    made = _pictures(levels, deep)
    for name in SYNTAXES:
        bits = 8 if name in _EIGHT_BITS else 12
        made[f"DICOM {name}"] = dicom(levels if bits == 8 else deep, name, bits=bits)
        made[f"DICOM {_COLOUR}{name}"] = dicom(np.dstack([levels] * 3), name)
    made["DICOM palette"] = dicom(levels, **palette(np.arange(256) * 257))
    made["DICOM signed"] = dicom(deep.astype(np.int16) - 2048, bits=12, WindowCenter=100, WindowWidth=900)
    made["DICOM bare"] = dicom(levels, "implicit", preamble=None, meta=False)
    made["DICOM progressive"] = dicom(levels, "JPEG baseline", frame=_even(_saved(levels, "JPEG", progressive=True)))
    made["DICOM JPEG of 16 bits"] = dicom(
        deep, "JPEG lossless", frame=_even(compressed(deep * 15, "JPEG lossless", 16))
    )
    table = Sequence([lut_item(0, np.arange(256), 8)])
    made["DICOM tables"] = dicom(
        levels,
        "implicit",
        ModalityLUTSequence=Sequence([lut_item(0, np.arange(256), 8)]),
        VOILUTSequence=table,
        PixelSpacing=[0.2, 0.25],
        PatientOrientation=["R", "F"],
        PixelPaddingValue=3,
    )
    made["DICOM padding"] = dicom(
        np.where(rows < 9, 4095, deep).astype(np.uint16),
        bits=12,
        PhotometricInterpretation="MONOCHROME1",
        PixelPaddingValue=4095,
        PixelPaddingRangeLimit=4000,
    )
    made["DICOM wide window"] = dicom(deep, bits=12, WindowCenter=[4096, 100], WindowWidth=[8192, 50])
    made["DICOM short table"] = dicom(
        deep, bits=12, VOILUTSequence=Sequence([lut_item(0, np.arange(4096) * 8, 16), lut_item(9, [1, 2], 16)])
    )
    made["DICOM free text"] = dicom(
        levels, Modality="DX\\CR", BodyPartExamined="T\u00d3RAX", ViewPosition="AP FLAT", ProtocolName="CHEST 1 VIEW"
    )
    made["DICOM without delimiter"] = made["DICOM JPEG 2000 lossless"][:-8]
    return made


def wrapped(frame: bytes, name: str) -> bytes:
    """A valid DICOM image around a compressed frame of a syntax of `dicom_files`."""
    syntax = name.removeprefix(_COLOUR)
    bits = 8 if name in _EIGHT_BITS or syntax != name else 12
    samples = np.zeros((72, 90) if syntax == name else (72, 90, 3), np.uint8 if bits == 8 else np.uint16)
    return dicom(samples, syntax, bits=bits, frame=_even(frame))


def frames() -> dict[str, bytes]:
    """One compressed frame of every such syntax, by its name, and one in colour."""
    rows, columns = np.mgrid[0:72, 0:90]
    levels = np.uint8(np.clip(rows + 1.6 * columns + np.random.default_rng(0).integers(0, 9, rows.shape), 0, 255))
    deep = levels.astype(np.uint16) * 16
    names = [name for name in SYNTAXES if name not in NATIVE]
    grey = {name: compressed(levels, name, 8) if name in _EIGHT_BITS else compressed(deep, name, 12) for name in names}
    return grey | {_COLOUR + name: compressed(np.dstack([levels] * 3), name, 8) for name in names}


_COLOUR = "colour "
_EIGHT_BITS = ("JPEG baseline", "fragments")


def _even(frame: bytes) -> bytes:
    """Of even length, and long enough to be cut into fragments."""
    return (frame + b"\0" * (len(frame) % 2)).ljust(16, b"\0")


def _saved(samples: np.ndarray, file_format: str, mode: str | None = None, **options) -> bytes:
    image, out = Image.fromarray(samples), io.BytesIO()
    (image.convert(mode) if mode else image).save(out, file_format, **options)
    return out.getvalue()


def _pictures(levels: np.ndarray, deep: np.ndarray) -> dict[str, bytes]:
    exif = Image.Exif()
    exif[274], exif[270] = 6, "image"
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("image.png", _saved(levels, "PNG"))
    with_alpha = np.dstack([levels, 255 - levels])
    return {
        "JPEG": _saved(levels, "JPEG", exif=exif),
        "JPEG colour": _saved(levels, "JPEG", mode="RGB", progressive=True),
        "PNG": _saved(levels, "PNG"),
        "PNG alpha": _saved(with_alpha, "PNG"),
        "PNG palette": _saved(levels, "PNG", mode="P"),
        "PNG deep": cv2.imencode(".png", deep)[1].tobytes(),
        "PNG deep colour": cv2.imencode(".png", np.dstack([deep] * 3))[1].tobytes(),
        "TIFF": _saved(levels, "TIFF", exif=exif),
        "TIFF LZW": _saved(levels, "TIFF", compression="tiff_lzw"),
        "TIFF deflate": _saved(levels, "TIFF", mode="RGB", compression="tiff_adobe_deflate"),
        "TIFF packbits": _saved(levels, "TIFF", compression="packbits"),
        "TIFF fax": _saved(levels > 127, "TIFF", compression="group4"),
        "TIFF JPEG": _saved(levels, "TIFF", compression="jpeg"),
        "TIFF big": _saved(levels, "TIFF", big_tiff=True),
        "PNG range": _saved(deep // 2 + 500, "PNG"),
        "PNG marker": _saved(np.where(levels > 250, 65535, deep // 2).astype(np.uint16), "PNG"),
        "TIFF range": cv2.imencode(".tiff", deep // 2 + 500)[1].tobytes(),
        "TIFF deep colour": cv2.imencode(".tiff", np.dstack([deep] * 3))[1].tobytes(),
        "TIFF preview": _saved(
            levels, "TIFF", save_all=True, append_images=[Image.fromarray(np.ascontiguousarray(levels[::3, ::3]))]
        ),
        "JPEG preview": _saved(levels, "JPEG") + _saved(np.ascontiguousarray(levels[::3, ::3]), "JPEG"),
        "JPEG without end": _saved(levels, "JPEG")[:-2],
        "PNG and more": _saved(levels, "PNG") + b"more",
        "TIFF deep": cv2.imencode(".tiff", deep)[1].tobytes(),
        "WebP": _saved(levels, "WEBP", mode="RGB"),
        "WebP lossless": _saved(levels, "WEBP", mode="RGBA", lossless=True),
        "ZIP": archive.getvalue(),
        "gzip": gzip.compress(_saved(levels, "PNG"), mtime=0),
        "PDF": b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n",
        "text": b"file,label\nimage.png,NORMAL\n" * 20,
        "GIF": _saved(levels, "GIF"),
        "JPEG 2000": _saved(levels, "JPEG2000"),
    }


def mutated(rng: np.random.Generator, files: list[bytes]) -> bytes:
    """Damage one of some files in one to six ways, its beginning above all.

    Parameters
    ----------
    rng : Generator
    files : list of bytes

    Returns
    -------
    bytes
    """
    data = bytearray(files[rng.integers(len(files))])
    for _ in range(1 + int(rng.geometric(0.5)) % 6):
        way = _WAYS[rng.integers(len(_WAYS))]
        data = way(rng, data, files)
    return bytes(data)


def _place(rng: np.random.Generator, data: bytearray) -> int:
    """Somewhere in the file: near its start, near a header within it, near its end, or anywhere."""
    kind = rng.integers(4)
    if kind == 0:
        return int(rng.integers(min(len(data), 300) + 1))
    if kind == 1:
        marks = [data.find(mark) for mark in _MARKS]
        marks = [mark for mark in marks if mark >= 0]
        if marks:
            return min(len(data), marks[rng.integers(len(marks))] + int(rng.integers(64)))
    if kind == 2:
        return max(0, len(data) - int(rng.integers(1, 100)))
    return int(rng.integers(len(data) + 1))


# Where headers begin within a file: markers of JPEG and JPEG 2000, chunks of PNG, elements of DICOM.
_MARKS = (
    b"\xff\xc0", b"\xff\xc1", b"\xff\xc2", b"\xff\xc3", b"\xff\xc4", b"\xff\xda", b"\xff\xf7", b"\xff\x51", b"\xff\x52",
    b"\xff\x90", b"\xff\x50", b"IDAT", b"IHDR", b"VP8", b"\x28\0\x02\0", b"\x28\0\x10\0", b"\x28\0\0\1",
    b"\xe0\x7f\x10\0", b"\xfe\xff\0\xe0", b"\x02\0\x10\0", b"\x28\0\x50\x10", b"\x28\0\x10\x30",
)  # fmt: skip


def _flip(rng: np.random.Generator, data: bytearray, files: list[bytes]) -> bytearray:
    place = _place(rng, data)
    if place < len(data):
        data[place] ^= 1 << int(rng.integers(8))
    return data


def _overwrite(rng: np.random.Generator, data: bytearray, files: list[bytes]) -> bytearray:
    place = _place(rng, data)
    if place < len(data):
        data[place] = _INTERESTING[rng.integers(len(_INTERESTING))]
    return data


def _number(rng: np.random.Generator, data: bytearray, files: list[bytes]) -> bytearray:
    place, size = _place(rng, data), (2, 4)[rng.integers(2)]
    value = _NUMBERS[rng.integers(len(_NUMBERS))] % 2 ** (8 * size)
    if place + size <= len(data):
        data[place : place + size] = value.to_bytes(size, ("little", "big")[rng.integers(2)])
    return data


def _noise(rng: np.random.Generator, data: bytearray, files: list[bytes]) -> bytearray:
    place = _place(rng, data)
    data[place : place + int(rng.integers(16))] = rng.bytes(int(rng.integers(16)))
    return data


def _cut(rng: np.random.Generator, data: bytearray, files: list[bytes]) -> bytearray:
    place = _place(rng, data)
    del data[place : place + int(rng.integers(1, 200))]
    return data


def _repeat(rng: np.random.Generator, data: bytearray, files: list[bytes]) -> bytearray:
    place, size = _place(rng, data), int(rng.integers(1, 64))
    data[place:place] = data[place : place + size] * int(rng.integers(1, 40))
    return data


def _end(rng: np.random.Generator, data: bytearray, files: list[bytes]) -> bytearray:
    return data[: _place(rng, data)]


def _splice(rng: np.random.Generator, data: bytearray, files: list[bytes]) -> bytearray:
    other = files[rng.integers(len(files))]
    place, start = _place(rng, data), int(rng.integers(len(other) + 1))
    data[place : place + int(rng.integers(200))] = other[start : start + int(rng.integers(400))]
    return data


# An explicit element of a DICOM file: tag, value representation, length.
_ELEMENT = re.compile(rb"[\x02\x08\x10\x18\x20\x28]\0..([A-Z]{2})(..)", re.DOTALL)
_TEXTS = (
    *(b"CHEST", b"TH\xd3RAX", b"UNKNOWN", b"CR\\DX", b"LATERAL", b"KNEE", b"AP FLAT PLATE", b"", b"\\" * 40, b"1e400"),
    *(b"-0", b"nan", b"1\\" * 3000, b"9" * 60_000, b"\xff\xfe", b"\x1b$B", "\u80f8\u90e8".encode(), b"\0" * 1000),
)


def _element(rng: np.random.Generator, data: bytearray, files: list[bytes]) -> bytearray:
    """Give an element another length without another value, or another value with its length."""
    found = list(_ELEMENT.finditer(data))
    if not found:
        return _number(rng, data, files)
    element = found[rng.integers(len(found))]
    start, end = element.span(2)
    old = int.from_bytes(element[2], "little")
    if rng.random() < 0.3:
        data[start:end] = (int(_NUMBERS[rng.integers(len(_NUMBERS))]) % 65536).to_bytes(2, "little")
        return data
    text = _TEXTS[rng.integers(len(_TEXTS))]
    text += b" " * (len(text) % 2)
    data[start : end + old] = len(text).to_bytes(2, "little") + text
    return data


# Latin, Hebrew and Arabic, punctuation with its controls, bytes that are no UTF-8, pictographs.
_BLOCKS = (0, 0x250), (0x590, 0x700), (0x2000, 0x2100), (0xDC80, 0xDD00), (0x1F000, 0x1F700)


def hostile_name(rng: np.random.Generator) -> str:
    """A file name of pieces of names that try to be more, and of any characters, surrogates of bytes included."""
    names = list(HOSTILE.values())
    pieces = []
    for _ in range(rng.integers(1, 5)):
        name = names[rng.integers(len(names))]
        start = int(rng.integers(len(name)))
        pieces.append(name[start : start + int(rng.integers(1, 60))])
        low, high = _BLOCKS[rng.integers(len(_BLOCKS))]
        pieces.append("".join(map(chr, rng.integers(low, high, rng.integers(0, 6)))))
    return "".join(pieces)


_WAYS: tuple[Callable, ...] = (
    _flip, _flip, _flip, _overwrite, _overwrite, _number, _number, _noise, _cut, _repeat, _end, _splice,
    _element, _element,
)  # fmt: skip
