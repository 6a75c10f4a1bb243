"""The Read page: three parts that the browser draws from the session's room."""

import streamlit as st

from cxrmodel.demo import demo_images
from cxrmodel.web.components import room
from cxrmodel.web.components.viewer import viewer
from cxrmodel.web.text import text


def read() -> None:
    """Draw the page."""
    with st.container(key="room"):
        with st.container(key="worklist"):
            demo = [image.title for image in demo_images()]
            room.draw("worklist", ("worklist",), {"add": text("web.room.add")}, demo=demo)
        with st.container(key="viewer"):
            viewer()
        with st.container(key="result"):
            room.draw("result", ("result",))
