"""The frame of every page: title, notice, model version, and a net for unexpected errors."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from cxrmodel.errors import ModelError
from cxrmodel.reading import Reader
from cxrmodel.report.wording import DISCLAIMER
from cxrmodel.web import engine, session
from cxrmodel.web.components import room
from cxrmodel.web.errors import log_failure
from cxrmodel.web.reconnected import run_again_after_a_break
from cxrmodel.web.style import ICON, STYLE
from cxrmodel.web.text import plain, text


@contextmanager
def frame(name: str) -> Iterator[Reader | None]:
    """Frame a page, which does all its work within.

    Parameters
    ----------
    name : str
        Key of the page: "read", "heatmap", "evaluation" or "about".

    Yields
    ------
    Reader or None
        The loaded model; None, with the reason already on the page, where it cannot be used.
    """
    title = text(f"web.app.heading.{name}")
    st.set_page_config(
        page_title=f"{title} · {text('web.app.title')}",
        page_icon=ICON,
        layout="wide",
        initial_sidebar_state="collapsed",  # a phone's menu is in the sidebar
    )
    st.html(STYLE)
    reader, trouble = None, ""
    try:
        reader = engine.reader()
    except ModelError as error:
        trouble = text("web.shell.no_model", reason=plain(error))
    except Exception as error:
        trouble = text("web.shell.model_failed", reference=log_failure(error))
    if reader is not None:
        session.room().use(reader)
    _notice(reader)
    with st.container(key="heading"):
        st.title(title)
    room.draw("shell", ("shell",))
    run_again_after_a_break()
    if trouble:
        st.error(trouble, icon=":material/block:")
    try:
        yield reader
    except Exception as error:
        st.error(text("web.shell.page_failed", reference=log_failure(error)), icon=":material/error:")


def _notice(reader: Reader | None) -> None:
    version = reader.spec.version if reader else text("web.shell.no_version")
    with st.container(key="notice"):
        st.markdown(text("web.shell.notice", disclaimer=DISCLAIMER, version=version))
