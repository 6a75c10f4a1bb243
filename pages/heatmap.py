"""Heatmap: where on the image the probability rests."""

import streamlit as st

from cxrmodel.web import app as navigation
from cxrmodel.web import session as images
from cxrmodel.web.heatmap.faithfulness import faithfulness
from cxrmodel.web.heatmap.methods import choose_explanation
from cxrmodel.web.heatmap.page import heatmap
from cxrmodel.web.reading.worklist import choose_image
from cxrmodel.web.shell import frame

with frame("Heatmap") as reader:
    if reader is None:
        st.stop()
    if read := images.readings():
        explained = choose_explanation(reader, choose_image(read).reading)
        heatmap(explained.reading, explained.legend, explained.range_note)
        faithfulness(reader, explained)
    else:
        st.info("No image has been read in this session. Read one first, then see here what its probability rests on.")
        navigation.link("read", "Read an image")
