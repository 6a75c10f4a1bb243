"""What a file format is: a signature, a header that is read without decoding a pixel, and a decoder."""

import struct
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cxrmodel.errors import ImageRefused, UnreadableFile
from cxrmodel.messages import Message

__all__ = ["DecodedImage", "Header", "ImageFormat", "Metadata", "damaged"]


@dataclass(frozen=True)
class Header:
    """What a file states about its image.

    Attributes
    ----------
    width, height : int
        Pixels as stored, before any rotation.
    bits : int
        Stored bits per sample.
    multiple : bool
        The file holds more than one image: an animation, pages, a preview.
    """

    width: int
    height: int
    bits: int
    multiple: bool = False

    @property
    def sizes(self) -> tuple[tuple[int, int], ...]:
        """Every width and height that the image takes on its way to a radiograph; all must be within limits."""
        return ((self.width, self.height),)


@dataclass(frozen=True)
class Metadata:
    """What only some formats state; see the attributes of ``Radiograph``."""

    view_position: str | None = None
    laterality: str | None = None
    pixel_spacing: tuple[float, float] | None = None
    spacing_from: str | None = None
    age_years: float | None = None
    stored_range: tuple[int, int] | None = None
    study_uid: str | None = None
    series_uid: str | None = None
    instance_uid: str | None = None


@dataclass(frozen=True, eq=False)
class DecodedImage:
    """A decoded file.

    Attributes
    ----------
    pixels : ndarray of float32, shape (H, W)
        0..1, upright, air dark.
    notes : tuple of Message
        What was done to the image that its viewer should know.
    inverted : bool
        The file stores white as its lowest values, and the image was inverted.
    metadata : Metadata
    """

    pixels: np.ndarray
    notes: tuple[Message, ...] = ()
    inverted: bool = False
    metadata: Metadata = Metadata()


def damaged(name: str) -> UnreadableFile:
    """Build the refusal of a damaged file of a known format."""
    return UnreadableFile("imaging.damaged", format=name)


@dataclass(frozen=True)
class ImageFormat:
    """One file format.

    Attributes
    ----------
    name : str
        For readers: "JPEG".
    extensions : tuple of str
        Usual ends of file names, lower case, without the dot. Files are recognised by content alone.
    matches : callable
        Whether the bytes of a file are of this format.
    read_header : callable
        Reads the header and checks, as far as lengths and checksums tell, that the file is complete.
    decode : callable
        Decodes a file whose header is within limits. Safe to call from several threads.
    """

    name: str
    extensions: tuple[str, ...]
    matches: Callable[[bytes], bool]
    read_header: Callable[[bytes], Header]
    decode: Callable[[bytes, Header], DecodedImage]

    def header(self, data: bytes) -> Header:
        """Read the header.

        Raises
        ------
        ImageRefused
            The file is damaged, truncated, or of a variety that is not supported.
        """
        try:
            return self.read_header(data)
        except (struct.error, IndexError, ValueError, ArithmeticError) as error:
            raise damaged(self.name) from error

    def image(self, data: bytes, header: Header) -> DecodedImage:
        """Decode the image.

        Raises
        ------
        ImageRefused
        """
        try:
            return self.decode(data, header)
        except ImageRefused:
            raise
        except Exception as error:  # decoders raise anything on damaged bytes
            raise damaged(self.name) from error
