"""What every page has around it: title, notice, model version, and a net for errors."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from cxrmodel.errors import ModelError
from cxrmodel.reading import Reader
from cxrmodel.report.wording import DISCLAIMER
from cxrmodel.web import app as navigation
from cxrmodel.web import engine
from cxrmodel.web.errors import log_failure
from cxrmodel.web.style import ICON, STYLE
from cxrmodel.web.text import plain

__all__ = ["frame"]


@contextmanager
def frame(title: str) -> Iterator[Reader | None]:
    """Frame a page. Every page does all its work within it, first thing, for it may run without ``app.py``.

    Parameters
    ----------
    title : str
        Heading of the page.

    Yields
    ------
    Reader or None
        The loaded model; None, with the reason already on the page, where it cannot be used.
    """
    navigation.ensure_routed()
    st.set_page_config(
        page_title=f"{title} · Chest X-ray reader", page_icon=ICON, layout="wide", initial_sidebar_state="collapsed"
    )
    st.html(STYLE)
    try:
        reader, trouble = engine.reader(), ""
    except ModelError as error:
        reader, trouble = None, f"{plain(str(error))} No image is read until then."
    except Exception as error:
        reader, trouble = None, _unexpected(error, "The model could not be loaded")
    _notice(reader)
    st.title(title)
    if trouble:
        st.error(trouble, icon=":material/block:")
    try:
        yield reader
    except Exception as error:
        st.error(_unexpected(error, "This page could not be drawn"), icon=":material/error:")


def _notice(reader: Reader | None) -> None:
    version = reader.spec.version if reader else "no model loaded"
    with st.container(key="notice"):
        st.markdown(f":material/warning: **{DISCLAIMER}.** :small[Model: {version}]")
    with st.sidebar:
        st.markdown(f"**{DISCLAIMER}.**")
        st.caption(f"Model: {version}")
        if reader:
            st.caption(f"Trained on children aged {reader.spec.ages}.")
        st.caption("Images stay in this session's own memory and go when it ends.")


def _unexpected(error: Exception, what: str) -> str:
    return (
        f"{what} because of an unexpected error, reference number {log_failure(error)}. "
        "Reload the page and drop your images again, as a reload forgets them. If it happens again, "
        "report the number as the About page describes."
    )
