"""Bytes -> Radiograph. Nothing behind this module handles untrusted bytes."""

import hashlib
from dataclasses import dataclass, field

import numpy as np

from cxrmodel.errors import (
    EmptyFile,
    ImageRefused,
    ImageTooLarge,
    ImageTooSmall,
    ImplausibleShape,
    MultipleImages,
)
from cxrmodel.imaging.decoder_logs import hush
from cxrmodel.imaging.formats.bounds import Header, broken, read_header
from cxrmodel.imaging.formats.decode import Picture, decode
from cxrmodel.imaging.formats.sniff import is_dicom
from cxrmodel.imaging.greyscale import full_scale, single_channel

__all__ = ["MAX_ASPECT", "MAX_BYTES", "MAX_PIXELS", "MIN_SIDE", "Radiograph", "read_radiograph"]

MAX_BYTES = 64 * 2**20
MAX_PIXELS = 50_000_000
MIN_SIDE = 64
MAX_ASPECT = 4.0

# EXIF 2.32, tag 0x0112: quarter turns anticlockwise, then a left-to-right flip, that show the picture upright.
_TURNS = {
    2: (0, True, "mirrored left to right"),
    3: (2, False, "turned by 180 degrees"),
    4: (2, True, "flipped upside down"),
    5: (3, True, "turned and mirrored"),
    6: (3, False, "turned by 90 degrees clockwise"),
    7: (1, True, "turned and mirrored"),
    8: (1, False, "turned by 90 degrees anticlockwise"),
}


