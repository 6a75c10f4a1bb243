"""The Read page: parts that the browser draws from the session's room."""

import streamlit as st

from cxrmodel.model.spec import Labels, ModelSpec
from cxrmodel.web.components import room
from cxrmodel.web.components.viewer import viewer
from cxrmodel.web.keeping.service import keeping
from cxrmodel.web.reading.result import result
from cxrmodel.web.reading.welcome import welcome
from cxrmodel.web.text import for_browser

_WORKLIST = ("icons", "choice", "row", "worklist")


def read(spec: ModelSpec) -> None:
    """Draw the page.

    Parameters
    ----------
    spec : ModelSpec
        Of the model that reads; it may still be being loaded.
    """
    with st.container(key="room"):
        with st.container(key="welcome"):
            welcome(spec)
        with st.container(key="worklist"):
            room.draw("worklist", _WORKLIST, _words(spec.labels))
        with st.container(key="viewer"):
            viewer()
        with st.container(key="result"):
            result()


def _words(labels: Labels) -> dict[str, str]:
    """Texts of the list, with the findings of the model."""
    words = for_browser("worklist")
    findings = {
        "positive": labels.positive.capitalize(),
        "negative": labels.negative.capitalize(),
        "uncertain": words["uncertain"],
    }
    kept = keeping()
    words["kept"] = "" if kept is None else str(kept.words)
    return words | findings | {f"show_{kind}": finding for kind, finding in findings.items()}
