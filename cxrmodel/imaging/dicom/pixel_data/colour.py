"""Grey images that a DICOM file stores in colour: as red, green and blue, as luma and chroma, or by a palette.

Pixels decide, because many devices store their screens so. There is no window for them (PS3.3 C.7.6.3.1.2): they are
read as those of other colour files are.
"""

from dataclasses import replace

import cv2
import numpy as np

from cxrmodel.errors import ColourImage, UnsupportedFile
from cxrmodel.imaging.dicom.greyscale.luts import read_table
from cxrmodel.imaging.dicom.header import DicomHeader
from cxrmodel.imaging.formats.image_format import DecodedImage
from cxrmodel.imaging.formats.raster import StoredImage, to_greyscale
from cxrmodel.imaging.greyscale import single_channel
from cxrmodel.messages import Message

_PALETTE, _YBR = "PALETTECOLOR", ("YBRFULL", "YBRFULL422")
_CODE = "imaging.dicom.colour"
# Colour is judged at this many pixels a side.
_JUDGED_SIDE = 256
# PS3.3 C.7.6.3.1.2, solved for red, green and blue: contributions of luma and of both chromas around their middle.
_TO_RGB = np.array([[1, 0, 1.402], [1, -0.344136, -0.714136], [1, 1.772, 0]], np.float32)


def grey_from_colour(header: DicomHeader, codes: np.ndarray) -> DecodedImage:
    """Grey levels of an image that is stored in colour.

    A codestream may have another colour space than the attributes state, as may pixels that a gateway decompressed: the
    stated one is tried first, and the other accepted only without any tint.

    Parameters
    ----------
    header : DicomHeader
    codes : ndarray of uint16, shape (H, W) or (H, W, 3)
        Stored values of ``header.bits`` bits: grey levels, indices into the palette, or the three components.

    Raises
    ------
    ColourImage
        The image is in true colour.
    UnsupportedFile
        The palette is missing, damaged or segmented.
    """
    notes = []
    samples = codes.astype(np.uint8) if header.bits == 8 else codes
    if header.photometric == _PALETTE:
        samples = _looked_up(header, codes)
    elif samples.ndim == 3:
        luma_and_chroma, tinted = _colour_space(samples, header.photometric in _YBR, 2**header.bits - 1)
        if luma_and_chroma:
            samples = np.ascontiguousarray(samples[..., 0])
            notes += [Message("imaging.note.tint")] if tinted else []
    try:
        image = to_greyscale(StoredImage(samples, None, 1), header)
    except ColourImage as refusal:
        raise ColourImage(_CODE) from refusal
    return replace(image, notes=(*notes, *image.notes))


def _colour_space(samples: np.ndarray, stated: bool, white: int) -> tuple[bool, bool]:
    """Whether components are luma and chroma, so that the image is grey; and whether it has a tint."""
    scale = min(1.0, _JUDGED_SIDE / max(samples.shape[:2]))
    size = [max(1, round(side * scale)) for side in samples.shape[1::-1]]
    small = cv2.resize(samples, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    middle = np.array([0, (white + 1) // 2, (white + 1) // 2], np.float32)
    for luma_and_chroma in (stated, not stated):
        rgb = np.clip((small - middle) @ _TO_RGB.T, 0, white) if luma_and_chroma else small
        try:
            _, tinted = single_channel(rgb, white)
        except ColourImage:
            continue
        if luma_and_chroma == stated or not tinted:
            return luma_and_chroma, tinted
    raise ColourImage(_CODE)


def _looked_up(header: DicomHeader, codes: np.ndarray) -> np.ndarray:
    """Colours of indices (PS3.3 C.7.6.3.1.5): uint8 or uint16, shape (H, W) where all are grey, else (H, W, 3)."""
    columns = [_palette_column(header, colour) for colour in ("Red", "Green", "Blue")]
    table = np.stack(columns, axis=1)
    present = np.zeros(len(table), bool)
    present[codes] = True
    used = table[present]
    # Entries of 8 bits are stored in 16 as they are, in the upper byte, or in both.
    upper, lower = used >> 8, used & 255
    if not upper.any():
        table = table.astype(np.uint8)
    elif not lower.any() or np.array_equal(upper, lower):
        table = (table >> 8).astype(np.uint8)
    grey = (used == used[:, :1]).all()
    found: np.ndarray = (table[:, 0] if grey else table)[codes]
    return found


def _palette_column(header: DicomHeader, colour: str) -> np.ndarray:
    """Level of one colour for every possible stored value: uint16."""
    data = header.data
    table = read_table(data.values, f"{colour}PaletteColorLookupTable", data.little_endian, header.signed)
    if table is None:
        raise UnsupportedFile("imaging.dicom.palette")
    values = np.arange(2**header.bits)
    if header.signed:
        values[2 ** (header.bits - 1) :] -= 2**header.bits
    levels: np.ndarray = table.entries[np.clip(values - table.first, 0, len(table.entries) - 1)]
    return levels
