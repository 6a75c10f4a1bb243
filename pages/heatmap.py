"""Heatmap: where on the image the score comes from."""

from cxrmodel.web.engine import specification
from cxrmodel.web.heatmap.page import heatmap
from cxrmodel.web.shell import frame

with frame("heatmap", model_first=False):
    if spec := specification():
        heatmap(spec)
