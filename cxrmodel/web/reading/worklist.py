"""The images of the session as a list: select one, see all, remove them."""

import streamlit as st

from cxrmodel.prevalence import prevalence_words
from cxrmodel.report.wording import reasons
from cxrmodel.sinks import label, table_cell
from cxrmodel.web import session
from cxrmodel.web.kept import Entry
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
    current = current if current is not None and current.key in by_key else entries[0]
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


def worklist() -> None:
    """Draw the table of all images of the session, and the buttons that remove them."""
    entries = session.entries()
    st.subheader(text("web.worklist.title", count=len(entries)))
    st.dataframe([_row(entry) for entry in entries], hide_index=True, width="stretch")
    with st.container(horizontal=True):
        if current := session.selected():
            remove = text("web.worklist.remove")
            st.button(remove, icon=":material/delete:", on_click=session.remove, args=(current.key,))
        st.button(text("web.worklist.clear"), icon=":material/delete_sweep:", on_click=session.clear)
    limits = {"images": session.MOST_IMAGES, "megabytes": session.MOST_MEGABYTES}
    st.caption(text("web.worklist.note", minutes=session.minutes_kept(), **limits))


def _label(entry: Entry) -> str:
    if entry.reading is None:
        return text("web.worklist.unread", name=label(entry.name), status=_status(entry))
    values = {"finding": entry.reading.finding, "probability": entry.reading.shown.probability}
    return text("web.worklist.read", name=label(entry.name), **values)


def _status(entry: Entry) -> str:
    return text(f"web.worklist.statuses.{entry.status}")


def _row(entry: Entry) -> dict[str, str]:
    reading = entry.reading
    said = reasons(reading) if reading else [entry.reason]
    probability = text("web.worklist.probability", prevalence=prevalence_words(session.prevalence()))
    return {
        text("web.worklist.image"): table_cell(label(entry.name)),
        text("web.worklist.status"): _status(entry),
        text("web.worklist.finding"): reading.finding if reading else "",
        probability: reading.shown.probability if reading else "",
        text("web.worklist.reasons"): table_cell(" ".join(map(str, said))),
    }
