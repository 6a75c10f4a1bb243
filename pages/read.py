"""Read: from a dropped image to a probability."""

from cxrmodel.web.engine import specification
from cxrmodel.web.reading.page import read
from cxrmodel.web.shell import frame

with frame("read", model_first=False):
    if spec := specification():
        read(spec)
