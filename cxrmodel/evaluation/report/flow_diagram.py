"""Data flow diagram: stations below one another, each joined to the station that its images come from."""

from collections.abc import Sequence
from dataclasses import dataclass

from cxrmodel.evaluation.data_flow import Station
from cxrmodel.evaluation.report.render import render
from cxrmodel.messages import Message

__all__ = ["flow_svg"]

_WIDTH, _LEFT, _INDENT, _RIGHT, _TRUNK = 420, 12, 64, 408, 38
_LINE, _HEAD, _GAP, _BETWEEN_LANES = 19, 30, 20, 26


@dataclass(frozen=True)
class _Colours:
    text: str
    line: str
    box: str
    excluded: str


_DARK = _Colours("#dfe5ea", "#8a97a3", "#1a2129", "#3a2c12")
_LIGHT = _Colours("#1a1a1a", "#666666", "#f2f5f8", "#fbeed5")


@dataclass(frozen=True)
class _Text:
    x: int
    y: int
    text: Message


@dataclass(frozen=True)
class _Box:
    station: Station
    top: int

    @property
    def left(self) -> int:
        return _LEFT if self.station.kind == "main" else _INDENT

    @property
    def width(self) -> int:
        return _RIGHT - self.left

    @property
    def height(self) -> int:
        return _HEAD + _LINE * len(self.station.lines)

    @property
    def foot(self) -> int:
        return self.top + self.height

    @property
    def rows(self) -> list[_Text]:
        words = (self.station.title, *self.station.lines)
        return [_Text(self.left + 14, self.top + 21 + _LINE * place, text) for place, text in enumerate(words)]


@dataclass(frozen=True)
class _Line:
    source: str
    target: str
    path: str


@dataclass(frozen=True)
class _Diagram:
    width: int
    height: int
    colours: _Colours
    boxes: tuple[_Box, ...]
    lines: tuple[_Line, ...]


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
    lines = tuple(
        _Line(box.station.source, box.station.name, _path(boxes[box.station.source].foot, box))
        for box in boxes.values()
        if box.station.source
    )
    return render("flow.svg.j2", _Diagram(_WIDTH, y - 8, _DARK if dark else _LIGHT, tuple(boxes.values()), lines))


def _path(foot: int, box: _Box) -> str:
    """A trunk down from the source's foot: into the top of a main station, or round a corner into a station's side."""
    if box.station.kind == "main":
        return f"M{_TRUNK} {foot}V{box.top - 2}m-5 -7l5 7l5 -7"
    return f"M{_TRUNK} {foot}V{box.top + box.height // 2}H{_INDENT - 2}m-7 -5l7 5l-7 5"
