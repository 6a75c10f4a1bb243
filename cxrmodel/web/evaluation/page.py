"""The evaluation on the page: what is looked at, and the parts of it, each drawn when it is opened."""

from collections.abc import Callable

import streamlit as st

from cxrmodel.errors import EvaluationError
from cxrmodel.evaluation.report.context import images_summary
from cxrmodel.evaluation.report.small_samples import few_in_split
from cxrmodel.evaluation.sections import whole_sections
from cxrmodel.reading import Reader
from cxrmodel.web.errors import log_failure
from cxrmodel.web.evaluation.calibration import calibration
from cxrmodel.web.evaluation.chart_order import charts_last
from cxrmodel.web.evaluation.data_flow import origin
from cxrmodel.web.evaluation.decision import decision
from cxrmodel.web.evaluation.discrimination import discrimination
from cxrmodel.web.evaluation.failures import failures
from cxrmodel.web.evaluation.model_card import card
from cxrmodel.web.evaluation.selection import Shown, choose
from cxrmodel.web.text import plain

__all__ = ["PARTS", "evaluation"]

PARTS = {
    "Discrimination": discrimination,
    "Decision": decision,
    "Calibration": calibration,
    "Where it fails": failures,
    "What it was made from": origin,
    "Model card": card,
}
_PART = "evaluation part"
"""Key of the part opened. Streamlit forgets it when the page is left."""


def evaluation(reader: Reader | None) -> None:
    """Draw the evaluation, with a sentence for each part of it that cannot be used.

    Parameters
    ----------
    reader : Reader or None
        Figures of other weights under its model's name are refused.
    """
    shown = choose(reader.spec if reader else None)
    if shown is None:
        return
    _about_the_images(shown)
    opened = _PART not in st.session_state
    tabs = st.tabs(list(PARTS), key=_PART, on_change="rerun")
    for tab, part in zip(tabs, PARTS.values(), strict=True):
        if tab.open:
            with tab:
                _draw(part, shown, opened)


def _draw(part: Callable[[Shown], None], shown: Shown, opened: bool) -> None:
    try:
        with whole_sections(shown.evaluation.model), charts_last(opened):
            part(shown)
    except EvaluationError as error:
        number = log_failure(error.__cause__ or error)
        st.warning(f"{plain(str(error))} Reference number {number}.", icon=":material/warning:")


def _about_the_images(shown: Shown) -> None:
    st.markdown(plain(" ".join(map(str, images_summary(shown.evaluation, shown.split)))))
    if caveat := few_in_split(shown.evaluation, shown.split):
        st.warning(str(caveat), icon=":material/warning:")
    if shown.split == "held_out":
        st.info(
            "Calibration and operating points were chosen on these patients, so their figures flatter. "
            "The official test images are the ones to judge by.",
            icon=":material/info:",
        )
    if not shown.ours:
        dataset = shown.evaluation.dataset
        st.info(f"Images of your own, {plain(dataset['layout'])}. {plain(dataset['patients'])}", icon=":material/info:")
