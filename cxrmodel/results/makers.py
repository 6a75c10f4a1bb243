"""How an object of each kind is made."""

from collections.abc import Callable

from pydicom.dataset import Dataset

from cxrmodel.errors import ImageRefused
from cxrmodel.model.spec import ModelSpec
from cxrmodel.reading import Reading
from cxrmodel.results.capture import secondary_capture
from cxrmodel.results.head import Head
from cxrmodel.results.report import structured_report

MAKERS: dict[str, Callable[[Head, Reading | ImageRefused, ModelSpec], Dataset | None]] = {
    "sr": structured_report,
    "sc": secondary_capture,
}
"""By kind; None where an image that was not read has no object of it."""
