"""The user's own text where Markdown is expected."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from cxrmodel.web.text import plain


def shown(markdown: str) -> tuple[set[str], str]:
    """The kinds of inline elements that a Markdown text gives, and the text that they show."""
    inline = MarkdownIt("commonmark").enable("strikethrough").parseInline(f"x{markdown}x")[0].children
    kinds = {token.type for token in inline} - {"text", "text_special"}
    return kinds, "".join(token.content for token in inline)[1:-1]


@pytest.mark.parametrize(
    "name",
    ["a_b_c.png", "*bold*.png", "![x](http://example.org/x.png)", "<b>.png", "~~a~~", "`code`", "a&amp;b", "[a](b)"],
)
def test_marks_show_as_they_are(name):
    """No mark in a file name becomes emphasis, a link or a picture."""
    assert shown(plain(name)) == (set(), name)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (":red[x]", r"\:red\[x\]"),
        ("$x$", r"\$x\$"),
        (":material/block:", r"\:material/block\:"),
        ("a\nb\tc", "a b c"),
    ],
)
def test_directives_of_streamlit_are_escaped(name, expected):
    """Colours, formulas and icons are escaped, and the text stays on one line."""
    assert plain(name) == expected


@given(st.text(st.characters(exclude_categories=["C", "Z"])))
def test_any_text_shows_as_it_is(name):
    """Any file name appears literally."""
    assert shown(plain(name)) == (set(), name)
