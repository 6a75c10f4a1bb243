"""One style for figures."""

import math

import pytest

from cxrmodel.metrics import formatting
from cxrmodel.metrics.estimate import Estimate

SPACE = "\u00a0"


@pytest.mark.parametrize(
    ("figure", "expected"),
    [
        (Estimate(0.98765, 0.98, 0.9941, 10), "0.988 (0.980 to 0.994)"),
        (Estimate(0.5, None, None, 10), "0.500"),
        (Estimate(3.0, 2.0, math.inf, 10), "3.000 (2.000 to no upper bound)"),
        (Estimate.undefined(), "not defined"),
    ],
    ids=["whole", "no interval", "no upper bound", "undefined"],
)
def test_estimate(figure, expected):
    """An interval is written with a word, as a dash could be read as a minus."""
    assert formatting.estimate(figure) == expected


@pytest.mark.parametrize(
    ("figure", "expected"),
    [
        (Estimate(-0.0123, -0.02, 0.001, 10), "-0.012 (-0.020 to +0.001)"),
        (Estimate(0.00001, None, None, 10), "0.000"),
        (-0.00049, "0.000"),
        (0.0126, "+0.013"),
        (None, "not defined"),
    ],
)
def test_change(figure, expected):
    """With its sign; what rounds to nothing has none."""
    assert formatting.change(figure) == expected


def test_spread():
    """A single run has no deviation."""
    assert formatting.spread(0.98765, 0.00123) == "0.9877 ± 0.0012"
    assert formatting.spread(0.98765, None) == "0.9877"


def test_count_share():
    """A share of nothing is left out."""
    assert formatting.count_share(12, 624) == f"12 (1.9{SPACE}%)"
    assert formatting.count_share(0, 0) == "0"


@pytest.mark.parametrize(
    ("share", "expected"), [(0.0001, "< 1 %"), (0.01, "1 %"), (0.734, "73 %"), (0.99, "99 %"), (0.9999, "> 99 %")]
)
def test_percent_is_never_a_false_certainty(share, expected):
    """Neither 0 nor 100 %."""
    assert formatting.percent(share) == expected.replace(" ", SPACE)


@pytest.mark.parametrize(
    ("probability", "threshold", "expected"),
    [
        (0.734, 0.73, ("73.4 %", "73.0 %")),
        (0.73, 0.73, ("73.0 %", "73.0 %")),
        (0.726, 0.73, ("72.6 %", "73.0 %")),
        (0.6, 0.73, ("60 %", "73.0 %")),
        (0.999, 0.73, ("> 99 %", "73.0 %")),
        # One decimal would show both as 30.6 %, though the image is below.
        (0.3057, 0.3058, ("30.57 %", "30.58 %")),
        # Where the threshold itself lies among the extremes, these are told apart.
        (0.003, 0.005, ("0.3 %", "0.5 %")),
        (0.00001, 0.005, ("< 0.1 %", "0.5 %")),
        (0.007, 0.005, ("0.7 %", "0.5 %")),
        (0.998, 0.995, ("99.8 %", "99.5 %")),
        (1.0, 0.99992, ("> 99.99 %", "99.99 %")),
    ],
)
def test_a_number_agrees_with_the_threshold_beside_it(probability, threshold, expected):
    """Written with as many decimals as it takes to compare as the exact ones do."""
    found = formatting.percentages(probability, {"balanced": threshold})
    assert (found.probability, found.thresholds["balanced"]) == tuple(text.replace(" ", SPACE) for text in expected)


@pytest.mark.parametrize(
    ("threshold", "expected"),
    [(0.0, "0 %"), (1.0, "100 %"), (0.266, "26.6 %"), (0.00004, "0.004 %"), (0.99996, "99.996 %")],
)
def test_threshold_differs_from_0_and_100(threshold, expected):
    """With as many decimals as that takes."""
    assert formatting.threshold_percent(threshold) == expected.replace(" ", SPACE)


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        (0.0, "< 1 %"),
        (0.0099, "< 1 %"),
        (0.29, "29 %"),
        (0.4999, "49 %"),
        (0.5, "50 %"),
        (0.996, "99 %"),
        (1.0, "100 %"),
    ],
)
def test_floor_percent(share, expected):
    """Less than half never reads as half, nor nearly all as all."""
    assert formatting.floor_percent(share) == expected.replace(" ", SPACE)
