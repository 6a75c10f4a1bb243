"""The scale that shows a probability among the thresholds."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrmodel.metrics.formatting import threshold_percent
from cxrmodel.model.spec import Labels
from cxrmodel.web.components.scale import scale_html
from tests.support.pages import words
from tests.support.stand_ins import POINTS

LABELS = Labels(positive="effusion", negative="clear")
CROSSED = {"high_sensitivity": 0.7, "balanced": 0.5, "high_specificity": 0.3}
NARROW = {"high_sensitivity": 0.02, "balanced": 0.03, "high_specificity": 0.05}


def zones(html: str) -> dict[str, float]:
    """Name and width, in per cent, of each zone."""
    return {name: float(width) for name, width in re.findall(r'<div class="(\w+)" style="width:([\d.]+)%"', html)}


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        (POINTS, {"negative": 20, "uncertain": 60, "positive": 20}),
        (CROSSED, {"negative": 50, "positive": 50}),
        (NARROW, {"negative": 2, "uncertain": 3, "positive": 95}),
    ],
)
def test_zones_follow_thresholds(points, expected):
    """The zones meet at the thresholds."""
    assert zones(scale_html(0.5, points, LABELS)) == expected


def label(probability: str, points: dict[str, float]) -> str:
    """The scale in words."""
    edges = {
        "low": threshold_percent(points["high_sensitivity"]),
        "high": threshold_percent(points["high_specificity"]),
    }
    threshold = threshold_percent(points["balanced"])
    return words("web.scale.label", probability=probability, threshold=threshold, **edges)


def test_words_before_colours():
    """The zones are named by the model's labels, and the whole scale is described for a screen reader."""
    html = scale_html(0.87, POINTS, LABELS)
    for name in ("clear", "uncertain", "effusion"):
        assert f">{name}<" in html
    assert f'aria-label="{label("87 %", POINTS)}"' in " ".join(html.split())


def test_no_word_where_there_is_no_room():
    """A zone too narrow for its name shows none; the label still has its edges."""
    html = scale_html(0.5, NARROW, LABELS)
    assert ">uncertain<" not in html
    assert label("50 %", NARROW) in " ".join(html.split())


@given(st.floats(0, 1), st.lists(st.floats(0.001, 0.999), min_size=3, max_size=3))
def test_everything_stays_on_the_scale(probability, thresholds):
    """For any values the zones fill the scale and every mark is on it."""
    html = scale_html(probability, dict(zip(POINTS, thresholds, strict=True)), LABELS)
    assert sum(zones(html).values()) == pytest.approx(100, abs=0.01)
    places = [float(place) for place in re.findall(r"(?:left|right):(-?[\d.]+)%", html)]
    assert len(places) == 4
    assert all(0 <= place <= 100 for place in places)
