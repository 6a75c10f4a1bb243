"""The Heatmap page: the map on its image, the shares of the evidence, and other methods beside it."""

import streamlit as st

from cxrmodel.reading import Reader
from cxrmodel.web.components.viewer import viewer


def heatmap(reader: Reader) -> None:
    """Draw the page.

    Parameters
    ----------
    reader : Reader
    """
    with st.container(key="heatmap"), st.container(key="viewer"):
        viewer(outline=True)
