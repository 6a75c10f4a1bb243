"""Texts of the pages: the catalogue's words, and text from outside where Streamlit expects Markdown."""

import re
from typing import Any

from cxrmodel.errors import CxrError
from cxrmodel.messages import Message, catalogue
from cxrmodel.sinks import contained, label, shortened

_MARKS = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$:&])")
_REPLACED = re.compile(
    r"(?<=www)(?=\.)|(?<=http)(?=s?://)|(?<=[-.\w])(?=@[-\w]+\.)"
    r"|(?<=:)(?=[-+\w]+[:/])"
    r"|(?:(?<=^[-<>~])|(?<=\s[-<>~]))(?=[-=>]{1,2}(?:\s|$))",
    re.IGNORECASE,
)
"""Places within what Streamlit replaces, escaped or not: addresses by links, ``:streamlit:`` and ``:material/x:`` by
pictures, and ``->`` and ``>=`` between spaces by arrows and signs."""
_WORD_JOINER = "\u2060"
_LONGEST_VALUE = 300
"""Characters of a text that a message quotes."""


def text(code: str, **values: Any) -> str:
    """Give a text of the catalogue.

    Parameters
    ----------
    code : str
        For example ``web.read.failed``.
    **values
        That the text names in braces. Text from outside goes through `named` or `plain` first where the text is
        Markdown.
    """
    return str(Message(code, **values))


def for_browser(section: str) -> dict[str, str]:
    """Give the texts of a component as they stand in the catalogue; the browser puts in what they name in braces.

    Parameters
    ----------
    section : str
        Of ``web.browser``, for example ``worklist``.
    """
    start = f"web.browser.{section}"
    texts = catalogue().texts
    return {code.removeprefix(f"{start}."): words for code, words in texts.items() if code.startswith(f"{start}.")}


def plain(words: object) -> str:
    """Contain a text and escape it for Markdown: no emphasis, links, pictures, formulas or icons.

    Parameters
    ----------
    words : object
        Its ``str`` is shown: a text, a message or an error. What messages and errors quote is shortened.

    Returns
    -------
    str
        On one line.
    """
    message = words.message if isinstance(words, CxrError) else words
    shown = contained(" ".join(str(_brief(message)).split()))
    return _MARKS.sub(r"\\\1", _REPLACED.sub(_WORD_JOINER, shown))


def named(name: str) -> str:
    """Shorten a name from outside, of a file for example, and escape it for Markdown as `plain` does."""
    return plain(label(name))


def _brief(message: object) -> object:
    """A message with its values shortened; anything else as it is."""
    if isinstance(message, Message):
        return Message(message.code, **{name: _brief_value(value) for name, value in message.values.items()})
    return message


def _brief_value(value: object) -> object:
    return shortened(value, _LONGEST_VALUE) if isinstance(value, str) and len(value) > _LONGEST_VALUE else _brief(value)
