"""Scale of a probability among the thresholds, as HTML. Zones carry their names; colour adds nothing."""

from collections.abc import Mapping
from html import escape

from cxrmodel.metrics.formatting import Percentages, percentages
from cxrmodel.model.spec import UNCERTAIN, Labels
from cxrmodel.report.wording import band
from cxrmodel.web.text import text

_LEAST_WIDTH = 0.14
"""Of a zone that has room for its name."""
_NEAR_EDGE = 0.16


def scale_html(probability: float, operating_points: Mapping[str, float], labels: Labels) -> str:
    """Draw a horizontal scale from 0 to 100 %.

    Parameters
    ----------
    probability : float
        0..1.
    operating_points : mapping of str to float
        Thresholds on it.
    labels : Labels
    """
    names = {"negative": labels.negative, "uncertain": UNCERTAIN, "positive": labels.positive}
    zones = "".join(
        f'<div class="{zone}" style="width:{100 * width:.3f}%">{names[zone] if width >= _LEAST_WIDTH else ""}</div>'
        for zone, width in _zones(operating_points)
    )
    balanced = operating_points["balanced"]
    shown = percentages(probability, operating_points)
    threshold = text("web.scale.threshold", threshold=shown.thresholds["balanced"])
    return (
        f'<div class="scale" role="img" aria-label="{escape(_label(shown, operating_points))}">'
        f'<div class="value" style="{_anchor(probability)}">{escape(shown.probability)}</div>'
        f'<div class="zones">{zones}</div>'
        f'<div class="tick" style="left:{100 * balanced:.3f}%"></div>'
        f'<div class="needle" style="left:{100 * probability:.3f}%"></div>'
        f'<div class="threshold" style="{_anchor(balanced)}">{escape(threshold)}</div>'
        f"</div>"
    )


def _zones(operating_points: Mapping[str, float]) -> list[tuple[str, float]]:
    low, high = band(operating_points) or (operating_points["balanced"],) * 2
    zones = [("negative", low), ("uncertain", high - low), ("positive", 1 - high)]
    return [(name, width) for name, width in zones if width > 0]


def _label(shown: Percentages, operating_points: Mapping[str, float]) -> str:
    thresholds = shown.thresholds
    values = {"probability": shown.probability, "threshold": thresholds["balanced"]}
    if band(operating_points) is None:
        return text("web.scale.label_no_band", **values)
    low, high = thresholds["high_sensitivity"], thresholds["high_specificity"]
    return text("web.scale.label", low=low, high=high, **values)


def _anchor(share: float) -> str:
    """Hold a label over its place, and within the scale near its ends."""
    if share < _NEAR_EDGE:
        return f"left:{max(0.0, 100 * share - 1):.3f}%"
    if share > 1 - _NEAR_EDGE:
        return f"right:{max(0.0, 100 * (1 - share) - 1):.3f}%"
    return f"left:{100 * share:.3f}%;transform:translateX(-50%)"
