"""The choice of one of the session's images."""

import streamlit as st

from cxrmodel.sinks import label
from cxrmodel.web import session
from cxrmodel.web.session import Entry
from cxrmodel.web.text import text

_WIDGET = "image chooser"


def choose_image(entries: list[Entry]) -> Entry:
    """Draw a chooser where there is a choice, and return the image selected on any page.

    Parameters
    ----------
    entries : list of Entry
        At least one.
    """
    by_key = {entry.key: entry for entry in entries}
    current = session.selected()
    current = current if current is not None and current.key in by_key else entries[-1]
    if len(entries) == 1:
        return current
    st.session_state[_WIDGET] = current.key
    st.selectbox(
        text("web.worklist.image"),
        list(by_key),
        format_func=lambda key: _label(by_key[key]),
        key=_WIDGET,
        on_change=lambda: session.select(st.session_state[_WIDGET]),
    )
    return current


def _label(entry: Entry) -> str:
    if entry.reading is None:
        return label(entry.name)
    values = {"finding": entry.reading.finding, "probability": entry.reading.shown.probability}
    return text("web.worklist.read", name=label(entry.name), **values)
