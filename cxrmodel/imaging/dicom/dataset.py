"""Data set of a DICOM file, read in bounded time and memory.

Only the elements of ``ELEMENTS`` are read; the patient's name, identifiers and all others are skipped.
"""

import zlib
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
import pydicom
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.encaps import generate_fragments
from pydicom.filereader import read_dataset
from pydicom.tag import BaseTag

from cxrmodel.errors import MissingPixelData, UnreadableFile, UnsupportedFile
from cxrmodel.imaging.dicom.elements import ELEMENTS

# Values are validated here: the library's own warnings quote them.
pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE

_TAGS: list[BaseTag | int] = [tag for keyword in ELEMENTS if (tag := tag_for_keyword(keyword)) is not None]

_IMPLICIT, _EXPLICIT, _BIG = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"
_DEFLATED, _ENCAPSULATED_RAW = "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.1.98"
RLE = "1.2.840.10008.1.2.5"
_NATIVE = {_IMPLICIT, _EXPLICIT, _BIG, _DEFLATED}
# JPEG baseline, extended, lossless (two), JPEG-LS (two), JPEG 2000 (two), high-throughput JPEG 2000 (three).
_JPEGS = {f"1.2.840.10008.1.2.4.{number}" for number in (50, 51, 57, 70, 80, 81, 90, 91, 201, 202, 203)}
_LOSSY = {f"1.2.840.10008.1.2.4.{number}" for number in (50, 51, 81, 91, 203)}
SYNTAXES = _NATIVE | {RLE, _ENCAPSULATED_RAW} | _JPEGS

# Fifty million pixels of 16 bits, and room for the rest of the data set.
_MAX_INFLATED = 2 * 50_000_000 + 2**24
# Reads of the parser, several for each element or item; an image has a few hundred elements.
_MAX_READS = 100_000
_MAX_SEQUENCE_BYTES = 2**20
_MAX_ITEMS = 1_000
_MAX_TEXT_BYTES = 256
_PIXEL_DATA = 0x7FE00010
_UNDEFINED = 0xFFFFFFFF


def damaged_dicom() -> UnreadableFile:
    """Build the refusal of a damaged DICOM file."""
    return UnreadableFile("imaging.dicom.damaged")


@dataclass(frozen=True, eq=False, repr=False)
class DataSet:
    """The elements of a DICOM file that may be read.

    Attributes
    ----------
    values : pydicom.Dataset
    syntax : str
        UID of the transfer syntax, one of ``SYNTAXES``.
    little_endian : bool
    """

    values: Dataset
    syntax: str
    little_endian: bool

    @property
    def is_native(self) -> bool:
        """Whether the pixel data are neither compressed nor encapsulated."""
        return self.syntax in _NATIVE

    @property
    def is_encapsulated_raw(self) -> bool:
        """Whether the pixel data are encapsulated without compression, or with an unknown one."""
        return self.syntax == _ENCAPSULATED_RAW

    @property
    def is_lossy(self) -> bool:
        """Whether the compression may be lossy."""
        return self.syntax in _LOSSY

    def text(self, keyword: str) -> str:
        """The first value in capitals; empty where there is none."""
        return next(iter(self.texts(keyword)), "")

    def texts(self, keyword: str) -> list[str]:
        """Every value in capitals."""
        return [str(value).strip().upper() for value in self._items(keyword)]

    def free_text(self, keyword: str) -> str:
        """Every value in one text, in UTF-8 or else in the character set of the file; empty where there is none.

        Devices write accents and other scripts into elements whose values the standard limits to ASCII.
        """
        raw = getattr(self.values.get_item(keyword), "value", None) or ""
        stored = raw if isinstance(raw, bytes) else "\\".join(self.texts(keyword)).encode("latin-1", "replace")
        stated = self.values.original_character_set
        encodings = [stated] if isinstance(stated, str) else list(stated)
        # Character sets that take turns within a text announce themselves by an escape.
        encodings = encodings[::-1] if b"\x1b" in stored else ["utf-8", *encodings]
        for encoding in encodings:
            try:
                return stored[:_MAX_TEXT_BYTES].decode(encoding)
            except (LookupError, UnicodeDecodeError):
                continue
        return stored[:_MAX_TEXT_BYTES].decode("latin-1")

    def numbers(self, keyword: str) -> list[float]:
        """Every value as a finite number; empty unless all are."""
        try:
            values = [float(value) for value in self._items(keyword)]
        except (TypeError, ValueError, OverflowError):
            return []
        return values if np.isfinite(values).all() else []

    def integer(self, keyword: str, default: int) -> int:
        """The first value as an integer; the default where there is none."""
        values = self.numbers(keyword)
        return int(values[0]) if values and values[0] == int(values[0]) else default

    def sequence(self, keyword: str) -> list[Dataset]:
        """Items of a sequence; empty where it is absent."""
        raw = self.values.get_item(keyword)
        value = getattr(raw, "value", None)
        if isinstance(value, bytes) and (
            len(value) > _MAX_SEQUENCE_BYTES
            or value.count(b"\xfe\xff\x00\xe0") + value.count(b"\xff\xfe\xe0\x00") > _MAX_ITEMS
        ):
            raise damaged_dicom()
        items = _value(self.values, keyword)
        return list(items) if isinstance(items, pydicom.Sequence) else []

    def has(self, keyword: str) -> bool:
        """Whether an element is present, empty or not."""
        return keyword in self.values

    def _items(self, keyword: str) -> list[Any]:
        value = _value(self.values, keyword)
        if value is None or isinstance(value, pydicom.Sequence | bytes):
            return []
        return list(value) if isinstance(value, list | pydicom.multival.MultiValue) else [value]

    def pixel_bytes(self) -> tuple[bytes, bool]:
        """Pixel data as stored.

        Returns
        -------
        frame : bytes
            Of one frame, compressed if the transfer syntax is.
        words : bool
            Stored as 16-bit words rather than bytes.

        Raises
        ------
        MissingPixelData
            They are absent or truncated.
        """
        raw: Any = self.values.get_item("PixelData")
        value = getattr(raw, "value", None)
        if not isinstance(value, bytes) or not value:
            raise MissingPixelData("imaging.dicom.no_pixel_data")
        undefined = raw.length == _UNDEFINED
        if not undefined and len(value) < raw.length:
            raise MissingPixelData("imaging.dicom.truncated")
        if undefined == self.is_native:
            raise damaged_dicom()
        if not undefined:
            return value, raw.VR in (None, "OW")
        # The first fragment holds offsets, which one frame does not need.
        _, *fragments = generate_fragments(_Bounded(value))
        return b"".join(fragments), False


