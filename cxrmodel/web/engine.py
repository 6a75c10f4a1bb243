"""The loaded models of the server, shared by all sessions."""

import streamlit as st

from cxrmodel.apart import apart
from cxrmodel.explain.explainer import Explainer
from cxrmodel.imaging.sandbox.pool import start_sandbox
from cxrmodel.models import DEFAULT_MODEL
from cxrmodel.reading import Reader
from cxrmodel.web.text import text

MODEL = DEFAULT_MODEL
"""The model that reads."""


@st.cache_resource(show_spinner=text("web.shell.loading"), max_entries=2)
def reader(model: str = MODEL) -> Reader:
    """Load a model, and start the sandbox: a server decodes the files of others.

    Raises
    ------
    ModelError
        Its files are missing or altered. Nothing is cached then, so the next call looks again.
    """
    return apart(_load, model)


def _load(model: str) -> Reader:
    start_sandbox()
    return Reader.load(model)


@st.cache_resource(show_spinner=False, max_entries=2, hash_funcs={Reader: lambda reader: reader.spec.version})
def explainer(reader: Reader) -> Explainer:
    """Prepare the explanation methods of a loaded model."""
    return Explainer.shipped(reader.spec, reader.engine)
