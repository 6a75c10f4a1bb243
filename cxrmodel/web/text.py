"""Texts of the pages: the catalogue's words, and the user's own text where Streamlit expects Markdown."""

import re
from typing import Any

from cxrmodel.messages import Message

_MARKS = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$:&])")


def text(code: str, **values: Any) -> str:
    """Give a text of the catalogue.

    Parameters
    ----------
    code : str
        For example ``web.read.empty``.
    **values
        That the text names in braces. A user's own text goes through `plain` first where the text is Markdown.
    """
    return str(Message(code, **values))


def plain(words: object) -> str:
    """Escape a text for Markdown: no emphasis, links, pictures, formulas or icons.

    Parameters
    ----------
    words : object
        Its ``str`` is shown: a text, a message or an error.

    Returns
    -------
    str
        On one line.
    """
    return _MARKS.sub(r"\\\1", " ".join(str(words).split()))