def _value(values: Dataset, keyword: str) -> Any:
    """An element's value; None where it is absent, empty, or does not fit its value representation."""
    try:
        element = values.get(keyword) if keyword in values else None
    except Exception:  # the library converts on demand and raises anything on damaged values
        return None
    return None if element == "" else element


def words_of(values: Dataset, keyword: str, little_endian: bool) -> np.ndarray | None:
    """Values of an element of any data set as uint16, however they are encoded; None where there are none."""
    value = _value(values, keyword)
    if isinstance(value, bytes):
        order = "<u2" if little_endian else ">u2"
        return np.frombuffer(value, order, len(value) // 2).astype(np.uint16) if len(value) > 1 else None
    if value is None:
        return None
    try:
        return np.atleast_1d(np.asarray(value, np.int64)).astype(np.uint16)
    except (TypeError, ValueError, OverflowError):
        return None


class _Bounded(BytesIO):
    """A stream that limits how often a parser may read."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self._left = _MAX_READS

    def read(self, size: int | None = -1) -> bytes:
        self._left -= 1
        if self._left < 0:
            raise UnreadableFile("imaging.dicom.too_many_elements")
        return super().read(size)


def open_data_set(data: bytes) -> DataSet:
    """Read the data set of a DICOM file.

    Parameters
    ----------
    data : bytes
        A whole file, with or without preamble and file meta information.

    Returns
    -------
    DataSet

    Raises
    ------
    UnreadableFile
        The file is damaged, or takes too much time or memory.
    UnsupportedFile
        Its transfer syntax is not supported.
    Exception
        Anything that the library raises on damaged bytes.
    """
    start = 132 if data[128:132] == b"DICM" else 0
    stream = _Bounded(data)
    stream.seek(start)
    meta = Dataset()
    if data[start : start + 2] == b"\x02\x00":
        meta = read_dataset(stream, False, True, stop_when=lambda tag, *_: tag >> 16 != 2, specific_tags=_TAGS)
    syntax = str(_value(meta, "TransferSyntaxUID") or "").strip("\0 ")
    position = stream.tell()
    if syntax == _DEFLATED:
        stream, position = _Bounded(_inflated(data[position:])), 0
        stream.seek(0)
    big = data[position : position + 2] == b"\x00\x08" if not syntax else syntax == _BIG
    implicit = syntax == _IMPLICIT or not syntax
    values = read_dataset(stream, implicit, not big, stop_when=lambda tag, *_: tag > _PIXEL_DATA, specific_tags=_TAGS)
    values.update({element.tag: element for element in meta})
    if not syntax:
        raw: Any = values.get_item("PixelData") if "PixelData" in values else None
        encapsulated = raw is not None and raw.length == _UNDEFINED
        syntax = _ENCAPSULATED_RAW if encapsulated else _BIG if big else _EXPLICIT
    if syntax not in SYNTAXES:
        raise UnsupportedFile("imaging.dicom.transfer_syntax")
    return DataSet(values, syntax, not big)


def _inflated(data: bytes) -> bytes:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    whole = inflater.decompress(data, _MAX_INFLATED)
    if not inflater.eof:
        raise damaged_dicom()
    return whole
