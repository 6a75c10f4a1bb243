"""Bytes -> data set of a DICOM file, in bounded time and memory, and without a word about its contents.

Only the elements of `dicom_elements` are ever looked at: the patient's name, number and all else are skipped unread.
"""

import zlib
from dataclasses import dataclass
from io import BytesIO

import numpy as np
import pydicom
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.encaps import generate_fragments
from pydicom.filereader import read_dataset

from cxrmodel.errors import MissingPixelData, UnreadableFile, UnsupportedFile
from cxrmodel.imaging.dicom.elements import ELEMENTS

__all__ = ["RLE", "SYNTAXES", "DataSet", "open_data_set", "unreadable", "words_of"]

# Values are taken as they stand and judged here; the library's own remarks on them quote them.
pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE

_TAGS = [tag_for_keyword(keyword) for keyword in ELEMENTS]

_IMPLICIT, _EXPLICIT, _BIG = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"
_DEFLATED, _ENCAPSULATED_RAW = "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.1.98"
RLE = "1.2.840.10008.1.2.5"
_NATIVE = {_IMPLICIT, _EXPLICIT, _BIG, _DEFLATED}
# JPEG baseline, extended, lossless (two), JPEG-LS (two), JPEG 2000 (two), high-throughput JPEG 2000 (three).
_JPEGS = {f"1.2.840.10008.1.2.4.{number}" for number in (50, 51, 57, 70, 80, 81, 90, 91, 201, 202, 203)}
_LOSSY = {f"1.2.840.10008.1.2.4.{number}" for number in (50, 51, 81, 91, 203)}
SYNTAXES = _NATIVE | {RLE, _ENCAPSULATED_RAW} | _JPEGS

# Fifty million pixels of 16 bits, and room for the rest of the data set.
_MOST_INFLATED = 2 * 50_000_000 + 2**24
# Elements and items that are followed. An image has some hundreds; each takes the parser several reads.
_MOST_READS = 100_000
_MOST_BYTES_OF_SEQUENCE = 2**20
_MOST_ITEMS = 1_000
_PIXEL_DATA = 0x7FE00010
_UNDEFINED = 0xFFFFFFFF


def unreadable() -> UnreadableFile:
    """Build the refusal of a damaged DICOM file."""
    return UnreadableFile(
        "This DICOM file is broken or incomplete: send it again from the archive, or export the image as an 8- or "
        "16-bit greyscale PNG."
    )


@dataclass(frozen=True, eq=False, repr=False)
class DataSet:
    """The elements of a DICOM file that may be looked at.

    Attributes
    ----------
    values : pydicom.Dataset
    syntax : str
        UID of the transfer syntax, one that is read.
    little : bool
        Byte order of numbers.
    """

    values: Dataset
    syntax: str
    little: bool

    @property
    def is_native(self) -> bool:
        """Whether pixel data are neither compressed nor in fragments."""
        return self.syntax in _NATIVE

    @property
    def is_encapsulated_raw(self) -> bool:
        """Whether pixel data are in fragments without compression, or of a compression that is not named."""
        return self.syntax == _ENCAPSULATED_RAW

    @property
    def is_lossy(self) -> bool:
        """Whether the syntax allows values to differ from those that were compressed."""
        return self.syntax in _LOSSY

    def text(self, keyword: str) -> str:
        """The first value as capitals; empty where there is none."""
        first = self._items(keyword)[:1]
        return str(first[0]).strip().upper() if first else ""

    def texts(self, keyword: str) -> list[str]:
        """Every value as capitals."""
        return [str(value).strip().upper() for value in self._items(keyword)]

    def numbers(self, keyword: str) -> list[float]:
        """Every value as a finite number; none where any is not."""
        try:
            values = [float(value) for value in self._items(keyword)]
        except (TypeError, ValueError, OverflowError):
            return []
        return values if np.isfinite(values).all() else []

    def integer(self, keyword: str, default: int | None = None) -> int | None:
        """The first value as a whole number; the default where there is none."""
        values = self.numbers(keyword)
        return int(values[0]) if values and values[0] == int(values[0]) else default

    def words(self, keyword: str) -> np.ndarray | None:
        """Values of 16 bits as uint16, however they are encoded; None where there are none."""
        return words_of(self.values, keyword, self.little)

    def sequence(self, keyword: str) -> list[Dataset]:
        """Items of a sequence; none where it is absent or unreasonably large."""
        raw = self.values.get_item(keyword)
        value = getattr(raw, "value", None)
        if isinstance(value, bytes) and (
            len(value) > _MOST_BYTES_OF_SEQUENCE
            or value.count(b"\xfe\xff\x00\xe0") + value.count(b"\xff\xfe\xe0\x00") > _MOST_ITEMS
        ):
            raise unreadable()
        items = _value(self.values, keyword)
        return list(items) if isinstance(items, pydicom.Sequence) else []

    def has(self, keyword: str) -> bool:
        """Whether an element is present, empty or not."""
        return keyword in self.values

    def _items(self, keyword: str) -> list:
        value = _value(self.values, keyword)
        if value is None or isinstance(value, pydicom.Sequence | bytes):
            return []
        return list(value) if isinstance(value, list | pydicom.multival.MultiValue) else [value]

    def pixel_bytes(self) -> tuple[bytes, bool]:
        """Pixel data as stored.

        Returns
        -------
        frame : bytes
            Of one frame, still compressed if the transfer syntax says so.
        words : bool
            They are words of 16 bits rather than bytes.

        Raises
        ------
        MissingPixelData
            There are none, or they end early.
        """
        raw = self.values.get_item("PixelData")
        value = getattr(raw, "value", None)
        if not isinstance(value, bytes) or not value:
            raise MissingPixelData(
                "This DICOM file holds no pixel data, or they end early: send it again from the archive."
            )
        undefined = raw.length == _UNDEFINED
        if not undefined and len(value) < raw.length:
            raise MissingPixelData("The pixel data of this DICOM file end early: send it again from the archive.")
        if undefined == self.is_native:
            raise unreadable()
        if not undefined:
            return value, raw.VR in (None, "OW")
        _, *fragments = generate_fragments(_Bounded(value))  # the first holds offsets, which one frame does not need
        return b"".join(fragments), False


