"""Shares as percentages in decimal strings."""

import math
from decimal import Decimal

from hypothesis import example, given
from hypothesis import strategies as st

from cxrmodel.results.percentages import exact_percent, percent_text, percentage

SHARES = st.floats(0, 1)


@given(SHARES)
def test_the_exact_percentage_gives_the_share_back(share):
    assert float(Decimal(percent_text(share)).scaleb(-2)) == share


@given(SHARES, SHARES, st.sampled_from([-1, 0, 1]))
@example(0.1451672739746679, 0.9, 1)
@example(0.1451672739746679, 0.9, -1)
@example(5e-324, 0.5, 1)
@example(1.0, 1e-300, -1)
def test_a_percentage_stays_on_its_side_of_every_threshold(share, other, step):
    """In both forms, and even beside a threshold that differs in the last bit only, or not at all."""
    near = math.nextafter(share, math.copysign(math.inf, step)) if step else share
    thresholds = [near, *([other] if abs(other - share) > 1e-9 else [])]
    text, floating = percentage(share, thresholds)
    assert len(text) <= 16
    for value in [Decimal(text), *([] if floating is None else [Decimal(floating)])]:
        assert abs(value - exact_percent(share)) < Decimal("1e-11")
        assert [value >= exact_percent(edge) for edge in thresholds] == [share >= edge for edge in thresholds]


@given(st.integers(0, 10**6))
def test_a_short_share_is_written_exactly(steps):
    share = steps / 10**6
    text, floating = percentage(share, ())
    assert (Decimal(text), floating) == (exact_percent(share), None)
