"""Downloads of figures and tables: files made only when the user asks for them, and the menus that list them."""

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import streamlit as st

from cxrmodel.logs import log_failure
from cxrmodel.sinks import cell
from cxrmodel.web.text import text

if TYPE_CHECKING:
    from matplotlib.figure import Figure


_IMAGE_TYPES = {"SVG": "image/svg+xml", "PNG": "image/png"}
Row = Mapping[str, Any]


def lazily(make: Callable[[], bytes]) -> Callable[[], bytes]:
    """Wrap the making of a file so that no detail of an error reaches Streamlit's log.

    Parameters
    ----------
    make : callable
        Makes the bytes of the file.

    Returns
    -------
    callable
        Does the same; an error leaves it as a RuntimeError that holds only a reference number.
    """

    def made() -> bytes:
        try:
            return make()
        except Exception as error:
            reference = log_failure(error)
        raise RuntimeError(text("web.download.failed", reference=reference))

    return made


def button(label: str, make: Callable[[], bytes], file_name: str, mime: str) -> None:
    """Draw a button that downloads one file, made when it is pressed."""
    st.download_button(label, lazily(make), file_name, mime, icon=":material/download:", on_click="ignore")


def menu(
    name: str,
    rows: Callable[[], Sequence[Row]],
    figure: Callable[[], "Figure"] | None = None,
    label: str | None = None,
    svg: Callable[[], str] | None = None,
) -> None:
    """Draw a button that opens the downloads of a figure or table.

    Parameters
    ----------
    name : str
        Of the files, without suffix; unique on its page.
    rows : callable
        Gives the numbers, one mapping a row, for CSV and JSON.
    figure : callable or None
        Gives the drawing, for SVG and PNG.
    label : str or None
        Of the button, where several stand together.
    svg : callable or None
        Gives the drawing where it is an SVG already.
    """
    with st.popover(label or text("web.download.menu"), icon=":material/download:", type="tertiary"):
        _file(name, "CSV", "text/csv", lambda: table_csv(rows()))
        _file(name, "JSON", "application/json", lambda: json.dumps([dict(row) for row in rows()], indent=1).encode())
        if figure is not None:
            for kind, mime in _IMAGE_TYPES.items():
                _file(name, kind, mime, partial(_drawn, figure, kind.lower()))
        if svg is not None:
            _file(name, "SVG", _IMAGE_TYPES["SVG"], lambda: svg().encode())


def table(
    name: str, rows: Sequence[Row], caption: str = "", records: Callable[[], Sequence[Row]] | None = None
) -> None:
    """Draw a table with its caption and its downloads.

    Parameters
    ----------
    name : str
        Of the files, as for :func:`menu`.
    rows : sequence of mapping
    caption : str
        Nothing is drawn where it is empty.
    records : callable or None
        Gives the rows of the files where they differ from those shown.
    """
    st.table(rows, hide_index=True)
    if caption:
        st.caption(caption)
    menu(name, records or (lambda: rows))


def table_csv(rows: Sequence[Row]) -> bytes:
    """Write rows as CSV, with the columns of all of them in order of first occurrence.

    Parameters
    ----------
    rows : sequence of mapping
        May be empty.
    """
    columns = list(dict.fromkeys(name for row in rows for name in row))
    lines = io.StringIO()
    writer = csv.DictWriter(lines, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(
        {name: cell(value) if isinstance(value, str) else value for name, value in row.items()} for row in rows
    )
    return lines.getvalue().encode()


def _file(name: str, kind: str, mime: str, make: Callable[[], bytes]) -> None:
    file_name, key = f"{name}.{kind.lower()}", f"{name} as {kind}"
    st.download_button(kind, lazily(make), file_name=file_name, mime=mime, key=key, on_click="ignore")


def _drawn(figure: Callable[[], "Figure"], kind: str) -> bytes:
    coded = io.BytesIO()
    figure().savefig(coded, format=kind, dpi=200, facecolor="white")
    return coded.getvalue()
