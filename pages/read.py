"""Read: from a dropped image to a probability."""

from cxrmodel.web.reading.page import read
from cxrmodel.web.shell import frame

with frame("read") as reader:
    if reader:
        read(reader)
