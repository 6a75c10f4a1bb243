"""Texts of the pages: the catalogue's words, and text from outside where Streamlit expects Markdown."""

import re
from typing import Any

from cxrmodel.messages import Message
from cxrmodel.sinks import contained, label

_MARKS = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$:&])")
_ADDRESS = re.compile(r"(?<=www)(?=\.)|(?<=http)(?=s?://)|(?<=[-.\w])(?=@[-\w]+\.)", re.IGNORECASE)
"""Places within an address of the web or of e-mail: Streamlit makes links of these, escaped or not."""
_WORD_JOINER = "\u2060"


def text(code: str, **values: Any) -> str:
    """Give a text of the catalogue.

    Parameters
    ----------
    code : str
        For example ``web.read.empty``.
    **values
        That the text names in braces. Text from outside goes through `named` or `plain` first where the text is
        Markdown.
    """
    return str(Message(code, **values))


def plain(words: object) -> str:
    """Contain a text and escape it for Markdown: no emphasis, links, pictures, formulas or icons.

    Parameters
    ----------
    words : object
        Its ``str`` is shown: a text, a message or an error.

    Returns
    -------
    str
        On one line.
    """
    shown = contained(" ".join(str(words).split()))
    return _MARKS.sub(r"\\\1", _ADDRESS.sub(_WORD_JOINER, shown))


def named(name: str) -> str:
    """Shorten a name from outside, of a file for example, and escape it for Markdown as `plain` does."""
    return plain(label(name))
