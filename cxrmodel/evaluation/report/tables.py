"""Figures and rows -> cells and tables of the model card, in Markdown."""

import math
from collections.abc import Iterable, Mapping, Sequence

from cxrmodel.evaluation.report.rows import Row

__all__ = ["figure_cell", "forest_table", "interval_cell", "table"]


def forest_table(rows: Sequence[Row], across: str) -> str:
    """Write rows of figures as a table; the reason stands in place of a figure that is withheld.

    Parameters
    ----------
    rows : sequence of Row
    across : str
        What the figures are.
    """
    cells = [
        (
            str(r["group"]),
            str(r["name"]),
            str(r["few"]) if _withheld(r) else figure_cell(r),
            ". ".join(filter(None, (str(r["note"]), "" if _withheld(r) else str(r["few"])))),
        )
        for r in rows
    ]
    return table(["Group", "Name", across, "Note"], cells)


def _withheld(made: Row) -> bool:
    return made["value"] is None and bool(made["few"])


def figure_cell(figure: Mapping) -> str:
    """Write ``value`` with ``low`` and ``high`` of a figure."""
    return interval_cell(figure["value"], figure["low"], figure["high"])


def interval_cell(value: float | None, low: float | None, high: float | None, form: str = ".3f") -> str:
    """Write a value with its interval; "undefined" where there is none."""
    if value is None or math.isnan(value):
        return "undefined"
    if low is None or high is None or math.isnan(low):
        return f"{value:.4g}"
    return f"{value:{form}} ({low:{form}}–{high:{form}})".replace("inf", "no bound")


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines)
