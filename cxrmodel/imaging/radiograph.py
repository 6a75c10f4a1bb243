"""Radiograph: one image, upright and on one scale, read from the bytes of a file.

Untrusted bytes stop here: no other part of the program decodes a file.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cxrmodel.errors import EmptyFile, ImageTooLarge, ImageTooSmall, ImplausibleShape, MultipleImages
from cxrmodel.imaging.decoder_logs import silence_decoders
from cxrmodel.imaging.formats.image_format import Header, Metadata
from cxrmodel.imaging.formats.registry import find_format
from cxrmodel.messages import Message

MAX_BYTES = 64 * 2**20
MAX_PIXELS = 50_000_000
MIN_SIDE = 64
MAX_ASPECT = 4.0


@dataclass(frozen=True, eq=False)
class Radiograph(Metadata):
    """One image, upright and on one scale, with the metadata of its file.

    Attributes
    ----------
    pixels : ndarray of float32, shape (H, W)
        0..1, air dark, read-only, C-contiguous.
    name : str
        File name, for display only.
    sha256 : str
        Of the file's bytes, 64 hexadecimal digits.
    file_format : str
        Name of a registered format: "JPEG", "PNG", "TIFF", "WebP" or "DICOM".
    bits : int
        Stored bits per sample: commonly 8 to 16, else 1, 2, 4 or 32.
    notes : tuple of Message
        What was done to the image that its viewer should know.
    inverted : bool
        The file stores white as its lowest values, and the image was inverted.
    repairs : tuple of str
        Steps by which a user set the image right, as of ``cxrmodel.imaging.repairs.Repairs.steps``.

    Raises
    ------
    ValueError
        Pixels that are not as above.
    """

    pixels: np.ndarray
    name: str
    sha256: str
    file_format: str
    bits: int
    notes: tuple[Message, ...] = ()
    inverted: bool = False
    repairs: tuple[str, ...] = ()

    @property
    def identity(self) -> str:
        """Tells images apart: the checksum of the file, and the repairs."""
        return ",".join([self.sha256, *self.repairs])

    def __post_init__(self) -> None:
        if self.pixels.ndim != 2 or self.pixels.dtype != np.float32 or not self.pixels.size:
            raise ValueError("the pixels of a radiograph are two-dimensional float32")
        # This form rejects NaN as well.
        if not (self.pixels.min() >= 0 and self.pixels.max() <= 1):
            raise ValueError("the pixels of a radiograph are between 0 and 1")
        pixels = np.ascontiguousarray(self.pixels).view()
        pixels.flags.writeable = False
        object.__setattr__(self, "pixels", pixels)


def read_radiograph(data: bytes, name: str, admit: Callable[[int], None] = lambda peak: None) -> Radiograph:
    """Read an image file of any registered format as a radiograph.

    The format is recognised by content alone, and size and shape are checked in the header before any pixel is decoded.
    Eight-bit levels are divided by 255; see `find_grey_range` for deeper ones and `single_channel` for images stored in
    colour. Transparent parts become black, as air is. The image is inverted and rotated as the file requires, each
    with a note; for DICOM see `cxrmodel.imaging.dicom.image`. Safe to call from several threads.

    Parameters
    ----------
    data : bytes
        A whole file, at most 64 MiB.
    name : str
        File name, for display only.
    admit : callable
        Called before any pixel is decoded, with the bytes of memory that decoding will take at its peak. It may wait,
        or raise.

    Returns
    -------
    Radiograph
        At least 64 pixels a side, at most 50 million in all and four times as long as wide.

    Raises
    ------
    ImageRefused
        One of its subclasses; nothing else, whatever the bytes, but what ``admit`` raises.
    """
    if not data:
        raise EmptyFile("imaging.empty")
    if len(data) > MAX_BYTES:
        raise ImageTooLarge("imaging.too_many_bytes", limit=MAX_BYTES // 2**20)
    silence_decoders()
    image_format = find_format(data)
    header = image_format.header(data)
    _check_limits(header)
    admit(image_format.peak_bytes(header))
    image = image_format.image(data, header)
    return Radiograph(
        pixels=image.pixels,
        name=name,
        sha256=hashlib.sha256(data).hexdigest(),
        file_format=image_format.name,
        bits=header.bits,
        notes=image.notes,
        inverted=image.inverted,
        **vars(image.metadata),
    )


def _check_limits(header: Header) -> None:
    """Refuse from the header alone what must not be decoded."""
    if header.multiple:
        raise MultipleImages("imaging.multiple_images")
    for width, height in header.sizes:
        shorter, longer = sorted((width, height))
        size = {"width": width, "height": height}
        if shorter < MIN_SIDE:
            raise ImageTooSmall("imaging.too_small", limit=MIN_SIDE, **size)
        if shorter * longer > MAX_PIXELS:
            raise ImageTooLarge("imaging.too_many_pixels", limit=MAX_PIXELS // 10**6, **size)
        if longer > MAX_ASPECT * shorter:
            raise ImplausibleShape("imaging.implausible_shape", limit=MAX_ASPECT, **size)
