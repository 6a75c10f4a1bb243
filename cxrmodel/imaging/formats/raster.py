"""Decode raster files with Pillow or OpenCV, and bring them to one channel, one scale, one polarity, and upright."""

from dataclasses import dataclass, replace
from io import BytesIO

import cv2
import numpy as np
from PIL import ExifTags
from PIL.ImageFile import ImageFile

from cxrmodel.imaging.formats.image_format import DecodedImage, Header, damaged
from cxrmodel.imaging.grey_range import GreyRange, Scale, find_grey_range, row_blocks
from cxrmodel.imaging.greyscale import single_channel, single_if_equal
from cxrmodel.imaging.sandbox.border import Value
from cxrmodel.imaging.sandbox.pool import isolated
from cxrmodel.imaging.stored_numbers import Numbers, find_numbers
from cxrmodel.messages import Message

_PLAIN_MODES = {"1": "L", "La": "LA", "PA": "RGBA", "RGBa": "RGBA", "RGBX": "RGB", "CMYK": "RGB", "YCbCr": "RGB"}

# EXIF 2.32, tag 0x0112: quarter turns anticlockwise, then a left-to-right flip, and the code of the note.
_ORIENTATIONS = {
    2: (0, True, "imaging.note.mirrored"),
    3: (2, False, "imaging.note.rotated_180"),
    4: (2, True, "imaging.note.flipped"),
    5: (3, True, "imaging.note.rotated_and_mirrored"),
    6: (3, False, "imaging.note.rotated_clockwise"),
    7: (1, True, "imaging.note.rotated_and_mirrored"),
    8: (1, False, "imaging.note.rotated_anticlockwise"),
}


@dataclass(frozen=True, eq=False)
class StoredImage:
    """A decoded raster file as stored: not rotated, inverted or scaled.

    Attributes
    ----------
    samples : ndarray of uint8, uint16, int32 or float32, shape (H, W) or (H, W, 3)
        Grey levels, or red, green and blue.
    alpha : ndarray of float32, shape (H, W), or None
        Opacity 0..1; None where every pixel is opaque.
    orientation : int
        EXIF or TIFF orientation, 1..8.
    """

    samples: np.ndarray
    alpha: np.ndarray | None
    orientation: int


def decode_raster(data: bytes, header: Header, plugin: type[ImageFile], name: str) -> StoredImage:
    """Decode the pixels of a raster file whose header is within limits.

    Pillow's plugin is called directly: ``Image.open`` guesses the type again and warns of large images.

    Parameters
    ----------
    data : bytes
        A whole file.
    header : Header
    plugin : type of ImageFile
        Pillow's class for the format.
    name : str
        Of the format, for the refusal.

    Raises
    ------
    Exception
        Anything that the decoders raise on damaged data.
    """
    samples, alpha, orientation = isolated(stored_image, data, (header.width, header.height), header.bits, plugin)
    shape = header.height, header.width
    if not (isinstance(samples, np.ndarray) and samples.shape in (shape, (*shape, 3)) and isinstance(orientation, int)):
        raise damaged(name)
    if not isinstance(alpha, np.ndarray):
        return StoredImage(samples, None, orientation)
    if not (alpha.shape == shape and alpha.min() >= 0 and alpha.max() <= 1):
        raise damaged(name)
    return StoredImage(samples, alpha, orientation)


def stored_image(data: bytes, size: tuple[int, int], bits: int, plugin: type[ImageFile]) -> tuple[Value, ...]:
    """Decode to the attributes of a ``StoredImage``; this runs in the sandbox.

    Parameters
    ----------
    data : bytes
    size : (int, int)
        Width and height that the header states.
    bits : int
        Stored bits per sample.
    plugin : type of ImageFile

    Returns
    -------
    samples : ndarray or None
        None where the decoder finds another size.
    alpha : ndarray or None
    orientation : int

    Raises
    ------
    Exception
        Anything that the decoders raise on damaged data.
    """
    with plugin(BytesIO(data)) as image:
        if image.size != size:
            return None, None, 1
        if bits == 16 and image.mode in ("RGB", "RGBA"):
            samples, alpha = _sixteen_bit_colour(data)
        else:
            samples, alpha = _arrays(image, bits)
        return single_if_equal(samples), alpha, _exif_orientation(image)


