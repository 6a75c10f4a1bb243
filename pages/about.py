"""About: what the model is, what it was trained on, and the limits of its use."""

from cxrmodel.web.about import about
from cxrmodel.web.shell import frame

with frame("About") as reader:
    about(reader.spec if reader else None)
