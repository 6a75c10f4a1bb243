"""Altair charts, drawn after the words of a page and kept for all sessions.

A browser needs several times as long for a chart as for all words of a page, and shows neither before it has both if
they arrive together.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import sleep
from types import FunctionType
from typing import Any

import altair
import streamlit as st

from cxrmodel.messages import Message

Chart = altair.Chart | altair.LayerChart | altair.FacetChart
_HEAD_START = 0.1
_RESERVED = '<div class="chart-place"></div>'
_Waiting = list[Callable[[], None]]
_waiting: ContextVar[_Waiting | None] = ContextVar("charts to be drawn", default=None)


@contextmanager
def charts_last(opened: bool) -> Iterator[None]:
    """Draw the charts of this block in their places once the rest of the block is shown.

    Parameters
    ----------
    opened : bool
        Whether the page has just been opened. If not, charts are drawn at once, since they replace visible ones. If so,
        each place is kept free, and the browser gets a tenth of a second to show the rest: what a reader takes for at
        once (Miller 1968, *Response time in man-computer conversational transactions*).

    Raises
    ------
    Exception
        Whatever the block raised, after the charts before it are drawn.
    """
    if not opened:
        yield
        return
    waiting: _Waiting = []
    token = _waiting.set(waiting)
    fault = None
    try:
        yield
    except Exception as error:
        fault = error
    finally:
        _waiting.reset(token)
    if waiting:
        sleep(_HEAD_START)
    for chart in waiting:
        chart()
    if fault is not None:
        raise fault


def draw(make: Callable[..., Chart], alt: str, *series: Any, **options: Any) -> None:
    """Draw a chart. Its description is made once for each set of series and options.

    Parameters
    ----------
    make : callable
        Makes the chart of the series and options.
    alt : str
        The chart in words.
    *series, **options
        Arrays, records and plain values.
    """
    place, waiting = st.empty(), _waiting.get()

    def chart() -> None:
        place.vega_lite_chart(_description(make, series, options), alt=alt)

    if waiting is None:
        chart()
    else:
        place.html(_RESERVED)
        waiting.append(chart)


@st.cache_data(
    show_spinner=False,
    max_entries=96,
    hash_funcs={FunctionType: lambda function: f"{function.__module__}.{function.__qualname__}", Message: repr},
)
def _description(make: Callable[..., Chart], series: tuple[Any, ...], options: dict[str, Any]) -> dict[str, Any]:
    """The chart in Vega-Lite's terms."""
    return make(*series, **options).to_dict()
