"""Data flow diagram: stations below one another, each joined to the station that its images come from."""

from collections.abc import Sequence
from dataclasses import dataclass

from cxrmodel.evaluation.data_flow import Station
from cxrmodel.evaluation.report.render import render

_LINE, _HEAD, _GAP, _BETWEEN_LANES = 19, 30, 20, 26
_DARK = {"text": "#dfe5ea", "line": "#8a97a3", "box": "#1a2129", "excluded": "#3a2c12"}
_LIGHT = {"text": "#1a1a1a", "line": "#666666", "box": "#f2f5f8", "excluded": "#fbeed5"}


@dataclass(frozen=True)
class _Box:
    station: Station
    top: int

    @property
    def height(self) -> int:
        return _HEAD + _LINE * len(self.station.lines)

    @property
    def foot(self) -> int:
        return self.top + self.height


def flow_svg(stations: Sequence[Station], dark: bool = True) -> str:
    """Draw the stations as a diagram, narrow enough for a phone.

    Parameters
    ----------
    stations : sequence of Station
        Each after its source.
    dark : bool
        Whether it stands on a dark page.

    Returns
    -------
    str
        A complete SVG. Each line between two stations is a path whose ``data-from`` and ``data-to`` name them.
    """
    boxes: dict[str, _Box] = {}
    y, lane = 10, None
    for station in stations:
        y += _BETWEEN_LANES if lane not in (None, station.lane) else 0
        lane, boxes[station.name] = station.lane, _Box(station, y)
        y = boxes[station.name].foot + _GAP
    return render("flow.svg.j2", height=y - 8, colours=_DARK if dark else _LIGHT, boxes=boxes, line_height=_LINE)
