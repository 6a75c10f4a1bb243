"""Libraries are imported before the first visit.

Some libraries keep the traceback of an import that failed within them for the life of the process, and with it
everything that the importing thread held at that moment: a visitor's session.
"""

import gc
from importlib import import_module

LIBRARIES = (
    "cxrmodel.imaging.dicom.image",
    "cxrmodel.web.about",
    "cxrmodel.web.evaluation.page",
    "cxrmodel.web.heatmap.page",
    "cxrmodel.web.reading.page",
)
"""What the pages import, and what they import late, TensorFlow apart."""


def preload() -> None:
    """Import what any page needs; call it on a thread that holds no session."""
    for library in LIBRARIES:
        import_module(library)
    # After every run of a page Streamlit looks for circular references; it need not look among the libraries.
    gc.collect()
    gc.freeze()
