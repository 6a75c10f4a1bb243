"""Logits, probabilities, prevalence and operating points."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrmodel.model.calibration import at_prevalence, finding, probability, rounded, with_thresholds
from cxrmodel.model.spec import Labels, OperatingPoints

LABELS = Labels(positive="effusion", negative="clear")
SHARES = st.floats(0.001, 0.999)


@pytest.mark.parametrize(
    ("logit", "temperature", "prevalence", "expected"),
    [
        (0.0, 1.0, 0.5, 0.5),
        (0.0, 3.0, 0.8, 0.8),
        (np.log(3.0), 1.0, 0.5, 0.75),
        (np.log(9.0), 2.0, 0.5, 0.75),
        (np.log(3.0), 1.0, 0.25, 0.5),
        (-800.0, 1.0, 0.5, 0.0),
        (800.0, 1.0, 0.5, 1.0),
    ],
)
def test_probability_by_hand(logit, temperature, prevalence, expected):
    """Odds of 3 at a prevalence of a quarter give even odds, and so on."""
    assert probability(logit, temperature, prevalence) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("logit", "temperature", "prevalence", "intercept", "expected"),
    [
        (0.0, 1.0, 0.5, np.log(3.0), 0.75),
        (np.log(9.0), 2.0, 0.5, -np.log(3.0), 0.5),
        (0.0, 4.0, 0.25, np.log(3.0), 0.5),
    ],
)
def test_intercept_by_hand(logit, temperature, prevalence, intercept, expected):
    """It is added after the temperature, and a prevalence of a quarter cancels odds of 3."""
    assert probability(logit, temperature, prevalence, intercept) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("temperature", "prevalence"), [(0.0, 0.5), (-1.0, 0.5), (1.0, 0.0), (1.0, 1.0)])
def test_impossible_settings_raise(temperature, prevalence):
    """A temperature of 0, a prevalence of 0 or 1."""
    with pytest.raises(ValueError, match=r"temperature|prevalence"):
        probability(0.0, temperature, prevalence)


def test_arrays_and_numbers_agree():
    """An array gives the values of its elements."""
    logits = np.array([-3.0, 0.0, 2.5])
    np.testing.assert_array_equal(probability(logits, 1.7, 0.7), [probability(z, 1.7, 0.7) for z in logits])


@given(SHARES, SHARES, SHARES)
def test_prevalence_adjustment_can_be_undone(value, assumed, wanted):
    """Adjusting there and back gives the first probability; the same prevalence changes nothing."""
    there = at_prevalence(value, assumed, wanted)
    assert at_prevalence(there, wanted, assumed) == pytest.approx(value, rel=1e-9)
    assert at_prevalence(value, assumed, assumed) == pytest.approx(value)


@given(st.floats(-20, 20), st.floats(0.1, 10), SHARES, SHARES)
def test_prevalence_adjustment_equals_the_prior(logit, temperature, assumed, wanted):
    """Adjusting a probability equals computing it at the other prevalence."""
    shifted = at_prevalence(probability(logit, temperature, assumed), assumed, wanted)
    assert shifted == pytest.approx(probability(logit, temperature, wanted), rel=1e-6, abs=1e-9)


def test_bayes_by_hand():
    """Three in four at even odds becomes one in two where the prevalence is a quarter."""
    assert at_prevalence(0.75, 0.5, 0.25) == pytest.approx(0.5)


BAND = {"high_sensitivity": 0.2, "balanced": 0.5, "high_specificity": 0.8}
CROSSED = {"high_sensitivity": 0.7, "balanced": 0.5, "high_specificity": 0.3}


@pytest.mark.parametrize(
    ("value", "points", "expected"),
    [
        (0.0, BAND, "clear"),
        (0.1999, BAND, "clear"),
        (0.2, BAND, "uncertain"),
        (0.7999, BAND, "uncertain"),
        (0.8, BAND, "effusion"),
        (1.0, BAND, "effusion"),
        (0.4999, CROSSED, "clear"),
        (0.5, CROSSED, "effusion"),
        (0.65, CROSSED, "effusion"),
    ],
)
def test_findings(value, points, expected):
    """Positive at the upper threshold, negative below the lower one; crossed thresholds leave no band."""
    assert finding(value, points, LABELS) == expected


POINTS = OperatingPoints(high_sensitivity=0.2, balanced=0.5, high_specificity=0.8)


@pytest.mark.parametrize(
    ("value", "wanted", "expected"),
    [
        # At even odds a probability of 0.8 are odds of 4. A prevalence of 0.2 are odds of 1/4, one of 0.75 of 3.
        (0.8, 0.5, (0.8, 0.2, 0.5, 0.8)),
        (0.8, 0.2, (1 / 2, 1 / 17, 1 / 5, 1 / 2)),
        (0.8, 0.75, (12 / 13, 3 / 7, 3 / 4, 12 / 13)),
        (0.0, 0.2, (0.0, 1 / 17, 1 / 5, 1 / 2)),
        (1.0, 0.2, (1.0, 1 / 17, 1 / 5, 1 / 2)),
    ],
)
def test_thresholds_move_with_the_probability(value, wanted, expected):
    """By hand: the odds of each, times the odds of the prevalence."""
    found, points = with_thresholds(value, POINTS, 0.5, wanted)
    assert (found, *points.values()) == pytest.approx(expected)


def test_a_probability_stays_on_its_side_of_every_threshold():
    """Also one that differs from a threshold by the last digit alone, at any prevalence."""
    rng = np.random.default_rng(0)
    for assumed, wanted in rng.uniform(0.001, 0.999, (200, 2)):
        points = OperatingPoints(**dict(zip(POINTS, np.sort(rng.uniform(0.001, 0.999, 3)).tolist(), strict=True)))
        for edge in points.values():
            for value in (edge, math.nextafter(edge, 0), math.nextafter(edge, 1)):
                found, moved = with_thresholds(value, points, assumed, wanted)
                assert [found >= moved[name] for name in points] == [value >= points[name] for name in points]


@pytest.mark.parametrize(
    ("value", "threshold", "expected"),
    [
        (0.123456789, 0.5, 0.123457),
        (0.4999999999, 0.5, 0.4999999999),
        (0.00001234567, 0.5, 0.0000123457),
        (1.0, 0.5, 1.0),
    ],
)
def test_rounding_crosses_no_threshold(value, threshold, expected):
    """Six significant digits, or as many as it takes."""
    assert rounded(value, [threshold]) == expected
