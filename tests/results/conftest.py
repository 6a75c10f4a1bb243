"""Results of a made-up reading of a drawn image."""

from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO

import numpy as np
import pydicom
import pytest

from cxrmodel.results.objects import ResultObject, result_objects
from tests.support.dicom_files import dicom
from tests.support.stand_ins import SPEC, fake_reading

MADE_AT = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


@pytest.fixture(scope="session")
def pixels(make_image) -> np.ndarray:
    """A drawn image, small."""
    return make_image(0, (224, 240))


@pytest.fixture(scope="session")
def file(pixels) -> Callable[..., bytes]:
    """A function ``file(**elements)``: the drawn image as a DICOM file with these elements."""
    stored = np.rint(pixels * 255).astype(np.uint8)
    return lambda syntax="explicit", **elements: dicom(stored, syntax, **elements)


@pytest.fixture(scope="session")
def results(pixels, file) -> Callable[..., dict[str, ResultObject]]:
    """A function ``results(outcome=None, dicom=None, spec=SPEC, **options)``: objects by kind."""

    def make(outcome=None, dicom=None, spec=SPEC, **options) -> dict[str, ResultObject]:
        outcome = fake_reading(pixels) if outcome is None else outcome
        options = {"prevalence": SPEC.prevalence, "made_at": MADE_AT} | options
        made = result_objects(file() if dicom is None else dicom, outcome, spec, **options)
        return {result.kind: result for result in made}

    return make


@pytest.fixture(scope="session")
def parsed() -> Callable[[ResultObject], pydicom.Dataset]:
    """A function ``parsed(result)``: a result as pydicom reads it."""
    return lambda result: pydicom.dcmread(BytesIO(result.data))
