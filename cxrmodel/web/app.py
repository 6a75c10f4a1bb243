"""The app's pages and navigation between them."""

from typing import TYPE_CHECKING

import streamlit as st

from cxrmodel.paths import PAGES
from cxrmodel.web.server.preload import PREPARATION
from cxrmodel.web.text import text

if TYPE_CHECKING:
    from streamlit.navigation.page import StreamlitPage


_ICONS = {
    "read": ":material/upload_file:",
    "heatmap": ":material/gradient:",
    "evaluation": ":material/query_stats:",
    "about": ":material/info:",
}


def route() -> None:
    """Run the page that the browser asks for."""
    # A default page has no address of its own, so the root is a page apart that leads to Read.
    home = st.Page(_home, title=text("web.app.title"), url_path="home", default=True, visibility="hidden")
    page = st.navigation([home, *map(_page, _ICONS)], position="top")
    PREPARATION.wait(page.url_path)
    page.run()


def link(name: str, label: str) -> None:
    """Draw a link to another page.

    Parameters
    ----------
    name : str
        Key of the page: "read", "heatmap", "evaluation" or "about".
    label : str
    """
    st.page_link(_page(name), label=label, icon=_ICONS[name])


def _page(name: str) -> "StreamlitPage":
    # No icon here: Streamlit would also use it for the browser tab, and fetch it from a server of its own choice.
    return st.Page(PAGES / f"{name}.py", title=text(f"web.app.menu.{name}"), url_path=name)


def _home() -> None:
    st.switch_page(_page("read"))
