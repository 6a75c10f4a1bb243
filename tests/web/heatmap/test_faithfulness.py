"""The verdict of a faithfulness test, from known curves."""

import numpy as np
import pytest

from cxrmodel.explain.faithfulness import Curves
from cxrmodel.explain.image_test import ImageTest
from cxrmodel.messages import Message
from cxrmodel.web.heatmap.faithfulness import described, is_decisive, verdict
from tests.support.stand_ins import fake_reading

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


def test_both_curves_and_their_sentences():
    """Scores in both orders at each share of the places; below the threshold, and where nothing falls, a notice."""
    reading = fake_reading(np.full((80, 80), 0.5))
    told = described(curved(0.2, 0.6), reading, "gradcam")
    assert [curve["share"] for curve in told["curves"]] == [[0, 0.5, 1]] * 2
    deletion = told["curves"][0]
    assert (deletion["map"], deletion["random"]) == ([0.9, 0.2, 0.1], [0.9, 0.6, 0.1])
    assert "better than random orders" in deletion["words"]
    assert told["sentences"][0] == str(Message("web.faithfulness.stability_holds", title="Grad-CAM", value=1.0))
    assert told["notices"] == []
    low = fake_reading(np.full((80, 80), 0.5), probability=0.1)
    notices = described(curved(0.2, 0.6, 0.9, 0.85), low, "gradcam")["notices"]
    assert notices == [
        str(Message("web.faithfulness.negative")),
        str(Message("web.faithfulness.no_fall", first=0.9, last=0.85)),
    ]
