"""Text of the user's own, such as a file name, where Streamlit expects Markdown."""

import re

__all__ = ["plain"]

_MARKS = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$:&])")


def plain(text: str) -> str:
    """Make Markdown show a text as it is: no emphasis, links, pictures, formulas or icons.

    Parameters
    ----------
    text : str

    Returns
    -------
    str
        On one line.
    """
    return _MARKS.sub(r"\\\1", " ".join(text.split()))
