"""Heatmap: where on the film the probability rests."""

import streamlit as st

from cxrmodel.web import films, navigation
from cxrmodel.web.explain import choose_explanation
from cxrmodel.web.faithfulness import faithfulness
from cxrmodel.web.heat import heatmap
from cxrmodel.web.shell import frame
from cxrmodel.web.worklist import choose_film

with frame("Heatmap") as reader:
    if reader is None:
        st.stop()
    if read := films.readings():
        explained = choose_explanation(reader, choose_film(read).reading)
        heatmap(explained.reading, explained.legend, explained.range_note)
        faithfulness(reader, explained)
    else:
        st.info("No film has been read in this session. Read one first, then see here what its probability rests on.")
        navigation.link("read", "Read a film")
