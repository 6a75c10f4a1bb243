"""DICOM images in square pixels, upright, air dark.

Importing this module imports the DICOM library and its decoders, so import it only for bytes that are DICOM.
"""

from dataclasses import replace

import cv2
import numpy as np

from cxrmodel.imaging.dicom.greyscale.grey_levels import GreyLevels, grey_levels
from cxrmodel.imaging.dicom.header import DicomHeader
from cxrmodel.imaging.dicom.pixel_data.colour import grey_from_colour
from cxrmodel.imaging.dicom.pixel_data.pixels import stored_values
from cxrmodel.imaging.formats.image_format import DecodedImage
from cxrmodel.imaging.stored_numbers import Numbers
from cxrmodel.messages import Message


def decode_dicom(header: DicomHeader) -> DecodedImage:
    """Decode an image whose size is within limits, and display it as its file requires.

    Safe to call from several threads.

    Raises
    ------
    ImageRefused
        One of its subclasses.
    Exception
        Anything that the library and the decoders raise on damaged bytes.
    """
    codes, numbers, odd = stored_values(header)
    if numbers != Numbers(header.bits, header.signed or numbers.signed):
        header = replace(header, bits=numbers.bits, signed=numbers.signed)
    if header.in_colour:
        grey = grey_from_colour(header, codes)
        stored_range = (int(codes.min()), int(codes.max()))
        levels = GreyLevels(grey.pixels, grey.inverted, stored_range, grey.notes)
    else:
        levels = grey_levels(header, codes, numbers.signed)
    pixels, notes = levels.pixels, [*odd, *levels.notes]
    if levels.inverse:
        notes.append(Message("imaging.note.inverted"))
    width, height = header.square
    if (height, width) != pixels.shape:
        pixels = np.clip(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_LINEAR), 0, 1)
        notes.append(Message("imaging.dicom.stretched", width=width, height=height))
    if header.orientation:
        pixels, code = _upright(pixels, *header.orientation)
        notes += [Message(code)] if code else []
    metadata = replace(header.metadata, stored_range=levels.stored_range)
    return DecodedImage(pixels, tuple(dict.fromkeys([*notes, *header.notes])), levels.inverse, metadata)


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
