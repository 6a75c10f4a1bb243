r"""Text from outside on its way out: one function for each kind of place where it ends up.

Names of files and folders, values of DICOM tags and the like are data. They cannot move, hide or imitate what the
program says. A character that is invisible, that moves others or that controls a device is written as its code point in
braces, ``\u{202e}``; text in a right-to-left script is isolated from what stands around it (Unicode Standard Annex 9).

Sentences need no care: a ``Message`` contains its values. Streamlit's Markdown is in ``cxrmodel/web/text.py``.
"""

import json
import re
import unicodedata
from collections.abc import Collection, Iterator
from typing import Any

LONGEST_NAME = 120
"""Characters of a name that a page shows."""

_FIRST_STRONG_ISOLATE, _POP_ISOLATE = "\u2068", "\u2069"
_MOST_MARKS = 4
"""Accents on one letter. Hebrew and Vietnamese need up to three."""

_IGNORABLE = frozenset(
    map(chr, (0x34F, 0x115F, 0x1160, 0x17B4, 0x17B5, *range(0x180B, 0x1810), 0x2800, 0x3164, *range(0xFE00, 0xFE10)))
) | frozenset(map(chr, (0xFFA0, *range(0xE0100, 0xE01F0))))
"""Letters and marks without a picture, beside the characters of Unicode's categories C, Zl and Zp."""

_EMOJI = "\u2190-\u3299\U0001f000-\U0001faff"
_JOINED = "\u0620-\u06d3\u0900-\u0dff"
_NEEDED = re.compile(
    f"(?<=[#*0-9\xa9\xae{_EMOJI}])\ufe0f"
    f"|(?<=[\ufe0f{_EMOJI}])\u200d(?=[{_EMOJI}])"
    f"|(?<=[{_JOINED}])[\u200c\u200d](?=[{_JOINED}])"
)
"""Joiners and selectors where spelling needs them: within an emoji, and between Arabic or Indic letters."""

_BROKEN = re.compile(
    r"(?:(?<=www)|(?<=http)|(?=.@)|(?<=:)(?=.[-+\\\w]+[:/])|(?<=[-<>~])(?=.\\?[-=>]))" "\u2060", re.IGNORECASE
)
"""Where a page keeps Streamlit from replacing a text: by a link, a picture or a sign."""

_CODE_POINT = re.compile(r"\\u\{([0-9a-f]{1,6})\}")
_FORMULA = re.compile(r"\s*['=+\-@\uff1d\uff0b\uff0d\uff20]")
_LATER_FORMULA = re.compile(r"""(?<=[;,])([\s"']*)([=+\-@\uff1d\uff0b\uff0d\uff20])""")
_SPACES = re.compile(r"(?<=\s)\s|^\s|\s$")
_LIKE_A_LINE = re.compile(r"""["'`]|:(\s|$)|\\u\{""")
_MARKDOWN = re.compile(r"([\\`*_\[\]<>&|~])")
_SURROGATE = re.compile("[\ud800-\udfff]")
_NOT_IN_FILE_NAMES = re.compile(r'[\\/:*?"<>|%\x00-\x1f]+')


def visible(text: str) -> str:
    """Write every character that cannot be seen, moves others or controls a device as its code point in braces.

    Parameters
    ----------
    text : str
        May hold lone surrogates.

    Returns
    -------
    str
        On one line; valid Unicode.
    """
    return "".join(_pieces(text))


def contained(text: str) -> str:
    """Make a text visible and isolate it where it holds letters of a right-to-left script.

    Parameters
    ----------
    text : str
        Also one that holds texts which are contained already; these stay.
    """
    if text.isascii() and text.isprintable():
        return text
    breaks = {found.start() for found in _BROKEN.finditer(text)}
    shown = "".join(_pieces(text, _isolates(text) | breaks))
    return f"{_FIRST_STRONG_ISOLATE}{shown}{_POP_ISOLATE}" if _leaves_direction(shown) else shown


def shortened(text: str, most: int = LONGEST_NAME) -> str:
    """Make a text visible, and cut its middle where it is long: both ends tell names apart.

    Parameters
    ----------
    text : str
    most : int
        Characters of the result, 3 or more.
    """
    pieces = list(_pieces(text))
    if sum(map(len, pieces)) <= most:
        return "".join(pieces)
    room = (most - 1) // 2
    head, tail = _fitting(pieces, room), _fitting(reversed(pieces), room)
    return "".join([*head, "…", *reversed(tail)])


def label(name: str, most: int = LONGEST_NAME) -> str:
    """Shorten and contain a name for a place on a page that shows text as it is, such as an option."""
    return contained(shortened(name, most))


def table_cell(text: str) -> str:
    """Contain a text for a table on a page, which a browser can save as CSV: no spreadsheet takes it for a formula."""
    return _no_formula(contained(text))


def markdown(text: object) -> str:
    """Contain a text and escape it for a document in Markdown, within a line or a cell of a table."""
    return _MARKDOWN.sub(r"\\\1", contained(str(text)))


