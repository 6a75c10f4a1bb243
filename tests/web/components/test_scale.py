"""The scale that shows a probability among the thresholds."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrmodel.web.components.scale import scale_html
from tests.support.stand_ins import POINTS

CROSSED = {"high_sensitivity": 0.7, "balanced": 0.5, "high_specificity": 0.3}
NARROW = {"high_sensitivity": 0.02, "balanced": 0.03, "high_specificity": 0.05}


def zones(html: str) -> dict[str, float]:
    """Name and width, in per cent, of each zone."""
    return {name: float(width) for name, width in re.findall(r'<div class="(\w+)" style="width:([\d.]+)%"', html)}


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        (POINTS, {"normal": 20, "uncertain": 60, "pneumonia": 20}),
        (CROSSED, {"normal": 50, "pneumonia": 50}),
        (NARROW, {"normal": 2, "uncertain": 3, "pneumonia": 95}),
    ],
)
def test_zones_follow_thresholds(points, expected):
    """Normal, uncertain and pneumonia meet at the thresholds."""
    assert zones(scale_html(0.5, points)) == expected


def test_words_before_colours():
    """The zones are named, and the whole scale is said in words for a screen reader."""
    html = scale_html(0.87, POINTS)
    assert ">normal<" in html
    assert ">uncertain<" in html
    assert ">pneumonia<" in html
    assert (
        'aria-label="Probability 87\u00a0% on a scale from 0 to 100\u00a0%. Balanced threshold at 45.0\u00a0%. '
        'Uncertain from 20.0\u00a0% to 80.0\u00a0%."'
    ) in html


def test_no_word_where_there_is_no_room():
    """A zone too narrow for its word shows none; the label still tells of it."""
    html = scale_html(0.5, NARROW)
    assert ">uncertain<" not in html
    assert "Uncertain from 2.0\u00a0% to 5.0\u00a0%." in html


@given(st.floats(0, 1), st.lists(st.floats(0.001, 0.999), min_size=3, max_size=3))
def test_everything_stays_on_the_scale(probability, thresholds):
    """For any numbers the zones fill the scale and every mark lies on it."""
    html = scale_html(probability, dict(zip(POINTS, thresholds, strict=True)))
    assert sum(zones(html).values()) == pytest.approx(100, abs=0.01)
    places = [float(place) for place in re.findall(r"(?:left|right):(-?[\d.]+)%", html)]
    assert len(places) == 4
    assert all(0 <= place <= 100 for place in places)
