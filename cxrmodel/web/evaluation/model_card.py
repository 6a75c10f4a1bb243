"""The model card."""

import streamlit as st

from cxrmodel.errors import CxrError
from cxrmodel.evaluation.documents import DOCUMENTS, card_text
from cxrmodel.web.evaluation.cache import text_of
from cxrmodel.web.evaluation.selection import Shown
from cxrmodel.web.text import plain

__all__ = ["card"]


def card(shown: Shown) -> None:
    """Draw the model card of the shipped models, made of their evaluations as they are now.

    Parameters
    ----------
    shown : Shown
    """
    try:
        text = text_of(lambda: _text(shown), shown.models)
    except CxrError as error:
        st.warning(plain(str(error)), icon=":material/warning:")
        return
    if not shown.ours:
        st.info("The card is of the program as it was shipped, not of your own images.", icon=":material/info:")
    st.download_button(
        "Model card as Markdown",
        text.encode(),
        "MODEL_CARD.md",
        "text/markdown",
        icon=":material/download:",
        on_click="ignore",
    )
    with st.container(width=880, key="card"):
        st.markdown(text)


def _text(shown: Shown) -> str:
    return card_text(list(shown.models.values())) if shown.ours else DOCUMENTS["model_card"].text()
