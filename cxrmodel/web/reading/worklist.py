"""The images of the session: choose one, see all, remove them."""

import streamlit as st

from cxrmodel.reading import Reading
from cxrmodel.report.wording import probability_percent
from cxrmodel.web import session as images
from cxrmodel.web.session import Entry

__all__ = ["choose_image", "worklist"]

_WIDGET = "image chooser"


def choose_image(shown: list[Entry]) -> Entry:
    """Draw a chooser where there is a choice, and give the image chosen on whichever page.

    Parameters
    ----------
    shown : list of Entry
        The images to choose from, at least one.
    """
    by_key = {entry.key: entry for entry in shown}
    current = images.chosen()
    current = current if current is not None and current.key in by_key else shown[0]
    if len(shown) == 1:
        return current
    st.session_state[_WIDGET] = current.key
    st.selectbox(
        "Image",
        list(by_key),
        format_func=lambda key: _label(by_key[key]),
        key=_WIDGET,
        on_change=lambda: images.choose(st.session_state[_WIDGET]),
    )
    return current


def worklist() -> None:
    """Draw the table of all images of the session, with the ways to forget them."""
    listed = images.entries()
    st.subheader(f"Images of this session: {len(listed)}")
    st.dataframe([_row(entry) for entry in listed], hide_index=True, width="stretch")
    current = images.chosen()
    with st.container(horizontal=True):
        st.button("Remove the image shown", icon=":material/delete:", on_click=images.remove, args=(current.key,))
        st.button("Clear all images", icon=":material/delete_sweep:", on_click=images.clear)
    st.caption(
        f"Images are kept in this session's own memory, the latest {images.MOST_IMAGES} or {images.MOST_MEGABYTES} MB of "
        "them, and go when it ends."
    )


def _label(entry: Entry) -> str:
    if entry.reading is None:
        return f"{entry.name} ({entry.status})"
    return f"{entry.name} ({entry.reading.finding}, {_probability(entry.reading)})"


def _probability(reading: Reading) -> str:
    return probability_percent(reading.probability, reading.operating_points)


def _row(entry: Entry) -> dict[str, str]:
    reading = entry.reading
    return {
        "Image": entry.name,
        "Status": entry.status,
        "Finding": reading.finding if reading else "",
        "Probability": _probability(reading) if reading else "",
        "Reasons": " ".join(reading.reasons) if reading else entry.message,
    }
