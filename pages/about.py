"""About: what the model is, what it was trained on, and its limits."""

from cxrmodel.web.about import about
from cxrmodel.web.shell import frame

with frame("about") as reader:
    about(reader)
