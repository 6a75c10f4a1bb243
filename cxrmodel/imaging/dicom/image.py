"""DICOM -> an image in square pixels, upright, air dark.

Importing this module imports the DICOM library and its decoders: wait until bytes are known to be DICOM.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from cxrmodel.errors import ImageRefused
from cxrmodel.imaging.dicom.dataset import DataSet, open_data_set, unreadable
from cxrmodel.imaging.dicom.header import Raster, Tags, check_tags
from cxrmodel.imaging.dicom.pixels import stored_values
from cxrmodel.imaging.dicom.voi import grey_levels, grey_scale

__all__ = ["DicomImage", "open_dicom", "show"]


@dataclass(frozen=True, eq=False, repr=False)
class DicomImage:
    """A DICOM file that its tags do not rule out, not decoded yet.

    Attributes
    ----------
    data : DataSet
    raster : Raster
    tags : Tags
    width, height : int
        Of the image in square pixels.
    """

    data: DataSet
    raster: Raster
    tags: Tags
    width: int
    height: int


@dataclass(frozen=True, eq=False, repr=False)
class Shown:
    """A decoded image.

    Attributes
    ----------
    pixels : ndarray of float32, shape (H, W)
        0..1, air dark, square pixels, the patient's left on the right.
    inverted : bool
        The file stores white as its lowest values.
    stored_range : (int, int)
        Lowest and highest stored value.
    tags : Tags
        With the spacing of ``pixels``, and every note.
    """

    pixels: np.ndarray
    inverted: bool
    stored_range: tuple[int, int]
    tags: Tags


def open_dicom(data: bytes) -> DicomImage:
    """Read the tags of a DICOM file and refuse what they rule out.

    Parameters
    ----------
    data : bytes
        A whole file, with or without preamble.

    Returns
    -------
    DicomImage

    Raises
    ------
    ImageRefused
        One of its subclasses; nothing else, whatever the bytes.
    """
    data_set = open_data_set(data)
    raster, tags = _guarded(check_tags, data_set)
    rows, columns = raster.rows, raster.columns
    # The coarser direction is stretched, so that nothing is lost.
    if tags.aspect > 1:
        rows = round(rows * min(tags.aspect, 1e6))
    else:
        columns = round(columns * min(1 / tags.aspect, 1e6))
    return DicomImage(data_set, raster, tags, width=columns, height=rows)


def show(image: DicomImage) -> Shown:
    """Decode an image whose size has been found within limits, and show it as its file asks.

    Safe to call from several threads.

    Parameters
    ----------
    image : DicomImage

    Returns
    -------
    Shown

    Raises
    ------
    ImageRefused
        One of its subclasses; nothing else, whatever the bytes.
    """
    return _guarded(_show, image)


def _guarded(step, argument):
    try:
        return step(argument)
    except ImageRefused:
        raise
    except Exception as error:  # Library and decoders raise whatever they like on damaged bytes.
        raise unreadable() from error


def _show(image: DicomImage) -> Shown:
    raster, tags = image.raster, image.tags
    stored = stored_values(image.data, raster)
    scale = grey_scale(image.data, raster)
    pixels, told = grey_levels(stored.codes, raster, stored.signed, scale)
    notes = told["notes"]
    if stored.unused:
        notes.append("The file holds more pixel data than its size calls for; the rest was ignored.")
    if scale.inverse:
        notes.append("The file stores white as its lowest values; the image was inverted so that air is dark.")
    height, width = image.height, image.width
    if (height, width) != pixels.shape:
        pixels = np.clip(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_LINEAR), 0, 1)
        notes.append(f"The image's pixels are not square; it was stretched to {width} x {height} pixels.")
    spacing = tags.pixel_spacing and (min(tags.pixel_spacing),) * 2 if tags.aspect != 1 else tags.pixel_spacing
    if tags.orientation:
        pixels, turned = _upright(pixels, *tags.orientation)
        if turned:
            notes.append(f"The image was {turned}, as the patient orientation in the file asks for.")
    tags = replace(tags, pixel_spacing=spacing, notes=(*notes, *tags.notes))
    return Shown(pixels, scale.inverse, told["stored_range"], tags)


def _upright(pixels: np.ndarray, rows_to: str, columns_to: str) -> tuple[np.ndarray, str]:
    """Bring an image to rows that run to the patient's left and columns that run to the feet (PS3.3 C.7.6.1.1.1)."""
    turned = rows_to in "FH"
    if turned:
        pixels, rows_to, columns_to = pixels.T, columns_to, rows_to
    across, down = rows_to == "R", columns_to == "H"
    pixels = pixels[:: -1 if down else 1, :: -1 if across else 1]
    words = {
        (False, False, False): "",
        (False, True, False): "mirrored left to right",
        (False, False, True): "flipped upside down",
        (False, True, True): "turned by 180 degrees",
        (True, False, False): "turned and mirrored",
        (True, True, True): "turned and mirrored",
        (True, True, False): "turned by 90 degrees clockwise",
        (True, False, True): "turned by 90 degrees anticlockwise",
    }
    return pixels, words[turned, across, down]
