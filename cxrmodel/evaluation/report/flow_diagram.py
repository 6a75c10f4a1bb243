"""The images' way as a diagram: stations below one another, each joined to the station that its images come from."""

from collections.abc import Sequence
from html import escape

from cxrmodel.evaluation.data_flow import Box

__all__ = ["flow_svg"]

_LEFT, _INDENT, _RIGHT = 12, 64, 408
_TRUNK = 38
_LINE, _HEAD, _GAP, _BETWEEN_LANES = 19, 30, 20, 26


def flow_svg(boxes: Sequence[Box], dark: bool = True) -> str:
    """Draw the stations as a diagram, narrow enough for a phone.

    Parameters
    ----------
    boxes : sequence of Box
        Every one after its source.
    dark : bool
        Whether it stands on a dark page.

    Returns
    -------
    str
        An SVG of its own. Each line between two stations is a path whose ``data-from`` and ``data-to`` name them.
    """
    ink, soft, fill, out = (
        ("#dfe5ea", "#8a97a3", "#1a2129", "#3a2c12") if dark else ("#1a1a1a", "#666666", "#f2f5f8", "#fbeed5")
    )
    lines, drawn, feet, y, lane = [], [], {}, 10, None
    for box in boxes:
        y += _BETWEEN_LANES if lane not in (None, box.lane) else 0
        lane, height = box.lane, _HEAD + _LINE * len(box.lines)
        if box.source:
            lines.append(_path(box, feet[box.source], y, height, soft))
        drawn.append(_station(box, y, height, ink, soft, out if box.kind == "left out" else fill))
        feet[box.title] = y + height
        y += height + _GAP
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 420 {y - 8}" width="420" height="{y - 8}" '
        f'font-family="sans-serif" font-size="14.5">{"".join(lines)}{"".join(drawn)}</svg>'
    )


def _path(box: Box, foot: int, y: int, height: int, colour: str) -> str:
    """A trunk down from the source's foot: into the top of a main station, or round a corner into a station's side."""
    if box.kind == "main":
        way = f"M{_TRUNK} {foot}V{y - 2}m-5 -7l5 7l5 -7"
    else:
        way = f"M{_TRUNK} {foot}V{y + height // 2}H{_INDENT - 2}m-7 -5l7 5l-7 5"
    return (
        f'<path data-from="{escape(box.source)}" data-to="{escape(box.title)}" d="{way}" stroke="{colour}" fill="none" '
        'stroke-width="1.5"/>'
    )


def _station(box: Box, y: int, height: int, ink: str, edge: str, fill: str) -> str:
    left = _LEFT if box.kind == "main" else _INDENT
    dash = ' stroke-dasharray="5 4"' if box.kind == "left out" else ""
    words = [
        f'<text x="{left + 14}" y="{y + 21 + _LINE * place}" fill="{ink}" font-weight="{600 if place == 0 else 400}">'
        f"{escape(line)}</text>"
        for place, line in enumerate((box.title, *box.lines))
    ]
    place = f'x="{left}" y="{y}" width="{_RIGHT - left}" height="{height}" rx="8"'
    return f'<rect {place} fill="{fill}" stroke="{edge}"{dash}/>{"".join(words)}'
