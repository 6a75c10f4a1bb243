"""Texts in ASCII, which is part of every character set of DICOM."""

import unicodedata

from cxrmodel.messages import Message

_SIGNS = str.maketrans(
    {"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u2013": "-", "\u2014": "-", "\u2212": "-"}
    | {"\u00d7": "x", "\u00b1": "+/-", "\u2264": "<=", "\u2265": ">=", "\u2192": "->", "\u00b7": "-", "\\": "/"}
)


def plain(text: Message | str) -> str:
    """Write a text in ASCII: letters without accents, signs by their nearest, others as question marks.

    Parameters
    ----------
    text : Message or str
    """
    words = unicodedata.normalize("NFKD", str(text)).translate(_SIGNS)
    kept = "".join(sign for sign in words if not unicodedata.combining(sign) and unicodedata.category(sign) != "Cf")
    return kept.encode("ascii", "replace").decode()