def storable(name: str) -> str:
    """Give a name that can be stored as UTF-8: itself, unless bytes of it are no text."""
    return visible(name) if _SURROGATE.search(name) else name


def drawn(text: str, font: Collection[int]) -> str:
    """Make a text visible for a font that knows no isolates: unknown characters become replacement characters.

    Parameters
    ----------
    text : str
    font : collection of int
        Code points of its characters.
    """
    known = visible(text.replace(_FIRST_STRONG_ISOLATE, "").replace(_POP_ISOLATE, ""))
    return "".join(sign if ord(sign) in font else "\ufffd" for sign in known)


def terminal(name: str) -> str:
    """Contain a name for a line on a terminal.

    Quotation marks surround a name that could be taken for more than a name, and spaces that would hide or push text
    to the next line are code points.
    """
    spaced = _SPACES.sub(lambda found: _code_point(found[0]), visible(name))
    shown = contained(spaced)
    return f'"{shown}"' if _LIKE_A_LINE.search(spaced) else shown


def file_stem(name: str, most: int = 80) -> str:
    """Make of a name the beginning of a file name that every system accepts.

    Parameters
    ----------
    name : str
    most : int
        Characters of the result.

    Returns
    -------
    str
        Never empty, without characters that are special to a file system or in an HTTP header. Ends in no suffix that
        the name did not have.
    """
    known = "".join(sign if _is_seen(sign) else "_" for sign in name)
    stem = shortened(_NOT_IN_FILE_NAMES.sub("_", known), most).strip(" .")
    return stem or "image"


def cell(text: str) -> str:
    """Write a text as a cell of a CSV file that no spreadsheet takes for a formula. ``from_cell`` is its inverse.

    Parameters
    ----------
    text : str
        May hold lone surrogates.

    Returns
    -------
    str
        On one line; valid Unicode.
    """
    exact = text.replace("\\u{", "\\u{5c}u{")
    return _no_formula("".join(_pieces(exact, _isolates(exact))))


def from_cell(text: str) -> str:
    """Give the text of a cell that ``cell`` wrote.

    Parameters
    ----------
    text : str
        Of another origin, too: code points that do not exist stay as they are.
    """
    return _CODE_POINT.sub(_sign, text.removeprefix("'"))


def json_line(value: Any) -> str:
    """Write a value as JSON on one line: exact for any reader of JSON, and harmless on a terminal.

    Parameters
    ----------
    value
        As ``json.dumps`` takes it. Strings may hold lone surrogates.
    """
    written = json.dumps(value, ensure_ascii=False, allow_nan=False)
    if written.isascii() and written.isprintable():
        return written
    return "".join(sign if _is_seen(sign) else json.dumps(sign)[1:-1] for sign in written)


def _no_formula(shown: str) -> str:
    later = _LATER_FORMULA.sub(lambda found: found[1] + _code_point(found[2]), shown)
    return f"'{later}" if _FORMULA.match(later) else later


def _pieces(text: str, kept: Collection[int] = ()) -> Iterator[str]:
    """Each character of a text, or its code point; as they are those at the places ``kept``."""
    if text.isascii() and text.isprintable():
        yield from text
        return
    needed = {found.start() for found in _NEEDED.finditer(text)}.union(kept)
    marks = _MOST_MARKS  # there is no letter yet for a mark to stand on
    for place, sign in enumerate(text):
        if place in needed:
            yield sign
            continue
        marks = marks + 1 if unicodedata.category(sign) in ("Mn", "Me") else 0
        yield sign if marks <= _MOST_MARKS and _is_seen(sign) else _code_point(sign)


def _is_seen(sign: str) -> bool:
    return sign not in _IGNORABLE and (sign.isprintable() or unicodedata.category(sign) == "Zs")


def _code_point(sign: str) -> str:
    return f"\\u{{{ord(sign):x}}}"


def _sign(found: re.Match[str]) -> str:
    code = int(found[1], 16)
    return chr(code) if code < 0x110000 else found[0]


def _isolates(text: str) -> set[int]:
    """Places of the isolates of texts that are contained already; none where these do not come in pairs."""
    places, depth = set(), 0
    for place, sign in enumerate(text):
        if sign in (_FIRST_STRONG_ISOLATE, _POP_ISOLATE):
            places.add(place)
            depth += 1 if sign == _FIRST_STRONG_ISOLATE else -1
            if depth < 0:
                return set()
    return set() if depth else places


def _leaves_direction(shown: str) -> bool:
    """Whether letters or numbers of a right-to-left script stand outside every isolate."""
    depth = 0
    for sign in shown:
        depth += (sign == _FIRST_STRONG_ISOLATE) - (sign == _POP_ISOLATE)
        if not depth and unicodedata.bidirectional(sign) in ("R", "AL", "AN"):
            return True
    return False


def _fitting(pieces: Any, room: int) -> list[str]:
    fitting: list[str] = []
    for piece in pieces:
        room -= len(piece)
        if room < 0:
            break
        fitting.append(piece)
    return fitting
