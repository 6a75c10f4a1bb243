"""Charts of a page, drawn after its words.

A browser needs several times as long for a chart as for all words of a page, and shows neither until it has both,
where both reach it together.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import sleep

import streamlit as st

from cxrmodel.web.evaluation.cache import Chart, described

__all__ = ["charts_last", "draw"]

_HEAD_START = 0.1
_RESERVED = '<div class="chart-place"></div>'
_Waiting = list[Callable[[], None]]
_waiting: ContextVar[_Waiting | None] = ContextVar("charts to be drawn", default=None)


@contextmanager
def charts_last(opened: bool) -> Iterator[None]:
    """Draw what is asked of :func:`draw` within this block, in its place, when the rest of the block is shown.

    Parameters
    ----------
    opened : bool
        Whether the page has just been opened. If not, charts are drawn at once, for those that they replace are seen.
        If so, a place as high as a chart is kept, and the browser gets a tenth of a second to show the rest. A tenth is
        what a reader takes for at once (Miller 1968, *Response time in man-computer conversational transactions*), and
        the charts take longer than that to appear in any case.

    Raises
    ------
    Exception
        Whatever the block raised, after what was asked for until then is drawn.
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


def draw(make: Callable[[], Chart], said: str, *key: object) -> None:
    """Draw a chart, whose making takes longer than all the rest, from its kept description.

    Parameters
    ----------
    make : callable
        Makes the chart.
    said : str
        For those who do not see it.
    *key : object
        Everything that the chart depends on, as plain values.
    """
    place, waiting = st.empty(), _waiting.get()

    def chart() -> None:
        place.vega_lite_chart(described(make, key), alt=said)

    if waiting is None:
        chart()
    else:
        place.html(_RESERVED)
        waiting.append(chart)
