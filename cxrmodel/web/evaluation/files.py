"""Every figure and table as a file: CSV and JSON of its numbers, SVG and PNG of its drawing."""

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import streamlit as st

from cxrmodel.web.components.downloads import lazily

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["offer", "table_csv"]

_PICTURES = {"SVG": "image/svg+xml", "PNG": "image/png"}


def offer(
    name: str,
    rows: Callable[[], Sequence[Mapping]],
    figure: Callable[[], "Figure"] | None = None,
    label: str = "Download",
    svg: Callable[[], str] | None = None,
) -> None:
    """Draw a button that opens the downloads of a figure or table; a file is made only when it is asked for.

    Parameters
    ----------
    name : str
        Of the files, without suffix; different on one page.
    rows : callable
        Gives the numbers, one mapping a row.
    figure : callable or None
        Gives the drawing, for figures.
    label : str
        Of the button, where several stand together.
    svg : callable or None
        Gives the drawing where it is an SVG already.
    """
    with st.popover(label, icon=":material/download:", type="tertiary"):
        _file(name, "CSV", "text/csv", lambda: table_csv(rows()))
        _file(name, "JSON", "application/json", lambda: json.dumps(list(rows()), indent=1).encode())
        if figure is not None:
            for kind, mime in _PICTURES.items():
                _file(name, kind, mime, lambda kind=kind: _drawn(figure(), kind.lower()))
        if svg is not None:
            _file(name, "SVG", _PICTURES["SVG"], lambda: svg().encode())


def table_csv(rows: Sequence[Mapping]) -> bytes:
    """Write rows as CSV, the columns of all of them, in the order in which they first come.

    Parameters
    ----------
    rows : sequence of mapping
        May be empty.
    """
    columns = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _safe(value) for name, value in row.items()} for row in rows)
    return text.getvalue().encode()


def _safe(value: object) -> object:
    # A spreadsheet would run a cell of text that begins like a formula.
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value


def _file(name: str, kind: str, mime: str, make: Callable[[], bytes]) -> None:
    st.download_button(
        kind,
        lazily(make),
        file_name=f"{name}.{kind.lower()}",
        mime=mime,
        key=f"{name} as {kind}",
        on_click="ignore",
    )


def _drawn(figure: "Figure", kind: str) -> bytes:
    coded = io.BytesIO()
    figure.savefig(coded, format=kind, dpi=200, facecolor="white")
    return coded.getvalue()
