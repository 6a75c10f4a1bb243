"""Formatting of figures: one style for README, pages, model card, reports, PDF and command line.

An interval is written with "to", as a dash could be read as a minus: ``0.988 (0.980 to 0.994)``.
"""

import math
from collections.abc import Mapping
from typing import Literal, NamedTuple

from cxrmodel.messages import Message
from cxrmodel.metrics.estimate import Estimate

UNDEFINED = Message("metrics.undefined")
UNBOUNDED = Message("metrics.unbounded")
NO_BREAK = "\u00a0"
_MOST_DECIMALS = 15
_ROUNDING = 1e-9
"""More than the rounding error of a product: 100 * 0.29 is 28.999999999999996."""


def number(value: float | None, digits: int = 3, sign: Literal["", "+"] = "") -> str:
    """Write a number: ``0.988``. With ``sign="+"`` a sign is always written, except before a zero."""
    if value is None or math.isnan(value):
        return str(UNDEFINED)
    text = str(UNBOUNDED) if math.isinf(value) else f"{value:{sign}.{digits}f}"
    return f"{0:.{digits}f}" if sign and abs(value) < math.inf and float(text) == 0 else text


def estimate(figure: Estimate, digits: int = 3, sign: Literal["", "+"] = "") -> str:
    """Write an estimate: ``0.988 (0.980 to 0.994)``, or ``0.988`` where there is no interval."""
    value, low, high = (number(part, digits, sign) for part in (figure.value, figure.low, figure.high))
    return value if figure.interval is None else f"{value} ({low} to {high})"


def change(figure: Estimate | float | None, digits: int = 3) -> str:
    """Write a change with its sign: ``+0.012 (+0.003 to +0.021)``. One too small to show has no sign."""
    return estimate(figure, digits, "+") if isinstance(figure, Estimate) else number(figure, digits, "+")


def spread(mean: float, deviation: float | None, digits: int = 4) -> str:
    """Write a mean over several runs with its standard deviation: ``0.9880 ± 0.0010``."""
    return number(mean, digits) if deviation is None else f"{number(mean, digits)} ± {number(deviation, digits)}"


def count_share(count: int, total: int, digits: int = 1) -> str:
    """Write a count with its share: ``12 (1.9 %)``."""
    return f"{count} ({share_percent(count / total, digits)})" if total else str(count)


def share_percent(share: float, digits: int = 0) -> str:
    """Write a share as a percentage: ``74 %``."""
    return f"{share * 100:.{digits}f}{NO_BREAK}%"


def floor_percent(share: float) -> str:
    """Write a share as a whole percentage, rounded down: less than half never reads as half. "< 1 %" below 0.01."""
    return f"<{NO_BREAK}1{NO_BREAK}%" if share < 0.01 else share_percent(math.floor(100 * share + _ROUNDING) / 100)


def percent(share: float) -> str:
    """Write a probability as a whole percentage, never as a false certainty.

    Parameters
    ----------
    share : float
        0..1.

    Returns
    -------
    str
        "< 1 %" below 0.01, "> 99 %" above 0.99, else such as "73 %", with no-break spaces.
    """
    if share < 0.01:
        return f"<{NO_BREAK}1{NO_BREAK}%"
    if share > 0.99:
        return f">{NO_BREAK}99{NO_BREAK}%"
    return share_percent(share)


class Percentages(NamedTuple):
    """A probability and its thresholds by name, as percentages that agree with each other."""

    probability: str
    thresholds: dict[str, str]


def percentages(probability: float, operating_points: Mapping[str, float]) -> Percentages:
    """Write a probability and its thresholds so that the written ones compare as the exact ones do.

    Parameters
    ----------
    probability : float
        0..1.
    operating_points : mapping of str to float
        Thresholds.

    Returns
    -------
    Percentages
        As :func:`percent` and :func:`threshold_percent`, with as many more decimals as it takes.
    """
    for decimals in range(1, _MOST_DECIMALS):
        thresholds = {name: threshold_percent(threshold, decimals) for name, threshold in operating_points.items()}
        for text in (percent(probability), _decimal_percent(probability, decimals)):
            if all(
                _agree(text, thresholds[name], probability >= threshold) for name, threshold in operating_points.items()
            ):
                return Percentages(text, thresholds)
    return Percentages(text, thresholds)


def threshold_percent(threshold: float, decimals: int = 1) -> str:
    """Write a threshold as a percentage with one decimal, or as many as it takes to differ from 0 and 100.

    Parameters
    ----------
    threshold : float
        0..1.
    decimals : int
        The fewest.
    """
    if threshold in (0.0, 1.0):
        return share_percent(threshold)
    while float(f"{threshold * 100:.{decimals}f}") in (0.0, 100.0) and decimals < _MOST_DECIMALS:
        decimals += 1
    return share_percent(threshold, decimals)


def _decimal_percent(share: float, decimals: int) -> str:
    """As :func:`percent`, with decimals: "< 0.1 %", "> 99.9 %", else such as "73.0 %"."""
    least = 10.0**-decimals
    if 100 * share < least:
        return f"<{NO_BREAK}{least:.{decimals}f}{NO_BREAK}%"
    if 100 * share > 100 - least:
        return f">{NO_BREAK}{100 - least:.{decimals}f}{NO_BREAK}%"
    return share_percent(share, decimals)


def _agree(probability: str, threshold: str, above: bool) -> bool:
    """Whether two percentages compare as they should; a whole one that equals the threshold would raise a doubt."""
    value, edge = (float(text.split(NO_BREAK)[-2]) for text in (probability, threshold))
    if probability.startswith("<"):
        return not above and value <= edge
    if probability.startswith(">"):
        return above and value >= edge
    return (value >= edge) == above and (value != edge or "." in probability)
