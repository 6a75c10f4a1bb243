"""Sentences that belong beside a number, of the finding and of the heat."""

from math import floor

__all__ = ["HARDLY", "MOSTLY", "heat_percent", "reasons_beside"]

HARDLY = 0.05
"""Peak of a map, as a share of the colour range, below which where its heat lies means nothing."""
MOSTLY = 0.5
"""Share of heat in the lungs below which a reading says that most of it lies elsewhere."""
_DUST = 1e-9
"""What floating point takes off a whole percentage: 100 * 0.29 is 28.999999999999996."""


def heat_percent(inside: float) -> str:
    """Say the share of heat within the lungs as a whole percentage, the same wherever it is told.

    It is rounded down, so that less than half never reads as a half.

    Parameters
    ----------
    inside : float
        0..1.

    Returns
    -------
    str
        "< 1 %" below 0.01, else such as "49 %", with plain spaces.
    """
    return "< 1 %" if inside < 0.01 else f"{floor(100 * inside + _DUST)} %"


def reasons_beside(named: str, peak: float, inside: float | None) -> tuple[str, ...]:
    """What a number's reader should know of its finding and of its heat.

    Parameters
    ----------
    named : {"pneumonia", "normal", "uncertain"}
    peak : float
        Of the map, as a share of the colour range.
    inside : float or None
        Share of heat within the lungs, 0..1; None for an all-zero map.
    """
    reasons = []
    if named == "uncertain":
        reasons.append(
            "The probability lies between the high-sensitivity and the high-specificity threshold: "
            "the model cannot tell, so judge the image without it."
        )
    if inside is None:
        reasons.append("The heatmap is empty: nothing on the image speaks for pneumonia to the model.")
    elif peak >= HARDLY and inside < MOSTLY:
        reasons.append(
            f"Most of the heat lies outside the lung fields ({heat_percent(inside)} within): "
            "the probability may rest on something other than the lungs."
        )
    return tuple(reasons)
