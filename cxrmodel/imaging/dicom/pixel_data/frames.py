"""Pixel data of a DICOM file as stored: one frame, and what it is by its own content (PS3.5 annex A.4).

The transfer syntax says how pixel data are stored. Files come with another one than it says, without delimiters, with
wrong lengths. A frame is taken where its content leaves no doubt: a codestream by its signature, run lengths by their
header, native pixels by their number.
"""

import struct
from dataclasses import dataclass

from cxrmodel.errors import MissingPixelData, MultipleImages, UnreadableFile, UnsupportedFile
from cxrmodel.imaging.dicom.dataset import CODESTREAMS, ENCAPSULATED_RAW, KNOWN, NATIVE, RLE, DataSet
from cxrmodel.imaging.dicom.parser import PIXEL_DATA, UNDEFINED
from cxrmodel.imaging.dicom.pixel_data.codestreams import Codestream, is_codestream, read_codestream
from cxrmodel.messages import Message

_TRUNCATED = "imaging.dicom.truncated"
_IRREGULAR = Message("imaging.dicom.irregular")
_ITEMS = {b"\xfe\xff\x00\xe0": "<", b"\xff\xfe\xe0\x00": ">"}
_DELIMITERS = {b"\xfe\xff\xdd\xe0", b"\xff\xfe\xe0\xdd"}
_MAX_FRAGMENTS = 50_000
# The first group that may follow the pixel data: private ones, digital signatures, padding.
_NEXT_GROUP = 0x7FE1


@dataclass(frozen=True, eq=False)
class Frame:
    """One frame of pixel data.

    Attributes
    ----------
    data : memoryview
        Stored bytes.
    codestream : Codestream or None
        The compressed image; None where the data are run lengths or native.
    run_lengths : bool
    words : bool
        Native samples are stored in 16-bit words rather than bytes.
    notes : tuple of Message
        Of the data set and of the pixel data.
    """

    data: memoryview
    codestream: Codestream | None
    run_lengths: bool
    words: bool
    notes: tuple[Message, ...]


def read_frame(data: DataSet, size: int, planes: int) -> Frame:
    """Take out the one frame of a file.

    Parameters
    ----------
    data : DataSet
    size : int
        Bytes of a native frame.
    planes : int
        Segments of a frame in run lengths: bytes of a pixel.

    Raises
    ------
    ImageRefused
        The pixel data are missing, truncated, of several frames, or of no kind that is known.
    """
    element = data.elements.get(PIXEL_DATA)
    if element is None or not element.length or element.start >= len(data.parser.data):
        raise MissingPixelData("imaging.dicom.no_pixel_data")
    stored = memoryview(data.parser.data)[element.start :]
    length = len(stored) if element.length == UNDEFINED else element.length
    native = element.length != UNDEFINED and data.syntax in NATIVE and length >= size
    frame, rest = stored[:length], stored[length:]
    notes = list(data.notes)
    encapsulated = not native and bytes(stored[:4]) in _ITEMS
    if encapsulated:
        frame, left, regular = _joined(frame)
        rest = left or rest
        notes += [] if regular else [_IRREGULAR]
    codestream = read_codestream(bytes(frame)) if not native and is_codestream(bytes(frame[:12])) else None
    run_lengths = not native and codestream is None and _has_run_lengths(frame, planes)
    if codestream:
        fitting = CODESTREAMS
        notes += [] if codestream.ended else [Message("imaging.note.no_end")]
    elif run_lengths:
        fitting = {RLE}
    else:
        fitting = {ENCAPSULATED_RAW} if encapsulated else NATIVE
        _check_native(data, len(frame), size, len(frame) if encapsulated else length)
        if element.length == UNDEFINED and not encapsulated:
            frame, rest = frame[:size], frame[size:]
            notes.append(_IRREGULAR)
        elif length > len(stored) and not encapsulated:
            notes.append(_IRREGULAR)
        elif len(frame) > size + size % 2:
            notes.append(Message("imaging.dicom.surplus_pixel_data"))
    if data.syntax and data.syntax not in fitting:
        notes.append(Message("imaging.dicom.syntax_contradiction"))
    if _is_foreign(rest, data.little_endian):
        notes.append(Message("imaging.note.surplus"))
    words = element.vr in (None, "OW") and not encapsulated
    return Frame(frame, codestream, run_lengths, words, tuple(dict.fromkeys(notes)))


def _check_native(data: DataSet, present: int, size: int, stated: int) -> None:
    """Refuse what is neither compressed nor as many native pixels as the size requires."""
    if data.syntax not in KNOWN | {""}:
        raise UnsupportedFile("imaging.dicom.transfer_syntax")
    contradicts = data.syntax in CODESTREAMS | {RLE}
    if contradicts and not size <= present <= size + 1:
        raise UnreadableFile("imaging.dicom.damaged_codestream")
    if present < size or present < stated > size + 1:
        raise MissingPixelData(_TRUNCATED)


def _joined(value: memoryview) -> tuple[memoryview, memoryview, bool]:
    """Join the fragments of a frame.

    Returns
    -------
    frame, rest : memoryview
        The rest is what follows the fragments and their delimiter.
    regular : bool
        Offset table and delimiter are there, and the last fragment is whole.
    """
    fragments: list[memoryview] = []
    position, order, regular = 0, _ITEMS[bytes(value[:4])], False
    while position + 8 <= len(value) and len(fragments) <= _MAX_FRAGMENTS:
        mark, (length,) = bytes(value[position : position + 4]), struct.unpack_from(f"{order}I", value, position + 4)
        if mark in _DELIMITERS:
            position, regular = position + 8, True
            break
        if mark not in _ITEMS:
            break
        fragments.append(value[position + 8 : position + 8 + length])
        position += 8 + length
    if len(fragments) > _MAX_FRAGMENTS:
        raise UnreadableFile("imaging.dicom.too_many_elements")
    table, *others = fragments
    if is_codestream(bytes(table[:12])) or len(table) > 4 * len(others):
        # A fragment takes the place of the offset table, of which each frame has four bytes.
        others, regular = fragments, False
    if sum(is_codestream(bytes(fragment[:12])) for fragment in others) > 1:
        raise MultipleImages("imaging.dicom.multiple_frames")
    return memoryview(b"".join(others)), value[position:], regular


def _has_run_lengths(frame: memoryview, planes: int) -> bool:
    """Whether a frame begins with the header of run lengths (annex G.5): segments in order, and no more than planes."""
    if len(frame) < 64:
        return False
    number, *offsets = struct.unpack_from("<16I", frame)
    starts = offsets[:planes]
    return number == planes and starts[0] >= 64 and [*starts, len(frame)] == sorted([*starts, len(frame)])


def _is_foreign(rest: memoryview, little_endian: bool) -> bool:
    """Whether something other than later elements and padding follows the pixel data."""
    if not bytes(rest).strip(b"\0"):
        return False
    if len(rest) < 8:
        return not any(mark.startswith(bytes(rest)) for mark in _DELIMITERS)
    return bool(struct.unpack_from("<H" if little_endian else ">H", rest)[0] < _NEXT_GROUP)
