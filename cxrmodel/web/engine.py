"""The one loaded model of the server."""

import streamlit as st

from cxrmodel.explain.explainer import Explainer
from cxrmodel.reading import Reader

__all__ = ["MODEL", "explainer", "reader"]

MODEL = "densenet121"


@st.cache_resource(show_spinner="Loading the model", max_entries=2)
def reader(model: str = MODEL) -> Reader:
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
        The model's files are missing or altered; nothing is kept then, so the next call looks again.
    """
    return Reader.load(model)


def explainer(reader: Reader) -> Explainer:
    """Give the methods of explaining over a loaded model, shared by all sessions of the server.

    Parameters
    ----------
    reader : Reader
    """
    return _explainer(reader.spec.weights_sha256, reader)


@st.cache_resource(show_spinner=False, max_entries=2)
def _explainer(weights_sha256: str, _reader: Reader) -> Explainer:
    return Explainer.shipped(_reader.spec, _reader.engine)
