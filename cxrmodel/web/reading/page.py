"""The Read page."""

import streamlit as st

from cxrmodel.reading import Reader
from cxrmodel.web import session
from cxrmodel.web.reading.intake import intake
from cxrmodel.web.reading.progress import progress
from cxrmodel.web.reading.result import result
from cxrmodel.web.reading.worklist import choose_image, worklist
from cxrmodel.web.text import text


def read(reader: Reader) -> None:
    """Draw the page.

    Parameters
    ----------
    reader : Reader
    """
    intake()
    waiting = progress()
    if entries := session.entries():
        result(choose_image(entries))
        worklist()
    elif waiting is None:
        st.info(text("web.read.empty", positive=reader.spec.labels.positive), icon=":material/arrow_upward:")
    if waiting is not None:
        # Each result is shown before the next file is read.
        session.read_next(reader, waiting)
        st.rerun()