def _value(values: Dataset, keyword: str):
    """An element's value; None where it is absent, empty, or not what its type demands."""
    try:
        element = values.get(keyword) if keyword in values else None
    except Exception:  # The library converts on demand and raises whatever it likes on damaged values.
        return None
    return None if element == "" else element


def words_of(values: Dataset, keyword: str, little: bool) -> np.ndarray | None:
    """Values of 16 bits in any data set, as uint16, however they are encoded; None where there are none."""
    value = _value(values, keyword)
    if isinstance(value, bytes):
        order = "<u2" if little else ">u2"
        return np.frombuffer(value, order, len(value) // 2).astype(np.uint16) if len(value) > 1 else None
    if value is None:
        return None
    try:
        return np.atleast_1d(np.asarray(value, np.int64)).astype(np.uint16)
    except (TypeError, ValueError, OverflowError):
        return None


class _Bounded(BytesIO):
    """A stream that gives up on a parser that asks too often."""

    def __init__(self, data: bytes):
        super().__init__(data)
        self._left = _MOST_READS

    def read(self, size: int | None = -1) -> bytes:
        self._left -= 1
        if self._left < 0:
            raise UnreadableFile(
                "This DICOM file holds far more elements than an image needs: drop the image itself, or export it as an "
                "8- or 16-bit greyscale PNG."
            )
        return super().read(size)


def open_data_set(data: bytes) -> DataSet:
    """Read the elements of a DICOM file that may be looked at.

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
        The file is broken, or takes unreasonable time or room.
    UnsupportedFile
        It is encoded in a way that is not read here.
    """
    try:
        return _opened(data)
    except (UnreadableFile, UnsupportedFile):
        raise
    except Exception as error:  # The library raises whatever it likes on damaged bytes.
        raise unreadable() from error


def _opened(data: bytes) -> DataSet:
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
        syntax = _guessed(values, big)
    if syntax not in SYNTAXES:
        raise UnsupportedFile(
            "The pixels of this DICOM file are stored in a way that is not read here: send it again uncompressed or "
            "as JPEG, or export the image as an 8- or 16-bit greyscale PNG."
        )
    return DataSet(values, syntax, not big)


def _guessed(values: Dataset, big: bool) -> str:
    """The transfer syntax of a file that does not name it."""
    raw = values.get_item("PixelData") if "PixelData" in values else None
    if raw is not None and raw.length == _UNDEFINED:
        return _ENCAPSULATED_RAW
    return _BIG if big else _EXPLICIT


def _inflated(data: bytes) -> bytes:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    whole = inflater.decompress(data, _MOST_INFLATED)
    if not inflater.eof:
        raise unreadable()
    return whole
