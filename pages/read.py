"""Read: from a dropped image to a probability."""

import streamlit as st

from cxrmodel.web import session as images
from cxrmodel.web.reading.intake import intake
from cxrmodel.web.reading.result import result
from cxrmodel.web.reading.worklist import choose_image, worklist
from cxrmodel.web.shell import frame

with frame("Read an image") as reader:
    if reader is None:
        st.stop()
    intake(reader)
    if listed := images.entries():
        result(choose_image(listed))
        worklist()
    else:
        st.info(
            "No image yet. Drop a frontal chest X-ray above, or take a synthetic one, and its probability of pneumonia "
            "appears here.",
            icon=":material/arrow_upward:",
        )
