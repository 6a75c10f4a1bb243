"""The age check and the range that a model's specification gives."""

from dataclasses import replace

import numpy as np
import pytest

from cxrmodel.checks.age import years_outside
from cxrmodel.checks.suite import Checks
from cxrmodel.imaging.radiograph import Radiograph
from cxrmodel.messages import Message
from cxrmodel.model.spec import AgeRange, load_spec


@pytest.mark.parametrize(
    ("age", "expected"),
    [(0.0, 1.0), (0.5, 0.5), (0.999, 0.001), (1.0, 0.0), (5.999, 0.0), (6.0, 1.0), (62.0, 57.0)],
)
def test_years_outside_by_hand(age, expected):
    """A patient is five years old until the sixth birthday."""
    assert years_outside(age, AgeRange(low=1, high=5)) == pytest.approx(expected)


@pytest.mark.parametrize(("age", "warns"), [(3.0, False), (17.0, True), (0.5, True), (None, False)])
def test_an_age_outside_the_range_is_a_warning(age, warns):
    """The range is the model's own; an unknown age gives no result."""
    model = load_spec("cnn")
    checks = Checks.load(model)
    image = Radiograph(np.zeros((300, 300), np.float32), "x", "0" * 64, "DICOM", 8, age_years=age)
    _, report = checks.examine_image(checks.input(image))
    assert report.has_warning("age") == warns
    assert any(result.check == "age" for result in report.results) == (age is not None)
    stated = Message("checks.unlike.age", ages=str(model.ages), years=int(age or 0))
    assert (report.unlike == stated and report.warnings[0] == stated) == warns


def test_another_range_needs_no_other_edit():
    """A model for adults warns of children."""
    model = load_spec("cnn")
    adult = Checks.load(model.replace(ages=AgeRange(low=18, high=90)))
    image = Radiograph(np.zeros((300, 300), np.float32), "x", "0" * 64, "DICOM", 8, age_years=40.0)
    assert not adult.examine_image(adult.input(image))[1].has_warning("age")
    assert adult.examine_image(adult.input(replace(image, age_years=3.0)))[1].has_warning("age")