def to_greyscale(stored: StoredImage, header: Header, white_is_zero: bool = False) -> DecodedImage:
    """Convert a stored image to grey levels 0..1, air dark and upright.

    Transparent parts become black, as air is.

    Parameters
    ----------
    stored : StoredImage
    header : Header
    white_is_zero : bool
        The lowest stored value is shown white.

    Raises
    ------
    ColourImage, UnreadableFile
    """
    notes = list(header.notes)
    stored, contradictions = _as_numbers(stored, header.bits)
    notes += contradictions
    found = _grey_range(stored, white_is_zero)
    black, white = found.scale.low, found.scale.high
    grey, tinted = single_channel(stored.samples, white - black)
    if tinted:
        notes.append(Message("imaging.note.tint"))
    if found.own:
        notes.append(Message("imaging.note.own_range", low=found.lowest, high=found.highest))
    elif found.scale.bits and 2 * white < 2**header.bits and grey.dtype.kind != "f":
        notes.append(Message("imaging.note.bits", stored=header.bits, used=found.scale.bits))
    if found.isolated:
        notes.append(Message("imaging.note.isolated"))
    pixels = _scaled(grey, black, white)
    if white_is_zero:
        pixels = np.subtract(np.float32(1), pixels, out=pixels)
        notes.append(Message("imaging.note.inverted"))
    if stored.alpha is not None:
        pixels *= stored.alpha
        notes.append(Message("imaging.note.transparent"))
    if stored.orientation in _ORIENTATIONS:
        quarters, mirrored, code = _ORIENTATIONS[stored.orientation]
        pixels = np.rot90(pixels, quarters)
        pixels = pixels[:, ::-1] if mirrored else pixels
        notes.append(Message(code))
    return DecodedImage(pixels, tuple(notes), white_is_zero)


def _as_numbers(stored: StoredImage, bits: int) -> tuple[StoredImage, list[Message]]:
    """Read samples of 16 bits in another way than the file states, where the image contradicts it."""
    samples = stored.samples
    if bits != 16 or samples.ndim != 2 or samples.dtype not in (np.uint16, np.int32):
        return stored, []
    stated = Numbers(bits, bool(samples.min() < 0))
    words = samples.astype(np.uint16, copy=False)
    numbers = find_numbers(words, stated)
    if numbers == stated:
        return stored, []
    read = numbers.values(words) if numbers.signed else numbers.codes(words)
    return replace(stored, samples=read), [numbers.note(stated)]


def _grey_range(stored: StoredImage, white_is_zero: bool) -> GreyRange:
    samples = stored.samples
    if samples.dtype == np.uint8:
        return GreyRange(Scale(0.0, 255.0, 8), False, False, 0.0, 255.0)
    grey = samples if samples.ndim == 2 else cv2.cvtColor(samples, cv2.COLOR_RGB2GRAY)
    return find_grey_range(grey, None if stored.alpha is None else stored.alpha > 0, inverse=white_is_zero)


def _scaled(grey: np.ndarray, black: float, white: float) -> np.ndarray:
    """Levels 0..1, clipped, some rows at a time: float64 of a whole image takes much memory."""
    if black == 0 and (grey.dtype == np.uint8 or (grey.min() >= 0 and grey.max() <= white)):
        quotient: np.ndarray = np.divide(grey, np.float32(white or 1), dtype=np.float32)
        return quotient
    pixels = np.empty(grey.shape, np.float32)
    for rows, into in zip(row_blocks(grey), row_blocks(pixels), strict=True):
        into[:] = np.clip((rows.astype(np.float64) - black) / ((white - black) or 1.0), 0, 1)
    return pixels


def _sixteen_bit_colour(data: bytes) -> tuple[np.ndarray, np.ndarray | None]:
    """Decode with OpenCV, because Pillow keeps only 8 of the 16 bits of a colour."""
    samples = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if samples is None or samples.dtype != np.uint16:
        raise ValueError("not of 16 bits")
    alpha = _alpha(samples[..., 3], 65535) if samples.shape[2] == 4 else None
    return np.ascontiguousarray(samples[..., 2::-1]), alpha


def _arrays(image: ImageFile, bits: int) -> tuple[np.ndarray, np.ndarray | None]:
    """Decode with Pillow to samples and alpha."""
    image.load()
    mode, transparent = image.mode, image.info.get("transparency")
    if mode == "P" or (mode == "RGB" and transparent is not None):
        mode = "RGB" if transparent is None else "RGBA"
    else:
        mode = _PLAIN_MODES.get(mode, mode)
    samples = np.asarray(image if mode == image.mode else image.convert(mode))
    if mode in ("LA", "RGBA"):
        channels = samples[..., 0] if mode == "LA" else samples[..., :3]
        return np.ascontiguousarray(channels), _alpha(samples[..., -1], 255)
    if samples.ndim == 2 and isinstance(transparent, int):
        # A PNG names its transparent grey level in stored bits; Pillow spreads 2 and 4 of them over 0..255.
        level = transparent * {2: 85, 4: 17}.get(bits, 1)
        return samples, _alpha(np.where(samples == level, 0, 255), 255)
    return samples, None


def _alpha(levels: np.ndarray, opaque: int) -> np.ndarray | None:
    return None if (levels == opaque).all() else levels.astype(np.float32) / np.float32(opaque)


def _exif_orientation(image: ImageFile) -> int:
    """EXIF orientation 1..8; 1 where it is absent or damaged."""
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # damaged metadata does not cost the image
        return 1
    return int(orientation) if orientation in range(1, 9) else 1
