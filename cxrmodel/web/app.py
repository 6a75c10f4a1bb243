"""The program's pages and the way between them."""

import threading

import streamlit as st

from cxrmodel.paths import PAGES

__all__ = ["ensure_routed", "link", "route"]

_DECLARED = "pages declared"
_thread = threading.local()  # a run keeps to its thread, and no other run shares it meanwhile
_PAGES = {
    "read": ("Read", ":material/upload_file:"),
    "heatmap": ("Heatmap", ":material/gradient:"),
    "evaluation": ("Evaluation", ":material/query_stats:"),
    "about": ("About", ":material/info:"),
}


def _page(name: str) -> st.Page:
    # No icon here: Streamlit would make it the browser tab's too, and fetch that from a server of its own choice.
    return st.Page(PAGES / f"{name}.py", title=_PAGES[name][0], url_path=name)


def _home() -> None:
    st.switch_page(_page("read"))


def _navigation() -> st.Page:
    # A page that is the default has no address of its own, so the root is a page apart that leads to Read.
    home = st.Page(_home, title="Chest X-ray reader", url_path="home", default=True, visibility="hidden")
    return st.navigation([home, *map(_page, _PAGES)], position="top")


def route() -> None:
    """Run the page that the browser asks for."""
    page = _navigation()
    _thread.routed = True
    try:
        page.run()
    finally:
        _thread.routed = False


def ensure_routed() -> None:
    """Start the run again through the router where a page runs without it.

    Beside a folder named ``pages`` Streamlit runs the first page that a fresh server is asked for by its own address
    alone, without ``app.py``: with a menu made of file names, and with widgets that the next run would not know again.
    Declaring the pages ends that. Once is enough for a session: a page that is a program of its own, as in a test,
    has no router to go through.
    """
    if not getattr(_thread, "routed", False) and not st.session_state.get(_DECLARED, False):
        st.session_state[_DECLARED] = True
        _navigation()
        st.rerun()


def link(name: str, label: str) -> None:
    """Draw a link to another page.

    Parameters
    ----------
    name : str
        Key of the page: "read", "heatmap", "evaluation" or "about".
    label : str
    """
    st.page_link(_page(name), label=label, icon=_PAGES[name][1])
