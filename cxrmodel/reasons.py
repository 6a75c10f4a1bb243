"""Sentences that belong beside a number, of the finding and of the heat."""

from cxrmodel.metrics.formatting import floor_percent

__all__ = ["HARDLY", "MOSTLY", "reasons_beside"]

HARDLY = 0.05
"""Peak of a map, as a share of the colour range, below which where its heat lies means nothing."""
MOSTLY = 0.5
"""Share of heat in the lungs below which a reading says that most of it lies elsewhere."""


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
            f"Most of the heat lies outside the lung fields ({floor_percent(inside)} within): "
            "the probability may rest on something other than the lungs."
        )
    return tuple(reasons)
