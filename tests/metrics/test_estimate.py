"""An estimate cannot be inconsistent, and is stored with six digits."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from cxrmodel.metrics.estimate import Estimate, significant

JSON = TypeAdapter(Estimate)


@pytest.mark.parametrize(
    ("number", "expected"), [(0.123456789, 0.123457), (1234567.8, 1234570.0), (-2.0, -2.0), (0.0, 0.0)]
)
def test_significant(number, expected):
    """Six digits, wherever the point stands."""
    assert significant(number) == expected


@pytest.mark.parametrize(
    "parts",
    [
        (math.nan, None, None, 3),
        (0.5, 0.4, None, 3),
        (0.5, 0.6, 0.4, 3),
        (None, 0.4, 0.6, 3),
        (0.5, 0.4, 0.6, -1),
        ("high", 0.4, 0.6, 3),
    ],
    ids=["NaN", "one bound", "crossed bounds", "bounds of nothing", "negative n", "text"],
)
def test_an_inconsistent_estimate_is_refused(parts):
    """When it is made."""
    with pytest.raises(ValidationError):
        Estimate(*parts)


@given(st.floats(-1e6, 1e6), st.floats(0, 10), st.floats(0, 10), st.integers(0, 10**6))
def test_an_estimate_survives_storage(value, below, above, n):
    """As JSON, with the same numbers."""
    made = Estimate.rounded(value, value - below, value + above, n)
    assert JSON.validate_json(JSON.dump_json(made)) == made


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ((math.nan, math.nan, math.nan, 4), Estimate.undefined(4)),
        ((math.nan, 0.1, 0.2, 4), Estimate.undefined(4)),
        ((0.5, math.nan, math.nan, 4), Estimate(0.5, None, None, 4)),
        ((0.12345678, 0.1, math.inf, 4), Estimate(0.123457, 0.1, math.inf, 4)),
    ],
    ids=["undefined", "undefined with bounds", "no interval", "no upper bound"],
)
def test_undefined_numbers_become_none(parts, expected):
    """A value that is undefined has no interval."""
    assert Estimate.rounded(*parts) == expected


def test_contains():
    """Bounds belong to the interval; without one nothing is inside."""
    made = Estimate(0.5, 0.4, 0.6, 10)
    assert made.contains(0.4)
    assert not made.contains(0.61)
    assert not Estimate(0.5, None, None, 10).contains(0.5)
