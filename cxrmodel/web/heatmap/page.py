"""The Heatmap page: the map on its image, the shares of the evidence, and other methods beside it."""

from typing import Any

import streamlit as st

from cxrmodel.demo import clear_images, demo_images
from cxrmodel.errors import DataError
from cxrmodel.model.spec import ModelSpec
from cxrmodel.web.components.viewer import viewer
from cxrmodel.web.heatmap.methods import offered
from cxrmodel.web.text import text


def heatmap(spec: ModelSpec) -> None:
    """Draw the page, which the browser draws from the session's room.

    Parameters
    ----------
    spec : ModelSpec
        Of the model that reads.
    """
    with st.container(key="heatmap"), st.container(key="viewer"):
        viewer(offered(spec) | {"demo": _demo()}, outline=True)


def _demo() -> list[dict[str, Any]]:
    """Describe the demo images that the model reads clearly."""
    try:
        images = demo_images()
        return [
            {
                "index": images.index(image),
                "name": text("web.read.demo_name", title=image.title),
                "title": text("web.welcome.clear", kind=image.kind),
            }
            for image in clear_images()
        ]
    except DataError:
        return []
