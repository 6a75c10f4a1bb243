"""The Evaluation page: the choice of images and model, and one tab for each part, drawn when it is opened."""

from collections.abc import Callable

import streamlit as st

from cxrmodel.evaluation.report import context, small_samples
from cxrmodel.reading import Reader
from cxrmodel.web.components.chart import charts_last
from cxrmodel.web.evaluation.calibration import calibration
from cxrmodel.web.evaluation.data_flow import data_flow
from cxrmodel.web.evaluation.decision import decision
from cxrmodel.web.evaluation.discrimination import discrimination
from cxrmodel.web.evaluation.failures import failures
from cxrmodel.web.evaluation.headline import headline
from cxrmodel.web.evaluation.model_card import model_card
from cxrmodel.web.evaluation.selection import Selection, choose
from cxrmodel.web.text import plain, text

PARTS: dict[str, Callable[[Selection], None]] = {
    "discrimination": discrimination,
    "decision": decision,
    "calibration": calibration,
    "failures": failures,
    "data_flow": data_flow,
    "model_card": model_card,
}
"""Parts of the page by name, in the order of their tabs."""
TAB = "evaluation part"
"""Key of the open tab. Streamlit forgets it when the page is left."""


def evaluation(reader: Reader | None) -> None:
    """Draw the page.

    Parameters
    ----------
    reader : Reader or None
        An evaluation of other weights under its model's name is refused.
    """
    selection = choose(reader.spec if reader else None)
    if selection is None:
        return
    headline(selection)
    _images(selection)
    opened = TAB not in st.session_state
    titles = [text(f"web.evaluation.part.{name}") for name in PARTS]
    for tab, part in zip(st.tabs(titles, key=TAB, on_change="rerun"), PARTS.values(), strict=True):
        if tab.open:
            with tab, charts_last(opened):
                part(selection)


def _images(selection: Selection) -> None:
    """Say which images these are."""
    st.markdown(" ".join(plain(message) for message in context.images_summary(selection.evaluation, selection.split)))
    if caveat := small_samples.few_in_split(selection.evaluation, selection.split):
        st.warning(str(caveat), icon=":material/warning:")
    if selection.split == "held_out":
        st.info(text("web.evaluation.held_out_note"), icon=":material/info:")
    if dataset := selection.evaluation.dataset:
        images = selection.evaluation.splits["test"].counts.images
        words = " ".join(plain(message) for message in (dataset.described, dataset.grouping(images)))
        st.info(words, icon=":material/info:")
