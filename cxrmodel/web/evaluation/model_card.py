"""Model card, made of the evaluations that the page shows."""

import streamlit as st

from cxrmodel.errors import CxrError
from cxrmodel.evaluation.documents import DOCUMENTS, card_text
from cxrmodel.evaluation.schema import Evaluation
from cxrmodel.web.components.downloads import button
from cxrmodel.web.evaluation.cache import fingerprint
from cxrmodel.web.evaluation.selection import Selection
from cxrmodel.web.text import plain, text


def model_card(selection: Selection) -> None:
    """Draw the card; of a user's own images that of the shipped evaluations.

    Parameters
    ----------
    selection : Selection
    """
    try:
        card = (
            _card(list(selection.evaluations.values())) if selection.is_shipped else DOCUMENTS["model_card"].written()
        )
    except (CxrError, OSError) as error:
        st.warning(plain(error), icon=":material/warning:")
        return
    if not selection.is_shipped:
        st.info(text("web.model_card.shipped"), icon=":material/info:")
    button(text("web.model_card.download"), card.encode, "MODEL_CARD.md", "text/markdown")
    with st.container(width=880, key="card"):
        st.markdown(card)


@st.cache_data(show_spinner=False, max_entries=16, hash_funcs={Evaluation: fingerprint})
def _card(evaluations: list[Evaluation]) -> str:
    return card_text(evaluations)
