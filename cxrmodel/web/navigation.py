"""The program's pages and the way between them."""

from pathlib import Path

import streamlit as st

__all__ = ["link", "register", "route"]

_ROOT = Path(__file__).resolve().parents[2]
_ROUTED = "routed by app.py"
_PAGES = {
    "read": ("Read", ":material/upload_file:"),
    "heatmap": ("Heatmap", ":material/gradient:"),
    "evaluation": ("Evaluation", ":material/query_stats:"),
    "about": ("About", ":material/info:"),
}


def _page(name: str) -> st.Page:
    # No icon here: Streamlit would make it the browser tab's too, and fetch that from a server of its own choice.
    return st.Page(_ROOT / "pages" / f"{name}.py", title=_PAGES[name][0], url_path=name)


def _home() -> None:
    st.switch_page(_page("read"))


def _navigation() -> st.Page:
    # A page that is the default has no address of its own, so the root is a page apart that leads to Read.
    home = st.Page(_home, title="Chest X-ray reader", url_path="home", default=True, visibility="hidden")
    return st.navigation([home, *map(_page, _PAGES)], position="top")


def route() -> None:
    """Run the page that the browser asks for."""
    page = _navigation()
    st.session_state[_ROUTED] = True
    page.run()


def register() -> None:
    """Make sure that the pages are known, also where a page runs without the router.

    Beside a folder named ``pages`` Streamlit runs the first page that a fresh server is asked for by its own address
    alone, without ``app.py``, and with a menu made of file names.
    """
    if not st.session_state.pop(_ROUTED, False):
        _navigation()


def link(name: str, label: str) -> None:
    """Draw a link to another page.

    Parameters
    ----------
    name : str
        Key of the page: "read", "heatmap", "evaluation" or "about".
    label : str
    """
    st.page_link(_page(name), label=label, icon=_PAGES[name][1])
