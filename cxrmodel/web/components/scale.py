"""The scale that shows a probability among the thresholds. Words first: no zone is told by its colour alone."""

from collections.abc import Mapping

from cxrmodel.report.wording import band, probability_percent, threshold_percent

__all__ = ["scale_html"]

_ROOM_FOR_WORD = 0.14
_NEAR_EDGE = 0.16


def scale_html(probability: float, operating_points: Mapping[str, float]) -> str:
    """Draw a horizontal scale from 0 to 100 %.

    Parameters
    ----------
    probability : float
        The model's own probability, 0..1.
    operating_points : mapping of str to float
        Thresholds on it.

    Returns
    -------
    str
        HTML that holds no text of the user's.
    """
    zones = _zones(operating_points)
    parts = "".join(
        f'<div class="{name}" style="width:{100 * width:.3f}%">{name if width >= _ROOM_FOR_WORD else ""}</div>'
        for name, width in zones
    )
    balanced = operating_points["balanced"]
    value = probability_percent(probability, operating_points)
    said = f"Probability {value} on a scale from 0 to 100\u00a0%. {_legend(operating_points)}"
    return (
        f'<div class="scale" role="img" aria-label="{said}">'
        f'<div class="value" style="{_anchor(probability)}">{value}</div>'
        f'<div class="zones">{parts}</div>'
        f'<div class="tick" style="left:{100 * balanced:.3f}%"></div>'
        f'<div class="needle" style="left:{100 * probability:.3f}%"></div>'
        f'<div class="threshold" style="{_anchor(balanced)}">balanced threshold {threshold_percent(balanced)}</div>'
        f"</div>"
    )


def _zones(operating_points: Mapping[str, float]) -> list[tuple[str, float]]:
    low, high = band(operating_points) or (operating_points["balanced"],) * 2
    zones = [("normal", low), ("uncertain", high - low), ("pneumonia", 1 - high)]
    return [(name, width) for name, width in zones if width > 0]


def _legend(operating_points: Mapping[str, float]) -> str:
    balanced = f"Balanced threshold at {threshold_percent(operating_points['balanced'])}."
    edges = band(operating_points)
    if edges is None:
        return f"{balanced} There is no uncertain band."
    return f"{balanced} Uncertain from {threshold_percent(edges[0])} to {threshold_percent(edges[1])}."


def _anchor(share: float) -> str:
    """Hold a label over its place, and within the scale near its ends."""
    if share < _NEAR_EDGE:
        return f"left:{max(0.0, 100 * share - 1):.3f}%"
    if share > 1 - _NEAR_EDGE:
        return f"right:{max(0.0, 100 * (1 - share) - 1):.3f}%"
    return f"left:{100 * share:.3f}%;transform:translateX(-50%)"
