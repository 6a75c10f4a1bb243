"""What is said of one image's test of its map, from curves that are known."""

import numpy as np
import pytest

from cxrmodel.explain.faithfulness import Curves
from cxrmodel.explain.image_test import ImageTest
from cxrmodel.web.heatmap.faithfulness import _chart, _said, _tells

SHARE = np.array([0.0, 0.5, 1.0])


def curved(own: float, random: float, intact: float = 0.9, blurred: float = 0.1) -> ImageTest:
    """Curves between two scores whose middles are given."""

    def through(middle: float) -> Curves:
        return Curves(SHARE, np.array([intact, middle, blurred]), np.array([blurred, middle, intact]))

    return ImageTest(through(own), through(random), 1.0)


@pytest.mark.parametrize(
    ("own", "random", "deletion", "insertion"),
    [
        (0.2, 0.6, "as it should be", "worse than random orders"),
        (0.6, 0.2, "worse than random orders", "as it should be"),
        (0.5, 0.5, "no better than random orders", "no better than random orders"),
        (0.502, 0.498, "no better than random orders", "no better than random orders"),
    ],
)
def test_verdict_follows_the_numbers_as_shown(own, random, deletion, insertion):
    """Worse is said to be worse, and what reads alike is neither."""
    found = curved(own, random)
    assert deletion in _said(found, "deletion")
    assert insertion in _said(found, "insertion")


@pytest.mark.parametrize(
    ("intact", "blurred", "tells"), [(0.9, 0.1, True), (0.9, 0.79, True), (0.9, 0.82, False), (0.3, 0.7, False)]
)
def test_no_verdict_where_blurring_takes_nothing_away(intact, blurred, tells):
    """A score that hardly falls when all is blurred, or rises, cannot tell one order from another."""
    found = curved(0.2, 0.6, intact, blurred)
    assert _tells(found) is tells
    for kind in ("deletion", "insertion"):
        assert ("this image cannot tell" in _said(found, kind)) is not tells


@pytest.mark.parametrize("kind", ["deletion", "insertion"])
def test_titles_of_the_axes_fit(kind):
    """Both columns stand beside each other, and the curves are 260 pixels high."""
    encoding = _chart(curved(0.2, 0.6), kind, "Grad-CAM").to_dict()["encoding"]
    assert encoding["y"]["title"] == "Score (%)"
    assert encoding["x"]["title"].startswith("Places ")
