"""The verdict of a faithfulness test, from known curves."""

import numpy as np
import pytest

from cxrmodel.explain.faithfulness import Curves
from cxrmodel.explain.image_test import ImageTest
from cxrmodel.messages import Message
from cxrmodel.web.heatmap.faithfulness import curves_chart, is_decisive, verdict

SHARE = np.array([0.0, 0.5, 1.0])


def curved(own: float, random: float, intact: float = 0.9, blurred: float = 0.1) -> ImageTest:
    """Curves between two scores whose middles are given."""

    def through(middle: float) -> Curves:
        return Curves(SHARE, np.array([intact, middle, blurred]), np.array([blurred, middle, intact]))

    return ImageTest(through(own), through(random), 1.0)


@pytest.mark.parametrize(
    ("own", "random", "deletion", "insertion"),
    [
        (0.2, 0.6, "better", "worse"),
        (0.6, 0.2, "worse", "better"),
        (0.5, 0.5, "equal", "equal"),
        (0.502, 0.498, "equal", "equal"),
    ],
)
def test_verdict_follows_the_numbers_as_shown(own, random, deletion, insertion):
    """Lower deletion and higher insertion are better; means that round to the same number are equal."""
    result = curved(own, random)
    assert verdict(result, "deletion") == Message(f"web.faithfulness.verdict_{deletion}")
    assert verdict(result, "insertion") == Message(f"web.faithfulness.verdict_{insertion}")


@pytest.mark.parametrize(
    ("intact", "blurred", "decisive"), [(0.9, 0.1, True), (0.9, 0.79, True), (0.9, 0.82, False), (0.3, 0.7, False)]
)
def test_no_verdict_where_blurring_lowers_the_score_too_little(intact, blurred, decisive):
    """A score that hardly falls when everything is blurred, or rises, cannot compare orders."""
    result = curved(0.2, 0.6, intact, blurred)
    assert is_decisive(result) is decisive
    for kind in ("deletion", "insertion"):
        assert (verdict(result, kind).code == "web.faithfulness.verdict_undecided") is not decisive


@pytest.mark.parametrize("kind", ["deletion", "insertion"])
def test_both_orders_are_drawn(kind):
    """A line each, with every share, between 0 and 100 %."""
    chart = curves_chart(curved(0.2, 0.6), kind, "Grad-CAM").to_dict()
    (rows,) = chart["datasets"].values()
    assert [row["share"] for row in rows if row["order"] == "Grad-CAM"] == [0, 50, 100]
    assert len({row["order"] for row in rows}) == 2
    for axis in "xy":
        assert chart["encoding"][axis]["scale"]["domain"] == [0, 100]
