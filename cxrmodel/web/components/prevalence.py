"""The choice of the prevalence that every number of the session assumes."""

import streamlit as st

from cxrmodel.model.spec import Labels
from cxrmodel.prevalence import EVEN_ODDS, prevalence_percent
from cxrmodel.web import session
from cxrmodel.web.text import text

_WIDGET = "prevalence slider"
_CHOICES = (0.001, 0.002, 0.005, *(percent / 100 for percent in range(1, 100)), 0.995, 0.998, 0.999)


def choose_prevalence(labels: Labels) -> None:
    """Draw the choice, behind a title.

    Parameters
    ----------
    labels : Labels
    """
    st.session_state[_WIDGET] = current = session.prevalence()
    with st.expander(text("web.result.prevalence"), icon=":material/tune:"):
        st.select_slider(
            text("web.result.prevalence_share", positive=labels.positive),
            sorted({*_CHOICES, current}),
            format_func=_label,
            key=_WIDGET,
            on_change=lambda: session.set_prevalence(st.session_state[_WIDGET]),
        )
        st.caption(text("web.result.prevalence_note"))


def _label(prevalence: float) -> str:
    percentage = prevalence_percent(prevalence)
    return text("report.fact.even_odds", prevalence=percentage) if prevalence == EVEN_ODDS else percentage
