"""All file formats that are read, in the order in which a file is compared with them.

To add a format, write a file like ``png.py`` and register it here.
"""

from cxrmodel.errors import UnsupportedFile
from cxrmodel.imaging.formats.dicom import DICOM
from cxrmodel.imaging.formats.image_format import ImageFormat
from cxrmodel.imaging.formats.jpeg import JPEG
from cxrmodel.imaging.formats.png import PNG
from cxrmodel.imaging.formats.tiff import TIFF
from cxrmodel.imaging.formats.unsupported import unsupported_code
from cxrmodel.imaging.formats.webp import WEBP
from cxrmodel.messages import Message, listed
from cxrmodel.registry import Registry

FORMATS: Registry[ImageFormat] = Registry("file format", DICOM, PNG, JPEG, TIFF, WEBP)


def find_format(data: bytes) -> ImageFormat:
    """Recognise the format of a file by its content.

    Parameters
    ----------
    data : bytes
        A whole file.

    Raises
    ------
    UnsupportedFile
        The message names the format where it is known, and what to do.
    """
    for image_format in FORMATS:
        if image_format.matches(data):
            return image_format
    raise UnsupportedFile(unsupported_code(data) or "imaging.unknown_format", formats=format_names())


def format_names() -> Message:
    """Names of the formats for readers: "DICOM, PNG, JPEG, TIFF or WebP"."""
    return listed(FORMATS.names)


def extensions() -> tuple[str, ...]:
    """Usual ends of file names of all formats, without the dot."""
    return tuple(extension for image_format in FORMATS for extension in image_format.extensions)
