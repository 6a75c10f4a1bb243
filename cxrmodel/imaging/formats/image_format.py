"""What a file format is: a signature, a header that is read without decoding a pixel, and a decoder."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from cxrmodel.errors import CxrError, UnreadableFile
from cxrmodel.messages import Message


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
        The file holds more than one image: an animation, pages.
    notes : tuple of Message
        What is odd about the file that does not cost the image.
    """

    width: int
    height: int
    bits: int
    multiple: bool = False
    notes: tuple[Message, ...] = ()

    @property
    def sizes(self) -> tuple[tuple[int, int], ...]:
        """Every width and height that the image takes on its way to a radiograph; all must be within limits."""
        return ((self.width, self.height),)


@dataclass(frozen=True, eq=False, kw_only=True)
class Metadata:
    """What only some formats state: of those registered, DICOM alone.

    Attributes
    ----------
    view_position : str or None
        "AP", "PA", or "frontal" where the file does not state which.
    laterality : str or None
        "L", "R", "B" (both) or "U" (unpaired).
    pixel_spacing : (float, float) or None
        Millimetres between rows and between columns of the pixels.
    spacing_from : str or None
        Where that was measured: "calibrated" (in the patient), "imager" (at the detector, where an image is larger
        than the patient), "scanned" (on a digitised image), "unstated".
    age_years : float or None
        Age of the patient.
    stored_range : (int, int) or None
        Lowest and highest stored value of the image.
    study_uid, series_uid, instance_uid : str or None
        For reports. Never shown without a request.
    """

    view_position: str | None = None
    laterality: str | None = None
    pixel_spacing: tuple[float, float] | None = None
    spacing_from: str | None = None
    age_years: float | None = field(default=None, repr=False)
    stored_range: tuple[int, int] | None = None
    study_uid: str | None = field(default=None, repr=False)
    series_uid: str | None = field(default=None, repr=False)
    instance_uid: str | None = field(default=None, repr=False)


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


def is_preview(size: tuple[int, int], of: tuple[int, int]) -> bool:
    """Whether an image is a preview of another: at most half as long and half as wide, upright or not.

    Parameters
    ----------
    size, of : (int, int)
        Width and height of either.
    """
    # Half of an odd number is rounded up.
    return all(2 * side <= whole + 1 for side, whole in zip(sorted(size), sorted(of), strict=True))


def surplus_notes(rest: bytes, preview: bool = False) -> tuple[Message, ...]:
    """Note what a file holds after its image; zeros are padding.

    Parameters
    ----------
    rest : bytes
        All that follows the image.
    preview : bool
        A smaller image is among it.
    """
    if preview:
        return (Message("imaging.note.preview"),)
    return (Message("imaging.note.surplus"),) if rest.strip(b"\0") else ()


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
        Reads the header and checks that the file is complete, as far as lengths and checksums show it.
    decode : callable
        Decodes a file whose header is within limits. Safe to call from several threads.
    damaged : str
        Code of the refusal of a file on which one of these raises anything but a refusal.
    bytes_per_pixel : int
        Memory that decoding takes at its peak, for each pixel, in the most costly variety of the format.
    """

    name: str
    extensions: tuple[str, ...]
    matches: Callable[[bytes], bool]
    read_header: Callable[[bytes], Header]
    decode: Callable[[bytes, Header], DecodedImage]
    damaged: str = "imaging.damaged"
    bytes_per_pixel: int = 20

    def peak_bytes(self, header: Header) -> int:
        """Estimate the memory that decoding takes at its peak."""
        return self.bytes_per_pixel * max(width * height for width, height in header.sizes)

    def header(self, data: bytes) -> Header:
        """Read the header.

        Raises
        ------
        ImageRefused
            The file is damaged, truncated, or of a variety that is not supported.
        """
        with self._refusing_damage():
            return self.read_header(data)

    def image(self, data: bytes, header: Header) -> DecodedImage:
        """Decode the image.

        Raises
        ------
        ImageRefused
        """
        with self._refusing_damage():
            return self.decode(data, header)

    @contextmanager
    def _refusing_damage(self) -> Iterator[None]:
        try:
            yield
        except CxrError:
            raise
        except Exception as error:  # libraries and decoders raise anything on damaged bytes
            raise UnreadableFile(self.damaged, format=self.name) from error
