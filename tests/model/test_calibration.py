"""Logits, probabilities, prevalence and operating points."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrmodel.model.calibration import at_prevalence, finding, probability
from cxrmodel.model.spec import Labels

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
