"""The one model of the server: what is known of it at once, and the loaded network when a film comes."""

from typing import TYPE_CHECKING

import streamlit as st

from cxrmodel.model.spec import ModelSpec, load_spec, read_graph

if TYPE_CHECKING:
    from cxrmodel.reading import Reader

__all__ = ["MODEL", "reader", "spec"]

MODEL = "densenet121"


@st.cache_resource(show_spinner=False, max_entries=2)
def spec(model: str = MODEL) -> ModelSpec:
    """Give the model's specification, once its weights have been checked against it.

    Parameters
    ----------
    model : str
        Name of the trained model.

    Returns
    -------
    ModelSpec

    Raises
    ------
    ModelError
        The model's files are missing or altered; nothing is kept then, so the next call looks again.
    """
    found = load_spec(model)
    read_graph(found)
    return found


@st.cache_resource(show_spinner="Loading the model. This takes a moment, once after each start.", max_entries=2)
def reader(model: str = MODEL) -> "Reader":
    """Give the loaded model, shared by all sessions of the server.

    Parameters
    ----------
    model : str
        Name of the trained model.

    Returns
    -------
    Reader

    Raises
    ------
    ModelError
        The model's files are missing or altered; nothing is kept then, so the next call tries again.
    """
    from cxrmodel.reading import Reader  # takes seconds, and most pages do without

    return Reader.load(model)
