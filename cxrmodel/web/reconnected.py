"""A page that comes back to a server which no longer has its session."""

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from cxrmodel.web.server.browsers import RESUMES

_DAY = 86_400


@st.fragment(run_every=_DAY)
def run_again_after_a_break() -> None:
    """Make the page ask for a new run when its connection comes back: Streamlit's does so only if it has a timer.

    Without it, a page whose server was restarted goes on showing what is gone.
    """


def lost_its_session() -> bool:
    """Tell whether the page had another session before: the server was restarted, or kept it no longer."""
    before, context = st.context.headers.get(RESUMES), get_script_run_ctx()
    return bool(before) and context is not None and before != context.session_id
