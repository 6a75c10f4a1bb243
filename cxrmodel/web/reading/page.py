"""The Read page: parts that the browser draws from the session's room."""

import streamlit as st

from cxrmodel.model.spec import Labels
from cxrmodel.reading import Reader
from cxrmodel.web.components import room
from cxrmodel.web.components.viewer import viewer
from cxrmodel.web.reading.welcome import welcome
from cxrmodel.web.text import for_browser

_WORKLIST = ("icons", "choice", "row", "worklist")


def read(reader: Reader) -> None:
    """Draw the page.

    Parameters
    ----------
    reader : Reader
    """
    with st.container(key="room"):
        with st.container(key="welcome"):
            welcome(reader.spec)
        with st.container(key="worklist"):
            room.draw("worklist", _WORKLIST, _words(reader.spec.labels))
        with st.container(key="viewer"):
            viewer()
        with st.container(key="result"):
            room.draw("result", ("result",))


def _words(labels: Labels) -> dict[str, str]:
    """Texts of the list, with the findings of the model."""
    words = for_browser("worklist")
    findings = {
        "positive": labels.positive.capitalize(),
        "negative": labels.negative.capitalize(),
        "uncertain": words["uncertain"],
    }
    return words | findings | {f"show_{kind}": finding for kind, finding in findings.items()}
