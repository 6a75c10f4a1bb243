"""Rate curves as a square picture that fits every screen, each line with a colour, a dash and a name of its own."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from cxrmodel.evaluation.report.charts import DARK, PublishedMark, RateCurve, View
from cxrmodel.evaluation.report.render import render
from cxrmodel.messages import Message
from cxrmodel.metrics.curves import Band
from cxrmodel.metrics.validation import Values

_SIDE, _LEFT, _TOP = 400.0, 56.0, 10.0
_COLOURS = {"text": DARK.text, "grid": "#2c3742", "chance": "#8a97a3", "ground": "#0e1217"}
_INK, _PUBLISHED = "#ffffff", "#f0e442"
_MODEL_DASHES = ("none", "7 4", "2 3", "9 3 2 3")
_BASELINE_COLOURS = ("#cc79a7", "#00b386", "#f0e442", "#ef6a2e")
_BASELINE_DASHES = ("10 3", "2 3", "9 3 2 3", "16 4")
_BELOW, _ABOVE = 16.0, -9.0
_NAMED_AT = {
    "roc": ((0.3, _BELOW), (0.5, _BELOW), (0.42, _BELOW), (0.62, _BELOW)),
    "precision_recall": ((0.28, _BELOW), (0.3, _BELOW), (0.5, _BELOW), (0.5, _ABOVE)),
}
"""Where along the x axis each baseline has its name, and how far from its line: apart from one another."""
_COLUMNS, _ENTRY = 3, 20.0
"""Columns of the legend, and the height of an entry."""
_FINEST = 0.5
"""Pixels between two corners of a line that anybody could tell apart."""


class Extent(NamedTuple):
    """Ends of the axes, 0..1."""

    left: float
    right: float
    bottom: float
    top: float


WHOLE = Extent(0.0, 1.0, 0.0, 1.0)
CORNERS = {"roc": Extent(0.0, 0.3, 0.7, 1.0), "precision_recall": Extent(0.7, 1.0, 0.7, 1.0)}
"""The corner of each view where good models are."""


class Look(NamedTuple):
    """Colour, dash and width of a line."""

    colour: str
    dash: str
    width: float


@dataclass(frozen=True)
class _Plot:
    extent: Extent

    def x(self, value: float) -> float:
        left, right = self.extent[:2]
        return round(_LEFT + (value - left) / (right - left) * _SIDE, 1)

    def y(self, value: float) -> float:
        bottom, top = self.extent[2:]
        return round(_TOP + (top - value) / (top - bottom) * _SIDE, 1)

    def holds(self, x: float, y: float) -> bool:
        left, right, bottom, top = self.extent
        return left <= x <= right and bottom <= y <= top

    def path(self, xs: Values, ys: Values) -> str:
        """A line, without the corners that nobody could see."""
        points: list[tuple[float, float]] = []
        last = len(xs) - 1
        for place, (x, y) in enumerate(zip(map(self.x, xs), map(self.y, ys), strict=True)):
            if not points or place == last or max(abs(x - points[-1][0]), abs(y - points[-1][1])) >= _FINEST:
                points.append((x, y))
        return "M" + "L".join(f"{x:g} {y:g}" for x, y in points)


def look_of_model(position: int) -> Look:
    """Look of the model at a position of the registry; with many models looks repeat."""
    return Look(DARK.line(position), _MODEL_DASHES[position % len(_MODEL_DASHES)], 2.5)


def look_of_baseline(position: int) -> Look:
    """Look of the baseline at a position among baselines; with many baselines looks repeat."""
    place = position % len(_BASELINE_COLOURS)
    return Look(_BASELINE_COLOURS[place], _BASELINE_DASHES[place], 1.8)


def curves_svg(
    view: View,
    curves: Sequence[RateCurve],
    bands: Sequence[Band],
    baselines: Sequence[RateCurve] = (),
    published: Sequence[PublishedMark] = (),
    *,
    prevalence: float | None = None,
    corner: bool = False,
) -> str:
    """Draw one view of rate curves for a dark page.

    Parameters
    ----------
    view : View
    curves : sequence of RateCurve
        Of the models, the selected one first: its operating points are marked.
    bands : sequence of Band
        One for each curve.
    baselines : sequence of RateCurve
        Thin lines, each with its name beside it.
    published : sequence of PublishedMark
        Diamonds.
    prevalence : float or None
        Height of the line of chance; None draws the diagonal.
    corner : bool
        Whether to enlarge the corner where good models are.

    Returns
    -------
    str
        A complete SVG whose plot is a square.
    """
    plot = _Plot(CORNERS[view.name] if corner else WHOLE)
    ends = np.array([0.0, 1.0])
    looked = [(curve, look_of_baseline(curve.position)) for curve in baselines]
    looked += [(curve, look_of_model(curve.position)) for curve in reversed(curves)]
    return render(
        "rate_curves.svg.j2",
        side=_SIDE,
        left=_LEFT,
        top=_TOP,
        colours=_COLOURS,
        across=_ticks(plot.x, *plot.extent[:2]),
        up=_ticks(plot.y, *plot.extent[2:]),
        x_title=str(Message(f"documents.chart.{view.x}")),
        y_title=str(Message(f"documents.chart.{view.y}")),
        chance=plot.path(ends, ends if prevalence is None else np.full(2, prevalence)),
        bands=[
            {"path": _area(plot, band), "colour": look_of_model(curve.position).colour}
            for curve, band in zip(curves, bands, strict=True)
        ],
        lines=[
            {"path": plot.path(getattr(curve, view.x), getattr(curve, view.y)), "name": curve.title} | look._asdict()
            for curve, look in looked
        ],
        marks=[*_points(plot, view, curves[0]), *_diamonds(plot, published)],
        labels=[] if corner else [_label(plot, view, curve) for curve in baselines],
        legend=_legend([(curve.title, look_of_model(curve.position)) for curve in curves], looked[: len(baselines)]),
        legend_height=_ENTRY * -(-(len(looked)) // _COLUMNS) + 6,
    )


def _ticks(place: Callable[[float], float], low: float, high: float) -> list[dict[str, float | str]]:
    values = np.linspace(low, high, 6 if high - low > 0.5 else 4)
    return [{"at": place(float(value)), "words": f"{value:.1f}"} for value in values]


def _area(plot: _Plot, band: Band) -> str:
    x, low, high = band
    return f"{plot.path(x, high)}L{plot.path(x[::-1], low[::-1])[1:]}Z"


def _points(plot: _Plot, view: View, curve: RateCurve) -> list[dict[str, str]]:
    shapes = {"high_sensitivity": "m-7 -5h14l-7 12z", "balanced": "", "high_specificity": "m-7 5h14l-7 -12z"}
    found = []
    for mark in curve.marks:
        x, y = getattr(mark, view.x), getattr(mark, view.y)
        if mark.name not in shapes or mark.precision is None or not plot.holds(x, y):
            continue
        start = f"M{plot.x(x):g} {plot.y(y):g}"
        shape = shapes[mark.name] or "m-6 0a6 6 0 1 0 12 0a6 6 0 1 0 -12 0z"
        name = str(Message(f"report.operating_point.{mark.name}"))
        found.append({"path": start + shape, "colour": _INK, "name": name})
    return found


def _diamonds(plot: _Plot, published: Sequence[PublishedMark]) -> list[dict[str, str]]:
    return [
        {
            "path": f"M{plot.x(1 - mark.specificity):g} {plot.y(mark.sensitivity):g}m0 -7l7 7l-7 7l-7 -7z",
            "colour": _PUBLISHED,
            "name": mark.title,
        }
        for mark in published
        if plot.holds(1 - mark.specificity, mark.sensitivity)
    ]


def _legend(models: Sequence[tuple[str, Look]], baselines: Sequence[tuple[RateCurve, Look]]) -> list[dict[str, object]]:
    """Samples of all lines with their names, in columns below the plot."""
    entries = [*models, *((curve.title, look) for curve, look in baselines)]
    wide, top = (_SIDE + _LEFT) / _COLUMNS, _TOP + _SIDE + 62
    return [
        {"x": 10.0 + wide * (place % _COLUMNS), "y": top + _ENTRY * (place // _COLUMNS), "name": name} | look._asdict()
        for place, (name, look) in enumerate(entries)
    ]


def _label(plot: _Plot, view: View, curve: RateCurve) -> dict[str, float | str]:
    """The name of a baseline below its line."""
    places = _NAMED_AT[view.name]
    across, away = places[curve.position % len(places)]
    xs, ys = getattr(curve, view.x), getattr(curve, view.y)
    order = np.argsort(xs, kind="stable")
    height = float(np.interp(across, xs[order], ys[order]))
    colour = look_of_baseline(curve.position).colour
    return {"x": plot.x(across) + 6, "y": plot.y(height) + away, "colour": colour, "name": curve.title}
