"""The app's pages and navigation between them."""

import threading
from typing import TYPE_CHECKING

import streamlit as st

from cxrmodel.paths import PAGES
from cxrmodel.web.text import text

if TYPE_CHECKING:
    from streamlit.navigation.page import StreamlitPage


_DECLARED = "pages declared"
_thread = threading.local()  # one run keeps to one thread
_ICONS = {
    "read": ":material/upload_file:",
    "heatmap": ":material/gradient:",
    "evaluation": ":material/query_stats:",
    "about": ":material/info:",
}


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

    Beside a folder named ``pages``, Streamlit runs the first page that a fresh server is asked for without ``app.py``:
    with a menu of file names, and with widgets that the next run does not know. Declaring the pages ends that. Once per
    session is enough: a page that is a program of its own, as in a test, has no router.
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
    st.page_link(_page(name), label=label, icon=_ICONS[name])


def _navigation() -> "StreamlitPage":
    # A default page has no address of its own, so the root is a page apart that leads to Read.
    home = st.Page(_home, title=text("web.app.title"), url_path="home", default=True, visibility="hidden")
    return st.navigation([home, *map(_page, _ICONS)], position="top")


def _page(name: str) -> "StreamlitPage":
    # No icon here: Streamlit would also use it for the browser tab, and fetch it from a server of its own choice.
    return st.Page(PAGES / f"{name}.py", title=text(f"web.app.menu.{name}"), url_path=name)


def _home() -> None:
    st.switch_page(_page("read"))
