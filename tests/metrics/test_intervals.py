"""Intervals come from whole patients, are Wilson's where all resamples agree, and absent where too few are defined."""

import numpy as np
import pytest

from cxrmodel.metrics.estimate import Estimate
from cxrmodel.metrics.intervals import column_intervals, estimate, mean, wilson


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.arange(101.0), (2.5, 97.5)),
        (np.append(np.arange(101.0), [np.nan] * 101), (2.5, 97.5)),
        (np.append(np.arange(101.0), [np.nan] * 102), (np.nan, np.nan)),
        (np.full(4, np.nan), (np.nan, np.nan)),
    ],
    ids=["all defined", "half undefined", "more than half undefined", "none defined"],
)
def test_percentile_interval(values, expected):
    """Undefined resamples are left out; more than half of them leave no interval."""
    assert column_intervals(values[:, None]) == pytest.approx(expected, nan_ok=True)


def test_intervals_of_columns_are_quantiles():
    """Undefined resamples are left out, too few give none, and infinity counts."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=(200, 4))
    values[:30, 1] = np.nan
    values[:150, 2] = np.nan
    values[:20, 3] = np.inf
    low, high = column_intervals(values)
    for column in (0, 1):
        assert (low[column], high[column]) == pytest.approx(np.nanquantile(values[:, column], (0.025, 0.975)))
    assert np.isnan([low[2], high[2]]).all()
    assert np.isinf(high[3])
    assert np.isfinite(low[3])


def test_wilson_by_hand():
    """Known values; the bounds always differ, and never pass the observed share."""
    low, high = wilson([0.5, 0.0, 1.0], 10)
    np.testing.assert_allclose([low[0], high[0]], [0.2366, 0.7634], atol=1e-4)
    np.testing.assert_allclose([low[1], high[1]], [0.0, 0.2775], atol=1e-4)
    np.testing.assert_allclose([low[2], high[2]], [0.7225, 1.0], atol=1e-4)


def test_a_share_whose_resamples_agree_has_wilsons_interval():
    """Over its patients; any other figure keeps the percentiles."""
    agreed = np.ones(11)
    found = estimate(agreed, 30, patients=10)
    assert (found.value, found.low, found.high, found.n) == pytest.approx((1, 0.7225, 1, 30), abs=1e-4)
    assert estimate(agreed, 30) == Estimate(1.0, 1.0, 1.0, 30)


@pytest.mark.parametrize("patients", [None, 4])
def test_an_undefined_figure_has_no_interval(patients):
    """Whatever its resamples are."""
    assert estimate(np.r_[np.nan, np.ones(10)], 7, patients) == Estimate.undefined(7)


def test_mean_resamples_patients():
    """Eight images of one patient are no more than one patient: the interval spans both patients' values."""
    assert mean(np.r_[np.zeros(8), np.ones(8)], ["a"] * 8 + ["b"] * 8) == Estimate(0.5, 0.0, 1.0, 16)
    assert mean([], []) == Estimate.undefined()
