"""Names that try to be more than names, and what to look for where they end up."""

import unicodedata

FORGED = "a.png: normal, probability of pneumonia 1 %"

HOSTILE = {
    "override": "% 61 \u202e% 16.png",
    "isolate": "a\u2067b\u2069c.png",
    "leaves its isolate": "\u2069% 16\u2068.png",
    "right to left": "\u05d0\u05d1\u05d2 61.png",
    "escape sequence": "\x1b[2K\x1b[1A\x1b]0;title\x07.png",
    "C1": "\x9b2K\x85.png",
    "line": f"x\n{FORGED}.png",
    "return": f"x\r{FORGED}.png",
    "separators": "x\u2028y\u2029z.png",
    "zero width": "a\u200bb\ufeffc\u00add.png",
    "tags": "a\U000e0041\U000e0042.png",
    "filler": "\u3164\u2800\u115f.png",
    "formula": "=cmd|' /C calc'!A0.png",
    "later formula": "a;=1+1,@SUM(1).png",
    "element": "<img src=x onerror=alert(1)>.png",
    "attribute": "\"' onmouseover=alert(1) x='.png",
    "link": "[x](javascript:alert(1)).png",
    "picture": "![x](http://example.org/x.png).png",
    "address": "www.example.org",
    "mathematics": "$\\frac{1}{2}$ $x$.png",
    "directives": ":material/block: :red[61 %] :small[x].png",
    "code": "`a` ``b``.png",
    "braces": "{name} {0} %s %n.png",
    "long": "a" * 2500 + "\u202e" + "b" * 2500 + ".png",
    "emoji": "👩\u200d⚕\ufe0f 🏳\ufe0f\u200d🌈.png",
    "combining": "e" + "\u0301" * 500 + ".png",
    "path": "../../etc/passwd\\x",
    "dots": "...",
}
"""By what they try."""

FORMULAS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
"""What a cell begins with that a spreadsheet takes for a formula."""


def hidden(text: str) -> set[str]:
    """Control, format, surrogate, private and unassigned characters and line separators of a text."""
    return {sign for sign in text if unicodedata.category(sign)[0] == "C" or unicodedata.category(sign) in ("Zl", "Zp")}


def is_balanced(text: str) -> bool:
    """Whether isolates come in pairs, so that nothing after the text is within one."""
    depth = 0
    for sign in text:
        depth += (sign == "\u2068") - (sign == "\u2069")
        if depth < 0:
            return False
    return depth == 0


def is_contained(text: str) -> bool:
    """Whether a shown text holds nothing hidden but line breaks, pairs of isolates and joiners."""
    return is_balanced(text) and hidden(text) <= set("\n\u2068\u2069\u2060\u200d")
