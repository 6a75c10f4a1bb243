"""DICOM images in square pixels, upright, air dark.

Importing this module imports the DICOM library and its decoders, so import it only for bytes that are DICOM.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np

from cxrmodel.errors import ImageRefused
from cxrmodel.imaging.dicom.dataset import DataSet, damaged_dicom, open_data_set
from cxrmodel.imaging.dicom.header import ImageAttributes, PixelDescription, read_attributes
from cxrmodel.imaging.dicom.pixels import stored_values
from cxrmodel.imaging.dicom.voi import grey_levels, greyscale_transform
from cxrmodel.imaging.formats.image_format import DecodedImage, Header, Metadata
from cxrmodel.messages import Message

__all__ = ["DicomHeader", "decode_dicom", "read_dicom_header"]

_MAX_ASPECT = 1e6

_Argument = TypeVar("_Argument")
_Result = TypeVar("_Result")


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class DicomHeader(Header):
    """A DICOM file that its attributes do not rule out, not decoded yet.

    Attributes
    ----------
    data : DataSet
    description : PixelDescription
    attributes : ImageAttributes
    square : (int, int)
        Width and height in square pixels.
    """

    data: DataSet
    description: PixelDescription
    attributes: ImageAttributes
    square: tuple[int, int]

    @property
    def sizes(self) -> tuple[tuple[int, int], ...]:
        """Width and height as stored and in square pixels."""
        return (self.width, self.height), self.square


def read_dicom_header(data: bytes) -> DicomHeader:
    """Read the attributes of a DICOM file and refuse what they rule out.

    Parameters
    ----------
    data : bytes
        A whole file, with or without preamble.

    Raises
    ------
    ImageRefused
        One of its subclasses; nothing else, whatever the bytes.
    """
    data_set = open_data_set(data)
    description, attributes = _guarded(read_attributes, data_set)
    rows, columns, aspect = description.rows, description.columns, attributes.aspect
    # The coarser direction is stretched, so that no detail is lost.
    if aspect > 1:
        rows = round(rows * min(aspect, _MAX_ASPECT))
    else:
        columns = round(columns * min(1 / aspect, _MAX_ASPECT))
    return DicomHeader(
        width=description.columns,
        height=description.rows,
        bits=description.bits_stored,
        data=data_set,
        description=description,
        attributes=attributes,
        square=(columns, rows),
    )


def decode_dicom(header: DicomHeader) -> DecodedImage:
    """Decode an image whose size is within limits, and display it as its file requires.

    Safe to call from several threads.

    Raises
    ------
    ImageRefused
        One of its subclasses; nothing else, whatever the bytes.
    """
    return _guarded(_decoded, header)


def _guarded(step: Callable[[_Argument], _Result], argument: _Argument) -> _Result:
    try:
        return step(argument)
    except ImageRefused:
        raise
    except Exception as error:  # the library and the decoders raise anything on damaged bytes
        raise damaged_dicom() from error


def _decoded(header: DicomHeader) -> DecodedImage:
    attributes = header.attributes
    stored = stored_values(header.data, header.description)
    transform = greyscale_transform(header.data, header.description)
    levels = grey_levels(stored.codes, header.description, stored.signed, transform)
    pixels, notes = levels.pixels, list(levels.notes)
    if stored.unused:
        notes.append(Message("imaging.dicom.surplus_pixel_data"))
    if transform.inverse:
        notes.append(Message("imaging.note.inverted"))
    width, height = header.square
    if (height, width) != pixels.shape:
        pixels = np.clip(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_LINEAR), 0, 1)
        notes.append(Message("imaging.dicom.stretched", width=width, height=height))
    if attributes.orientation:
        pixels, code = _upright(pixels, *attributes.orientation)
        notes += [Message(code)] if code else []
    spacing = attributes.pixel_spacing
    if spacing and attributes.aspect != 1:
        spacing = (min(spacing), min(spacing))
    return DecodedImage(
        pixels=pixels,
        notes=(*notes, *attributes.notes),
        inverted=transform.inverse,
        metadata=Metadata(
            view_position=attributes.view_position,
            laterality=attributes.laterality,
            pixel_spacing=spacing,
            spacing_from=attributes.spacing_from,
            age_years=attributes.age_years,
            stored_range=levels.stored_range,
            study_uid=attributes.study_uid,
            series_uid=attributes.series_uid,
            instance_uid=attributes.instance_uid,
        ),
    )


_ORIENTATION_NOTES = {
    (False, False, False): None,
    (False, True, False): "imaging.note.mirrored",
    (False, False, True): "imaging.note.flipped",
    (False, True, True): "imaging.note.rotated_180",
    (True, False, False): "imaging.note.rotated_and_mirrored",
    (True, True, True): "imaging.note.rotated_and_mirrored",
    (True, True, False): "imaging.note.rotated_clockwise",
    (True, False, True): "imaging.note.rotated_anticlockwise",
}
"""Code of the note by whether the image was transposed, then reversed along its rows, then along its columns."""


def _upright(pixels: np.ndarray, rows_to: str, columns_to: str) -> tuple[np.ndarray, str | None]:
    """Bring the rows to run to the patient's left and the columns to the feet (PS3.3 C.7.6.1.1.1)."""
    transposed = rows_to in "FH"
    if transposed:
        pixels, rows_to, columns_to = pixels.T, columns_to, rows_to
    across, down = rows_to == "R", columns_to == "H"
    pixels = pixels[:: -1 if down else 1, :: -1 if across else 1]
    return pixels, _ORIENTATION_NOTES[transposed, across, down]
