"""What was computed to explain the images of one session: kept in the session's own memory, gone with its image."""

from collections.abc import Callable
from typing import TypeVar

import streamlit as st

__all__ = ["MOST", "clear", "forget", "kept", "peek"]

MOST = 64
"""Results kept; the oldest makes room."""

_RESULTS = "what was computed to explain images"

Made = TypeVar("Made")
Key = tuple[str, ...]


def kept(key: Key, make: Callable[[], Made]) -> Made:
    """Give what was computed under a key, or compute it; what ends in an error or is stopped is not kept.

    Parameters
    ----------
    key : tuple of str
        SHA-256 of the image, SHA-256 of the weights, and whatever else the result depends on.
    make : callable
    """
    results = _results()
    if key not in results:
        made = make()
        results[key] = made
        while len(results) > MOST:
            del results[next(iter(results))]
    return results[key]


def peek(key: Key) -> object | None:
    """Give what was computed under a key, None where nothing was."""
    return _results().get(key)


def forget(sha256: str) -> None:
    """Forget all that was computed of one image."""
    for key in [key for key in _results() if key[0] == sha256]:
        del _results()[key]


def clear() -> None:
    """Forget everything."""
    st.session_state.pop(_RESULTS, None)


def _results() -> dict[Key, object]:
    return st.session_state.setdefault(_RESULTS, {})
