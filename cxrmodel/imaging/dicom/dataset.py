"""Data set of a DICOM file, read in bounded time and memory.

Only the elements of ``ELEMENTS`` are read; the patient's name, identifiers and all others are skipped.
"""

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pydicom
from pydicom.charset import convert_encodings
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataset import Dataset

from cxrmodel.errors import UnreadableFile
from cxrmodel.imaging.dicom.elements import ELEMENTS, ITEM_ELEMENTS, MENTIONED, TABLES
from cxrmodel.imaging.dicom.parser import Element, Parser, damaged_dicom
from cxrmodel.imaging.formats.dicom import ENCODINGS, MIN_ELEMENTS, leading_elements, start_of
from cxrmodel.messages import Message

# Values are validated here: the library's own warnings quote them.
pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE

_IMPLICIT, _EXPLICIT, _BIG = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"
_DEFLATED, ENCAPSULATED_RAW = "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.1.98"
RLE = "1.2.840.10008.1.2.5"
NATIVE = {_IMPLICIT, _EXPLICIT, _BIG, _DEFLATED}
# JPEG baseline, extended, lossless (two), JPEG-LS (two), JPEG 2000 (two), high-throughput JPEG 2000 (three).
CODESTREAMS = {f"1.2.840.10008.1.2.4.{number}" for number in (50, 51, 57, 70, 80, 81, 90, 91, 201, 202, 203)}
KNOWN = NATIVE | CODESTREAMS | {RLE, ENCAPSULATED_RAW}
LOSSY = {f"1.2.840.10008.1.2.4.{number}" for number in (50, 51, 81, 91, 203)}

# No more than an uncompressed file may have.
_MAX_INFLATED = 2**26
# Bytes of a value before it is converted, of one of a table, and of one that is only looked at.
_MAX_VALUE, _MAX_TABLE = 1024, 2 * 65536
_MAX_ITEMS = 1_000
_MAX_TEXT_BYTES = 256


def _tags(keywords: Iterable[str]) -> dict[int, str]:
    return {tag: keyword for keyword in keywords if (tag := tag_for_keyword(keyword)) is not None}


_KEYWORDS, _ITEM_KEYWORDS = _tags(ELEMENTS), _tags(ITEM_ELEMENTS)


@dataclass(frozen=True, eq=False, repr=False)
class DataSet:
    """The elements of a DICOM file that may be read.

    Attributes
    ----------
    values : pydicom.Dataset
        Those that are neither sequences nor pixel data.
    elements : dict of int to Element
        All of them, by tag.
    parser : Parser
        Of the bytes that they are in.
    syntax : str
        UID of the transfer syntax as stated; empty where none is.
    notes : tuple of Message
    """

    values: Dataset
    elements: dict[int, Element]
    parser: Parser
    syntax: str
    notes: tuple[Message, ...]

    @property
    def little_endian(self) -> bool:
        """Byte order of the elements."""
        return self.parser.little_endian

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
                text = stored[:_MAX_TEXT_BYTES].decode(encoding)
                text.encode()  # some codecs give surrogates, which nothing can write
                return text
            except (LookupError, ValueError):  # a NUL in the name of an encoding, too
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
        element = self.elements.get(tag_for_keyword(keyword) or 0)
        items = self.parser.items(element) if element and element.vr in (None, "SQ", "UN") else []
        if len(items) > _MAX_ITEMS:
            raise UnreadableFile("imaging.dicom.too_many_elements")
        return [_converted(self.parser, item, _ITEM_KEYWORDS) for item in items]

    def has(self, keyword: str) -> bool:
        """Whether an element is present, empty or not."""
        return tag_for_keyword(keyword) in self.elements

    def _items(self, keyword: str) -> list[Any]:
        value = _value(self.values, keyword)
        if value is None or isinstance(value, pydicom.Sequence | bytes):
            return []
        return list(value) if isinstance(value, list | pydicom.multival.MultiValue) else [value]


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


def open_data_set(data: bytes) -> DataSet:
    """Find the data set of a DICOM file.

    Where the transfer syntax contradicts the way in which the elements are encoded, the elements count.

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
    Exception
        Anything that the library raises on damaged bytes.
    """
    position, meta = start_of(data) or 0, Dataset()
    if data[position : position + 2] in (b"\2\0", b"\0\2"):
        parser = Parser(data, *_encoding(data, position, (False, True)))
        found = parser.elements(position, len(data), _META_GROUP)
        meta, position = _converted(parser, found, _KEYWORDS), parser.position
    syntax = str(_value(meta, "TransferSyntaxUID") or "").strip("\0 ")
    notes = []
    stated = (syntax in ("", _IMPLICIT), syntax != _BIG)
    encoding = _encoding(data, position, stated)
    inflated = _inflated(data, position, syntax, encoding)
    if inflated is not None:
        data, position = inflated, 0
        encoding = _encoding(data, position, stated)
    if (syntax and encoding != stated) or (inflated is None) is (syntax == _DEFLATED):
        notes.append(Message("imaging.dicom.syntax_contradiction"))
    parser = Parser(data, *encoding)
    elements = parser.elements(position, len(data))
    values = _converted(parser, elements, _KEYWORDS)
    values.update(meta)
    if parser.missing_delimiter:
        notes.append(Message("imaging.dicom.irregular"))
    return DataSet(values, elements, parser, syntax, tuple(notes))


_META_GROUP = 2


def _encoding(data: bytes, position: int, stated: tuple[bool, bool]) -> tuple[bool, bool]:
    """The stated encoding, unless another one fits the next elements better."""
    return max((stated, *ENCODINGS), key=lambda encoding: leading_elements(data, position, *encoding))


def _inflated(data: bytes, position: int, syntax: str, encoding: tuple[bool, bool]) -> bytes | None:
    """The data set after inflation, with or without the header of a zlib stream; None where it is not compressed."""
    if leading_elements(data, position, *encoding) >= (MIN_ELEMENTS if syntax == _DEFLATED else 1):
        return None
    for window in (-zlib.MAX_WBITS, zlib.MAX_WBITS):
        inflater = zlib.decompressobj(window)
        try:
            whole = inflater.decompress(data[position:], _MAX_INFLATED)
        except zlib.error:
            continue
        if inflater.eof and any(leading_elements(whole, 0, *option) for option in ENCODINGS):
            return whole
        if inflater.unconsumed_tail and syntax == _DEFLATED:
            raise UnreadableFile("imaging.dicom.inflated", limit=_MAX_INFLATED // 2**20)
    if syntax == _DEFLATED:
        raise damaged_dicom()
    return None


def _converted(parser: Parser, elements: dict[int, Element], keywords: dict[int, str]) -> Dataset:
    """The elements with these keywords, but sequences and those that are only mentioned."""
    values = Dataset()
    for tag, element in elements.items():
        keyword = keywords.get(tag, "")
        if keyword and keyword not in MENTIONED and "SQ" not in (element.vr, dictionary_VR(tag)):
            values[tag] = parser.raw(element, _MAX_TABLE if keyword in TABLES else _MAX_VALUE)
    try:
        charset = convert_encodings(_value(values, "SpecificCharacterSet"))
    except Exception:  # the library raises anything on damaged values
        charset = ["iso8859"]
    values.set_original_encoding(parser.implicit, parser.little_endian, charset)
    return values
