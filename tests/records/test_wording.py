"""How a reading is put into words."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stand_ins import POINTS, fake_reading

from cxrmodel.model.calibration import finding
from cxrmodel.records.wording import (
    band,
    facts,
    heat_sentence,
    in_a_hundred,
    percent,
    reason_for_finding,
    threshold_percent,
)

CROSSED = {"high_sensitivity": 0.7, "balanced": 0.5, "high_specificity": 0.3}


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        (0.0, "<\u00a01\u00a0%"),
        (0.0099, "<\u00a01\u00a0%"),
        (0.01, "1\u00a0%"),
        (0.734, "73\u00a0%"),
        (0.99, "99\u00a0%"),
        (0.9901, ">\u00a099\u00a0%"),
        (1.0, ">\u00a099\u00a0%"),
    ],
)
def test_percent(share, expected):
    """A probability is a whole percentage, and never a false certainty."""
    assert percent(share) == expected


@given(st.floats(0, 1))
def test_percent_never_says_certain(share):
    """Neither 0 % nor 100 % is ever said of a film."""
    assert percent(share) not in ("0\u00a0%", "100\u00a0%")


@pytest.mark.parametrize(
    ("threshold", "expected"),
    [
        (0.413, "41.3\u00a0%"),
        (0.00042, "0.04\u00a0%"),
        (0.99996, "99.996\u00a0%"),
        (0.0, "0\u00a0%"),
        (1.0, "100\u00a0%"),
    ],
)
def test_threshold_percent(threshold, expected):
    """A threshold keeps one decimal, or as many as tell it from 0 and 100."""
    assert threshold_percent(threshold) == expected


@given(st.floats(1e-9, 1 - 1e-9))
def test_threshold_within_is_said_within(threshold):
    """A threshold between 0 and 1 is never said to be 0 or 100."""
    assert 0 < float(threshold_percent(threshold).split("\u00a0")[0]) < 100


@pytest.mark.parametrize(
    ("share", "expected"),
    [(0.003, "fewer than 1 in 100"), (0.5, "about 50 in 100"), (0.999, "more than 99 in 100")],
)
def test_in_a_hundred(share, expected):
    """A probability is also said as a natural frequency."""
    assert in_a_hundred(share) == expected


def test_band():
    """The band runs between the outer operating points; there is none where they cross."""
    assert band(POINTS) == (0.2, 0.8)
    assert band(CROSSED) is None


@pytest.mark.parametrize(
    ("probability", "points", "expected"),
    [
        (0.8, POINTS, "at or above 80.0\u00a0%, the upper edge"),
        (0.19, POINTS, "below 20.0\u00a0%, the lower edge"),
        (0.2, POINTS, "between 20.0\u00a0% and 80.0\u00a0%"),
        (0.5, CROSSED, "at or above 50.0\u00a0%, the balanced threshold"),
        (0.49, CROSSED, "below 50.0\u00a0%, the balanced threshold"),
    ],
)
def test_reason_for_finding(probability, points, expected):
    """The sentence names the threshold that led to the finding."""
    assert expected in reason_for_finding(finding(probability, points), points)


@pytest.mark.parametrize(
    ("share", "expected"),
    [(None, "No heat anywhere"), (0.31, "Only 31\u00a0%"), (0.5, "50\u00a0% of the heat lies within")],
)
def test_heat_sentence(share, expected):
    """Heat mostly outside the lungs is a warning."""
    assert heat_sentence(share).startswith(expected)


@pytest.mark.parametrize(("probability", "side"), [(0.45, "at or above"), (0.449, "below")])
def test_facts(probability, side):
    """Operating point, band, heat, prevalence, ages and model stand beside every probability."""
    stated = dict(facts(fake_reading(np.zeros((8, 8)), probability=probability)))
    assert stated == {
        "Operating point": f"balanced, threshold 45.0\u00a0%; this film is {side} it",
        "Uncertain band": "20.0\u00a0% to 80.0\u00a0%",
        "Heat within the lungs": "83\u00a0%",
        "Prevalence assumed": "74\u00a0%",
        "Trained on ages": "one to five years",
        "Model": "densenet121 0123456789ab",
    }


def test_facts_say_what_is_not_there():
    """No heat and no band are said in words."""
    reading = fake_reading(np.zeros((8, 8)), heat_in_lungs=None, operating_points=CROSSED)
    stated = dict(facts(reading))
    assert stated["Heat within the lungs"] == "no heat on the film"
    assert stated["Uncertain band"] == "none, as the thresholds cross"
