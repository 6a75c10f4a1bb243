"""Read: from a dropped film to a probability."""

import streamlit as st

from cxrmodel.web import films
from cxrmodel.web.intake import intake
from cxrmodel.web.result import result
from cxrmodel.web.shell import frame
from cxrmodel.web.worklist import choose_film, worklist

with frame("Read a film") as reader:
    if reader is None:
        st.stop()
    intake(reader)
    if listed := films.entries():
        result(choose_film(listed))
        worklist()
    else:
        st.info(
            "No film yet. Drop a frontal chest X-ray above, or take a synthetic one, and its probability of pneumonia "
            "appears here.",
            icon=":material/arrow_upward:",
        )
