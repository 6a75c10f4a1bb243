"""Forest plot as an HTML list, which fits a phone: name, line with its point, and the figure in words."""

from collections.abc import Sequence
from html import escape
from itertools import groupby

from cxrmodel.evaluation.report.rows import Row
from cxrmodel.metrics import formatting


def forest_html(rows: Sequence[Row], low: float, high: float, mark: float | None = None) -> str:
    """Draw rows of figures with their intervals on one scale.

    Parameters
    ----------
    rows : sequence of Row
        Rows of one group stand together under its title. The dot of a row with a caveat is hollow.
    low, high : float
        Ends of the scale.
    mark : float or None
        A value that is marked in every row, for example 0.5 for chance.
    """
    parts = []
    for group, members in groupby(rows, key=lambda row: row.group):
        parts.append(f'<h4>{escape(str(group))}</h4><ul class="forest">')
        parts += [_line(row, low, high, mark) for row in members]
        parts.append("</ul>")
    ends = f'<span></span><span class="ends"><b>{low:g}</b><b>{high:g}</b></span><span></span>'
    return f'{"".join(parts)}<ul class="forest"><li class="scale">{ends}</li></ul>'


def _line(row: Row, low: float, high: float, mark: float | None) -> str:
    def at(value: float) -> float:
        return 100 * min(max((value - low) / (high - low), 0), 1)

    drawn = "" if mark is None else f'<i class="mark" style="left:{at(mark):.2f}%"></i>'
    figure = row.estimate
    if figure.interval is not None:
        start, end = map(at, figure.interval)
        drawn += f'<i class="whisker" style="left:{start:.2f}%;width:{max(end - start, 0.4):.2f}%"></i>'
    if figure.value is not None:
        kind = ("diamond" if figure.interval is None else "dot") + (" few" if row.caveat else "")
        drawn += f'<i class="{kind}" style="left:{at(figure.value):.2f}%"></i>'
    written = str(row.withheld) if row.withheld else formatting.estimate(figure)
    notes = "".join(f"<small>{escape(note)}</small>" for note in (row.note, str(row.caveat or "")) if note)
    return (
        f'<li><span class="name">{escape(row.name)}{notes}</span><span class="track">{drawn}</span>'
        f'<span class="figure">{escape(written)}</span></li>'
    )
