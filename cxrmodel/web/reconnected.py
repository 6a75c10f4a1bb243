"""A page that comes back to a server which no longer has its session."""

import streamlit as st

_DAY = 86_400


@st.fragment(run_every=_DAY)
def run_again_after_a_break() -> None:
    """Make the page ask for a new run when its connection comes back: Streamlit's does so only if it has a timer.

    Without it, a page whose server was restarted goes on showing what is gone.
    """
