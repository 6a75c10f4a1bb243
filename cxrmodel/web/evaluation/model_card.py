"""The model card."""

import streamlit as st

from cxrmodel.errors import CxrError
from cxrmodel.evaluation.data_flow import training_record
from cxrmodel.evaluation.published import published
from cxrmodel.evaluation.report.card import model_card, shipped_card
from cxrmodel.model.spec import load_spec
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
    if not shown.ours:
        return shipped_card()
    model = next(iter(shown.models.values())).model
    return model_card(list(shown.models.values()), load_spec(model), training_record(model), published())