@dataclass(frozen=True, eq=False)
class Radiograph:
    """One image, upright and on one scale.

    Attributes
    ----------
    pixels : ndarray of float32, shape (H, W)
        0..1, air dark, read-only, C-contiguous.
    name : str
        Name that the image came under. Never used to judge it.
    sha256 : str
        Of the file's bytes, 64 hexadecimal digits.
    file_format : str
        "JPEG", "PNG", "TIFF", "WebP" or "DICOM".
    bits : int
        Stored bits per sample: commonly 8 to 16, else 1, 2, 4 or 32.
    notes : tuple of str
        Sentences on what was done to the image that its viewer should know.
    inverted : bool
        The file stores white as its lowest values, and the image was inverted.
    view_position : str or None
        "AP", "PA", or "frontal" where the file does not say which. This and what follows is known from DICOM alone.
    laterality : str or None
        "L", "R", "B" (both) or "U" (unpaired).
    pixel_spacing : (float, float) or None
        Millimetres between rows and between columns of ``pixels``.
    spacing_from : str or None
        Where that was measured: "calibrated" (in the patient), "imager" (at the detector, where an image is larger
        than the patient), "scanned" (on a digitised image), "unstated".
    age_years : float or None
        Age of the patient.
    stored_range : (int, int) or None
        Lowest and highest stored value of the image.
    study_uid, series_uid, instance_uid : str or None
        Of the DICOM objects, for reports. Never shown unasked.

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
    notes: tuple[str, ...] = ()
    inverted: bool = False
    view_position: str | None = None
    laterality: str | None = None
    pixel_spacing: tuple[float, float] | None = None
    spacing_from: str | None = None
    age_years: float | None = field(default=None, repr=False)
    stored_range: tuple[int, int] | None = None
    study_uid: str | None = field(default=None, repr=False)
    series_uid: str | None = field(default=None, repr=False)
    instance_uid: str | None = field(default=None, repr=False)

    def __post_init__(self):
        if self.pixels.ndim != 2 or self.pixels.dtype != np.float32 or not self.pixels.size:
            raise ValueError("the pixels of a radiograph are two-dimensional float32")
        # Written so that a NaN fails it as well.
        if not (self.pixels.min() >= 0 and self.pixels.max() <= 1):
            raise ValueError("the pixels of a radiograph lie between 0 and 1")
        pixels = np.ascontiguousarray(self.pixels).view()
        pixels.flags.writeable = False
        object.__setattr__(self, "pixels", pixels)


def read_radiograph(data: bytes, name: str) -> Radiograph:
    """Read a PNG, JPEG, TIFF, WebP or DICOM file as a radiograph.

    The type is judged by the content alone, and size and shape from the header before any pixel is decoded.
    Eight-bit levels are divided by 255; see `full_scale` for deeper ones and `single_channel` for pictures stored in
    colour. Transparent parts become black, as air is. Polarity is what the file says (TIFF WhiteIsZero is
    inverted), and the image is turned as its EXIF or TIFF orientation says, each with a note. What becomes of a DICOM
    file is told by `cxrmodel.imaging.dicom.image`. Safe to call from several threads.

    Parameters
    ----------
    data : bytes
        A whole file, at most 64 MiB.
    name : str
        Name to carry along.

    Returns
    -------
    Radiograph
        At least 64 pixels a side, at most 50 million in all and four times as long as wide.

    Raises
    ------
    ImageRefused
        One of its subclasses, with a sentence that says what to do; nothing else, whatever the bytes.
    """
    if not data:
        raise EmptyFile("This file is empty: copy it again from its source and drop it once more.")
    if len(data) > MAX_BYTES:
        raise ImageTooLarge(
            f"This file is larger than {MAX_BYTES // 2**20} MiB: export the image as a compressed greyscale PNG "
            "or at a smaller size."
        )
    hush()
    if is_dicom(data):
        return _from_dicom(data, name)
    header = read_header(data)
    _check(header)
    try:
        return _radiograph(decode(data, header), data, header, name)
    except ImageRefused:
        raise
    except Exception as error:  # Decoders raise whatever they like on damaged bytes.
        raise broken(header.file_format) from error


def _from_dicom(data: bytes, name: str) -> Radiograph:
    # Half a second of imports that no other image needs.
    from cxrmodel.imaging.dicom.image import open_dicom, show

    image = open_dicom(data)
    raster = image.raster
    for width, height in ((raster.columns, raster.rows), (image.width, image.height)):
        _check(Header("DICOM", width, height, raster.stored))
    shown = show(image)
    tags = shown.tags
    return Radiograph(
        pixels=shown.pixels,
        name=name,
        sha256=hashlib.sha256(data).hexdigest(),
        file_format="DICOM",
        bits=raster.stored,
        notes=tags.notes,
        inverted=shown.inverted,
        view_position=tags.view_position,
        laterality=tags.laterality,
        pixel_spacing=tags.pixel_spacing,
        spacing_from=tags.spacing_from,
        age_years=tags.age_years,
        stored_range=shown.stored_range,
        study_uid=tags.study_uid,
        series_uid=tags.series_uid,
        instance_uid=tags.instance_uid,
    )


def _check(header: Header) -> None:
    """Refuse from the header alone what must not be decoded."""
    if header.several:
        raise MultipleImages(
            "This file holds more than one picture, such as an animation or several pages: "
            "export the one image as a PNG or a TIFF of a single page."
        )
    shorter, longer = sorted((header.width, header.height))
    if shorter < MIN_SIDE:
        raise ImageTooSmall(
            f"This picture is {header.width} x {header.height} pixels, and an image needs at least {MIN_SIDE} on each "
            "side: export the image at its full size."
        )
    if shorter * longer > MAX_PIXELS:
        raise ImageTooLarge(
            f"This picture has more than {MAX_PIXELS // 1_000_000} million pixels "
            f"({header.width} x {header.height}): export the image at a smaller size."
        )
    if longer > MAX_ASPECT * shorter:
        raise ImplausibleShape(
            f"This picture is {header.width} x {header.height} pixels, a strip more than {MAX_ASPECT:g} times as long "
            "as wide, which no chest radiograph is: export the whole image, uncropped."
        )


def _radiograph(picture: Picture, data: bytes, header: Header, name: str) -> Radiograph:
    """Bring a decoded picture to one channel, one scale, one polarity, and upright."""
    notes = []
    white, depth = full_scale(picture.samples)
    grey, tinted = single_channel(picture.samples, white)
    if tinted:
        notes.append("The image is stored with a faint tint; its brightness was read.")
    if 8 <= depth < header.bits:
        notes.append(f"The image is stored in {header.bits} bits and uses {depth}; it was read as {depth}-bit.")
    pixels = np.divide(grey, np.float32(white), dtype=np.float32)
    if header.white_is_zero:
        pixels = np.subtract(np.float32(1), pixels, out=pixels)
        notes.append("The file stores white as zero; the image was inverted so that air is dark.")
    if picture.alpha is not None:
        pixels *= picture.alpha
        notes.append("The picture is partly transparent; transparent parts were read as black.")
    if picture.orientation in _TURNS:
        quarters, mirrored, words = _TURNS[picture.orientation]
        pixels = np.rot90(pixels, quarters)
        pixels = pixels[:, ::-1] if mirrored else pixels
        notes.append(f"The image was {words}, as the file asks for.")
    sha256 = hashlib.sha256(data).hexdigest()
    return Radiograph(
        pixels, name, sha256, header.file_format, header.bits, tuple(notes), inverted=header.white_is_zero
    )
