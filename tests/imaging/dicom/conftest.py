"""Fixtures of the DICOM tests: a writer of files, and images of a few known stored values."""

from collections.abc import Callable

import numpy as np
import pytest

from cxrmodel.imaging.radiograph import Radiograph, read_radiograph
from tests.support.dicom_files import dicom


@pytest.fixture(scope="session")
def read() -> Callable[..., Radiograph]:
    """A function ``read(samples, *options, **elements)`` that reads the DICOM file written with them."""

    def written_and_read(samples, *options, **elements):
        return read_radiograph(dicom(samples, *options, **elements), "image")

    return written_and_read


@pytest.fixture(scope="session")
def levels(read) -> Callable[..., list[float]]:
    """A function ``levels(stored, dtype="u2", **elements)``: eight stored values -> the grey levels shown for them."""

    def shown(stored, dtype="u2", **elements):
        samples = np.tile(np.repeat(np.array(stored).astype(dtype), 8), (64, 1))
        pixels = read(samples, **elements).pixels
        assert (pixels == pixels[:1]).all()
        return pixels[0, 4::8].tolist()

    return shown
