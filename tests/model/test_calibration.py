"""Logits, probabilities, prevalence and operating points."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrmodel.model.calibration import (
    at_prevalence,
    choose_operating_points,
    finding,
    probability,
)

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
    """Odds of 3 against a prevalence of a quarter are even, and so on."""
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
    """It is added after the temperature, and a prevalence of a quarter takes odds of 3 back."""
    assert probability(logit, temperature, prevalence, intercept) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("temperature", "prevalence"), [(0.0, 0.5), (-1.0, 0.5), (1.0, 0.0), (1.0, 1.0)])
def test_impossible_settings_raise(temperature, prevalence):
    """No temperature of nothing, no prevalence of nobody or everybody."""
    with pytest.raises(ValueError, match=r"temperature|prevalence"):
        probability(0.0, temperature, prevalence)


def test_arrays_and_numbers_agree():
    """An array gives what its elements give."""
    logits = np.array([-3.0, 0.0, 2.5])
    np.testing.assert_array_equal(probability(logits, 1.7, 0.7), [probability(z, 1.7, 0.7) for z in logits])


@given(SHARES, SHARES, SHARES)
def test_prevalence_shift_can_be_undone(value, assumed, wanted):
    """There and back is where one was; staying changes nothing."""
    there = at_prevalence(value, assumed, wanted)
    assert at_prevalence(there, wanted, assumed) == pytest.approx(value, rel=1e-9)
    assert at_prevalence(value, assumed, assumed) == pytest.approx(value)


@given(st.floats(-20, 20), st.floats(0.1, 10), SHARES, SHARES)
def test_prevalence_shift_is_the_prior_in_the_probability(logit, temperature, assumed, wanted):
    """Shifting a probability is computing it under the other prevalence."""
    shifted = at_prevalence(probability(logit, temperature, assumed), assumed, wanted)
    assert shifted == pytest.approx(probability(logit, temperature, wanted), rel=1e-6, abs=1e-9)


def test_bayes_by_hand():
    """Three in four at even odds becomes one in two where one in four is sick."""
    assert at_prevalence(0.75, 0.5, 0.25) == pytest.approx(0.5)


BAND = {"high_sensitivity": 0.2, "balanced": 0.5, "high_specificity": 0.8}
CROSSED = {"high_sensitivity": 0.7, "balanced": 0.5, "high_specificity": 0.3}


@pytest.mark.parametrize(
    ("value", "points", "expected"),
    [
        (0.0, BAND, "normal"),
        (0.1999, BAND, "normal"),
        (0.2, BAND, "uncertain"),
        (0.7999, BAND, "uncertain"),
        (0.8, BAND, "pneumonia"),
        (1.0, BAND, "pneumonia"),
        (0.4999, CROSSED, "normal"),
        (0.5, CROSSED, "pneumonia"),
        (0.65, CROSSED, "pneumonia"),
    ],
)
def test_findings(value, points, expected):
    """At the upper threshold it is pneumonia, below the lower one normal; crossed points leave no band."""
    assert finding(value, points) == expected


def test_operating_points_by_hand():
    """Ten sick and ten well images with one overlap each way."""
    sick = [0.30, 0.60, 0.70, 0.72, 0.74, 0.80, 0.85, 0.90, 0.95, 0.97]
    well = [0.02, 0.05, 0.08, 0.10, 0.15, 0.20, 0.25, 0.28, 0.40, 0.65]
    points = choose_operating_points([1] * 10 + [0] * 10, sick + well, sensitivity=0.9, specificity=0.9)
    assert 0.40 < points["high_sensitivity"] < 0.60
    assert 0.40 < points["high_specificity"] < 0.60
    assert 0.40 < points["balanced"] < 0.60
    strict = choose_operating_points([1] * 10 + [0] * 10, sick + well, sensitivity=1.0, specificity=1.0)
    assert 0.28 < strict["high_sensitivity"] < 0.30
    assert 0.65 < strict["high_specificity"] < 0.70


@given(st.integers(0, 500))
def test_operating_points_keep_their_promise(seed):
    """On the images they were fixed on, both outer points reach what was asked."""
    rng = np.random.default_rng(seed)
    labels = np.r_[np.ones(60), np.zeros(40)]
    values = probability(rng.normal(3 * labels - 1.5, 1.5), 1.0, 0.6)
    points = choose_operating_points(labels, values)
    assert (values[labels == 1] >= points["high_sensitivity"]).mean() >= 0.98
    assert (values[labels == 0] < points["high_specificity"]).mean() >= 0.97
