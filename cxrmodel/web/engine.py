"""The loaded models of the server, shared by all sessions."""

import streamlit as st

from cxrmodel.apart import apart
from cxrmodel.errors import ModelError
from cxrmodel.imaging.sandbox.pool import start_sandbox
from cxrmodel.model.spec import ModelSpec, load_spec
from cxrmodel.models import DEFAULT_MODEL
from cxrmodel.reading import Reader

MODEL = DEFAULT_MODEL
"""The model that reads."""


@st.cache_resource(show_spinner=False, max_entries=2)
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


def specification(model: str = MODEL) -> ModelSpec | None:
    """Give the specification of a model, which needs no loading; None where it cannot be used."""
    try:
        return load_spec(model)
    except ModelError:
        return None
