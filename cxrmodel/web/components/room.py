"""Components that draw the session's images from the room's own addresses, without a run of the script."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import streamlit as st
from streamlit import config

from cxrmodel.imaging.radiograph import MAX_BYTES
from cxrmodel.paths import ASSETS
from cxrmodel.web import session
from cxrmodel.web.keeping.service import keeping
from cxrmodel.web.text import text

STORE = ("requests", "cache", "uploads", "notices", "drops", "store", "room")
"""Scripts of the store, in the folder ``room``, in the order in which they are joined."""
_WORDS = ("drop_here", "added_one", "lost_session")


def draw(name: str, scripts: tuple[str, ...], words: Mapping[str, str] | None = None, **data: Any) -> None:
    """Draw a component that shows the room.

    Its folder is ``assets/NAME``, with ``NAME.html``, ``NAME.css`` and its scripts. The last one exports the function
    that Streamlit calls; it begins with ``openRoom(data)``, which gives the store.

    Parameters
    ----------
    name : str
        Also the key of the component.
    scripts : tuple of str
        Without ``.js``, in the order in which they are joined.
    words : mapping of str to str, optional
        Texts for the browser.
    **data
        Whatever else the component needs, as JSON.
    """
    given = {
        "base": _base(),
        "token": session.room().token,
        "limit": MAX_BYTES,
        "kept": keeping() is not None,
        "words": {word: text(f"web.room.{word}") for word in _WORDS}
        | {"added": text("web.room.added", count="{count}")}
        | dict(words or {}),
    }
    _component(name, scripts)(key=f"{name} component", data=given | data)


def assets(name: str, scripts: tuple[str, ...]) -> dict[str, str]:
    """Read a component: its markup, its style, and its scripts, joined with store and numbers into one module.

    Returns
    -------
    dict of str to str
        ``html``, ``css`` and ``js``.
    """
    store = "\n".join(_read("room", f"{script}.js") for script in STORE)
    own = "\n".join(_read(name, f"{script}.js") for script in scripts)
    return {
        "html": _read(name, f"{name}.html"),
        "css": _read(name, f"{name}.css"),
        # The names of the store are its own.
        "js": f"const openRoom = (() => {{\n{store}\nreturn openRoom;\n}})();\n{_read('room', 'numbers.js')}\n{own}",
    }


def _read(folder: str, file: str) -> str:
    return (ASSETS / folder / file).read_text(encoding="utf-8")


def _base() -> str:
    """Path of the app's own address, without a slash at its end."""
    base = str(config.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{base}" if base else ""


@cache
def _component(name: str, scripts: tuple[str, ...]) -> Any:
    """The component, registered at its first use."""
    parts = assets(name, scripts)
    return st.components.v2.component(f"room_{name}", html=parts["html"], css=parts["css"], js=parts["js"])
