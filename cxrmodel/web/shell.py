"""The frame of every page: title, notice, model version, and a net for unexpected errors."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from cxrmodel.errors import ModelError
from cxrmodel.logs import log_failure
from cxrmodel.reading import Reader
from cxrmodel.report.wording import DISCLAIMER
from cxrmodel.web import engine, session
from cxrmodel.web.components import room
from cxrmodel.web.reconnected import run_again_after_a_break
from cxrmodel.web.style import ICON, STYLE
from cxrmodel.web.text import plain, text


@contextmanager
def frame(name: str, model_first: bool = True) -> Iterator[Reader | None]:
    """Frame a page, which does all its work within.

    Parameters
    ----------
    name : str
        Key of the page: "read", "heatmap", "evaluation" or "about".
    model_first : bool
        Whether the page waits for the model. If not, it is drawn while the model is still being loaded.

    Yields
    ------
    Reader or None
        The loaded model; None where the page does not wait for it, or, with the reason on the page, it cannot be used.
    """
    title = text(f"web.app.heading.{name}")
    st.set_page_config(
        page_title=f"{title} · {text('web.app.title')}",
        page_icon=ICON,
        layout="wide",
        initial_sidebar_state="collapsed",  # a phone's menu is in the sidebar
    )
    st.html(STYLE)
    line = _notice()
    with st.container(key="heading"):
        st.title(title)
    room.draw("shell", ("shell",))
    run_again_after_a_break()
    trouble = st.empty()
    reader = _reader(line, trouble) if model_first else None
    try:
        yield reader
    except Exception as error:
        st.error(text("web.shell.page_failed", reference=log_failure(error)), icon=":material/error:")
    if not model_first:
        _reader(line, trouble)


def _reader(line: DeltaGenerator, trouble: DeltaGenerator) -> Reader | None:
    """The loaded model, which from now on reads the session's images; else None, with the reason on the page."""
    try:
        reader = engine.reader()
    except ModelError as error:
        reason = text("web.shell.no_model", reason=plain(error))
    except Exception as error:
        reason = text("web.shell.model_failed", reference=log_failure(error))
    else:
        session.room().use(reader)
        return reader
    line.markdown(text("web.shell.notice", disclaimer=DISCLAIMER, version=text("web.shell.no_version")))
    trouble.error(reason, icon=":material/block:")
    return None


def _notice() -> DeltaGenerator:
    """Draw the notice; the place of its line, which names the model."""
    spec = engine.specification()
    version = spec.version if spec else text("web.shell.no_version")
    with st.container(key="notice"):
        line = st.empty()
        line.markdown(text("web.shell.notice", disclaimer=DISCLAIMER, version=version))
    return line
