"""Header and bytes -> Picture: the one place where pixels are decoded."""

import struct
from dataclasses import dataclass
from io import BytesIO

import cv2
import numpy as np
from PIL import ExifTags
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from cxrmodel.imaging.formats.bounds import Header, broken

__all__ = ["Picture", "decode", "ended_early"]

# Called by class and not through `Image.open`, which guesses the type anew and warns of large pictures through
# the `warnings` module: the caller has already held the header against the program's own limits.
_DECODERS = {"JPEG": JpegImageFile, "PNG": PngImageFile, "TIFF": TiffImageFile, "WebP": WebPImageFile}

_PLAIN_MODES = {"1": "L", "La": "LA", "PA": "RGBA", "RGBa": "RGBA", "RGBX": "RGB", "CMYK": "RGB", "YCbCr": "RGB"}

# Rows at the bottom of a JPEG that are looked at for data missing before the end marker.
_GREY_TAIL = 8


@dataclass(frozen=True, eq=False)
class Picture:
    """A decoded file, as stored: neither turned, nor inverted, nor scaled.

    Attributes
    ----------
    samples : ndarray of uint8, uint16, int32 or float32, shape (H, W) or (H, W, 3)
        Grey levels, or red, green and blue.
    alpha : ndarray of float32, shape (H, W), or None
        Opacity 0..1; None where every pixel is opaque.
    orientation : int
        EXIF or TIFF orientation, 1..8: how to turn the picture to see it upright.
    """

    samples: np.ndarray
    alpha: np.ndarray | None
    orientation: int


def decode(data: bytes, header: Header) -> Picture:
    """Decode the pixels of a file whose header has been read and found within limits.

    Safe to call from several threads: nothing shared is changed.

    Parameters
    ----------
    data : bytes
        A whole file.
    header : Header
        What `read_header` says of it.

    Returns
    -------
    Picture

    Raises
    ------
    Exception
        Whatever the decoders raise on broken data; the caller turns it into a refusal.
    """
    data = _neutralised(data, header)
    with _DECODERS[header.file_format](BytesIO(data)) as image:
        if image.size != (header.width, header.height):
            raise broken(header.file_format)
        if header.bits == 16 and image.mode in ("RGB", "RGBA"):
            samples, alpha = _sixteen_bit_colour(data, header)
        else:
            samples, alpha = _arrays(image, header)
        if header.file_format == "JPEG" and ended_early(samples):
            raise broken("JPEG")
        orientation = header.orientation if header.file_format == "TIFF" else _exif_orientation(image)
    return Picture(samples, alpha, orientation)


def ended_early(samples: np.ndarray, middle: int = 128) -> bool:
    """Whether the JPEG decoder ran out of data before the end marker: it says nothing and fills up with mid-grey.

    Parameters
    ----------
    samples : ndarray of uint8 or uint16, shape (H, W) or (H, W, 3)
    middle : int
        Mid-grey.
    """
    return bool((samples[-_GREY_TAIL:] == middle).all() and (samples != middle).any())


def _neutralised(data: bytes, header: Header) -> bytes:
    """Overwrite the TIFF tags that decoders honour at some depths and not at others; the caller applies them."""
    if not header.neutral:
        return data
    copy = bytearray(data)
    for offset, form in header.neutral:
        struct.pack_into(form, copy, offset, 1)
    return bytes(copy)


def _sixteen_bit_colour(data: bytes, header: Header) -> tuple[np.ndarray, np.ndarray | None]:
    """Decode with OpenCV, because Pillow keeps only the upper 8 of the 16 bits of a colour."""
    samples = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if samples is None or samples.dtype != np.uint16 or samples.shape[:2] != (header.height, header.width):
        raise broken(header.file_format)
    alpha = _alpha(samples[..., 3], 65535) if samples.shape[2] == 4 else None
    return np.ascontiguousarray(samples[..., 2::-1]), alpha


def _arrays(image: ImageFile, header: Header) -> tuple[np.ndarray, np.ndarray | None]:
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
        level = transparent * {2: 85, 4: 17}.get(header.bits, 1)
        return samples, _alpha(np.where(samples == level, 0, 255), 255)
    return samples, None


def _alpha(levels: np.ndarray, opaque: int) -> np.ndarray | None:
    return None if (levels == opaque).all() else levels.astype(np.float32) / np.float32(opaque)


def _exif_orientation(image: ImageFile) -> int:
    """EXIF orientation 1..8; 1 where there is none, or none that can be read."""
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # Damaged metadata says nothing of the pixels, which have been decoded.
        return 1
    return orientation if orientation in range(1, 9) else 1
