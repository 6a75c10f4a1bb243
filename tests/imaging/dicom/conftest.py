"""What every test of DICOM uses: the writer of files, and films of a few known stored values."""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from dicom_files import dicom

from cxrmodel.imaging.radiograph import Radiograph, read_radiograph


@pytest.fixture(scope="session")
def read() -> Callable[..., Radiograph]:
    """A function ``read(samples, *options, **elements)`` that reads the DICOM file written with them."""

    def written_and_read(samples, *options, **elements):
        return read_radiograph(dicom(samples, *options, **elements), "film")

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
