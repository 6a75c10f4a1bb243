"""A forest plot as a list that a phone can show: name, line with its point, and the figure in words."""

from collections.abc import Sequence
from html import escape
from itertools import groupby

from cxrmodel.evaluation.report.rows import Row
from cxrmodel.metrics import formatting

__all__ = ["forest_html"]


def forest_html(rows: Sequence[Row], low: float, high: float, mark: float | None = None) -> str:
    """Draw rows of figures with their intervals on one scale.

    Parameters
    ----------
    rows : sequence of Row
        As `cxrmodel.evaluation.report.rows` makes them; rows of one group stand together under its name. The mark of one that
        rests on few images is hollow, and its words say so.
    low, high : float
        Ends of the scale.
    mark : float or None
        A place that is marked in every row, for example 0.5 as chance.

    Returns
    -------
    str
        HTML, the rows' own words escaped.
    """
    parts = []
    for group, members in groupby(rows, key=lambda row: str(row.group)):
        parts.append(f'<h4>{escape(group)}</h4><ul class="forest">')
        parts += [_line(item, low, high, mark) for item in members]
        parts.append("</ul>")
    ends = f'<span></span><span class="ends"><b>{low:g}</b><b>{high:g}</b></span><span></span>'
    return f'{"".join(parts)}<ul class="forest"><li class="scale">{ends}</li></ul>'


def _line(row: Row, low: float, high: float, mark: float | None) -> str:
    def at(value: float) -> float:
        return 100 * min(max((value - low) / (high - low), 0), 1)

    drawn = "" if mark is None else f'<i class="mark" style="left:{at(mark):.2f}%"></i>'
    if row.estimate.interval is not None:
        start, end = map(at, row.estimate.interval)
        drawn += f'<i class="whisker" style="left:{start:.2f}%;width:{max(end - start, 0.4):.2f}%"></i>'
    if row.estimate.value is not None:
        kind = f"{'diamond' if row.estimate.interval is None else 'dot'}{' few' if row.caveat else ''}"
        drawn += f'<i class="{kind}" style="left:{at(row.estimate.value):.2f}%"></i>'
    figure = escape(str(row.withheld)) if row.withheld else formatting.estimate(row.estimate)
    small = [row.note, str(row.caveat or "")]
    note = "".join(f"<small>{escape(part)}</small>" for part in small if part)
    return (
        f'<li><span class="name">{escape(row.name)}{note}</span><span class="track">{drawn}</span>'
        f'<span class="figure">{figure}</span></li>'
    )
