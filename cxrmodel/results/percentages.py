"""Shares as percentages in decimal strings, which hold 16 characters (PS3.5 section 6.2)."""

import math
from collections.abc import Iterable
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from typing import NamedTuple

_LONGEST = 16
_PLACES = 12
"""Digits after the point that always fit."""


class Percentage(NamedTuple):
    """A percentage as a measured value holds it.

    Attributes
    ----------
    text : str
        At most 16 characters.
    floating : float or None
        Its floating-point value where the text leaves digits out.
    """

    text: str
    floating: float | None


def exact_percent(share: float) -> Decimal:
    """The percentage with exactly the digits of a share: 0.123456 -> 12.3456."""
    return Decimal(repr(share)).scaleb(2)


def percent_text(share: float) -> str:
    """Write that percentage in full, however long it is."""
    return f"{exact_percent(share).normalize():f}"


def percentage(share: float, thresholds: Iterable[float]) -> Percentage:
    """Write a share as a measured value that stays on its side of every threshold.

    Thresholds that lie on both sides of it within its last digit are the one exception: no value has room between them.

    Parameters
    ----------
    share : float
        0..1.
    thresholds : iterable of float
        0..1; each compared as ``exact_percent``.
    """
    exact, edges = exact_percent(share), [exact_percent(edge) for edge in thresholds]

    def same_side(value: Decimal) -> bool:
        return all((value >= edge) == (exact >= edge) for edge in edges)

    for text in (percent_text(share), f"{exact.normalize():E}"):
        if len(text) <= _LONGEST:
            return Percentage(text, None)
    step = Decimal(1).scaleb(-_PLACES)
    rounded = [exact.quantize(step, rounding) for rounding in (ROUND_HALF_EVEN, ROUND_FLOOR, ROUND_CEILING)]
    near = float(exact)
    floats = [near, math.nextafter(near, -math.inf), math.nextafter(near, math.inf)]
    floating = next((value for value in floats if same_side(Decimal(value))), near)
    return Percentage(f"{next(filter(same_side, rounded), rounded[0]):f}", floating)
