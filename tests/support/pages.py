"""Pages under test: how they are started, and the texts that they show."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

from cxrmodel.messages import Message

TIMEOUT = 300
"""Seconds for one run of a page: guards against a hang, not against a slow machine."""

PROJECT = Path(__file__).resolve().parents[2]
_KINDS = ("title", "subheader", "markdown", "caption", "error", "warning", "info", "success")


def page_of(script: Callable[..., None], *args: Any, **kwargs: Any) -> AppTest:
    """A page made of a function, not run yet."""
    return AppTest.from_function(script, args=args, kwargs=kwargs, default_timeout=TIMEOUT)


def page_at(path: str) -> AppTest:
    """A script of the project, ``pages/NAME.py``, not run yet."""
    return AppTest.from_file(str(PROJECT / path), default_timeout=TIMEOUT)


def page_text(app: AppTest) -> str:
    """Everything that a page shows, Markdown unescaped, in plain single spaces."""
    parts = [element.value for kind in _KINDS for element in getattr(app, kind)]
    parts += [f"{metric.label}: {metric.value}" for metric in app.metric] + [html.value for html in app.get("html")]
    return unescaped(" ".join(parts))


def unescaped(markdown: str) -> str:
    """A Markdown text as it shows, without escapes and in plain single spaces."""
    return " ".join(re.sub(r"\\([^A-Za-z0-9\s])", r"\1", markdown).split())


def words(code: str, **values: Any) -> str:
    """A text of the catalogue as a page shows it."""
    return unescaped(str(Message(code, **values)))
