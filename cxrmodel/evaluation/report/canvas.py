"""Axes and colours of the matplotlib figures.

Each figure is a ``Figure`` of its own with every colour set on it: pyplot's global state and the rc parameters are
shared by all threads of a server. Lines differ in dash and marker as well as in colour.

References
----------
Okabe and Ito, Color Universal Design, 2008 (the colours of the lines).
"""

from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

__all__ = ["DARK", "LIGHT", "MARKERS", "FigureStyle", "legend", "look", "square", "styled"]

MARKERS = ("o", "s", "D", "^")
_DASHES = ("-", "--", "-.", ":")
_SHARE = (-0.03, 1.03)


@dataclass(frozen=True)
class FigureStyle:
    """Colours of a figure; the ground is transparent, so that it shows the page's own.

    Attributes
    ----------
    text, grid : str
        Of letters and axes, and of the grid and the line of chance.
    lines : tuple of str
        Of the models, in order.
    """

    text: str
    grid: str
    lines: tuple[str, ...]


DARK = FigureStyle("#dfe5ea", "#5c6a78", ("#56b4e9", "#e69f00", "#009e73", "#cc79a7"))
LIGHT = FigureStyle("#1a1a1a", "#b0b0b0", ("#0072b2", "#d55e00", "#009e73", "#cc79a7"))


def look(index: int, style: FigureStyle) -> dict[str, dict]:
    """Colour, dash and marker of the line and of the point of a model, by its place."""
    colour = style.lines[index % len(style.lines)]
    return {
        "line": {"color": colour, "linestyle": _DASHES[index % len(_DASHES)], "linewidth": 1.8},
        "point": {
            "color": colour,
            "linestyle": "none",
            "marker": MARKERS[index % len(MARKERS)],
            "markersize": 9,
            "markeredgecolor": style.text,
            "zorder": 5,
        },
    }


def square(across: str, up: str, style: FigureStyle) -> tuple[Figure, Axes]:
    """Make a figure of one square, shares across and up."""
    figure = Figure(figsize=(6, 6), layout="constrained", facecolor="none")
    axes = styled(figure.subplots(), style)
    axes.set(xlim=_SHARE, ylim=_SHARE, aspect="equal")
    axes.set_xlabel(across, color=style.text)
    axes.set_ylabel(up, color=style.text)
    return figure, axes


def styled(axes: Axes, style: FigureStyle) -> Axes:
    """Give axes the colours of a style."""
    axes.set_facecolor("none")
    axes.tick_params(colors=style.text)
    axes.spines[:].set_color(style.grid)
    axes.grid(color=style.grid, linewidth=0.5, alpha=0.5)
    return axes


def legend(axes: Axes, place: str, style: FigureStyle) -> None:
    """Draw the legend in the colours of a style."""
    axes.legend(loc=place, fontsize=8, labelcolor=style.text, facecolor="none", edgecolor=style.grid)
