"""Heatmap: where on the image the score comes from."""

from cxrmodel.web.heatmap.page import heatmap
from cxrmodel.web.shell import frame

with frame("heatmap") as reader:
    if reader:
        heatmap(reader)
