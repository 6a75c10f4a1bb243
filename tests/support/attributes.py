"""The header of a DICOM image with given attributes, and the notes on attributes that say nothing."""

import numpy as np

from cxrmodel.imaging.dicom.header import DicomHeader, read_dicom_header
from cxrmodel.messages import Message, listed
from tests.support.dicom_files import dicom

IMAGE = np.zeros((64, 64), np.uint8)


def header(**elements) -> DicomHeader:
    """The header of an image with these elements; text is stored as UTF-8, whatever the standard allows."""
    stored = {
        keyword: value.encode().decode("latin-1") if isinstance(value, str) else value
        for keyword, value in elements.items()
    }
    return read_dicom_header(dicom(IMAGE, **stored))


def not_stated(*attributes: str) -> Message:
    """The note on missing attributes."""
    return _note("not_stated", attributes)


def not_known(*attributes: str) -> Message:
    """The note on attributes in unknown terms."""
    return _note("not_known", attributes)


def _note(code: str, attributes: tuple[str, ...]) -> Message:
    named = [Message(f"imaging.dicom.attribute.{name}") for name in attributes]
    return Message(f"imaging.dicom.{code}", attributes=listed(named))
