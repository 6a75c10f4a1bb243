"""The user's own text where Markdown is expected."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from cxrmodel.sinks import contained
from cxrmodel.web.text import named, plain, text

LINK = re.compile(r"(?i)(https?://|www(?=\.))[-.\w]+|[-.\w+]+@[-\w]+(\.[-\w]+)+")
"""What Streamlit's Markdown makes a link of, escaped or not (mdast-util-gfm-autolink-literal)."""


def shown(markdown: str) -> tuple[set[str], str]:
    """The kinds of inline elements that a Markdown text gives, and the text that they show, without joiners."""
    inline = MarkdownIt("commonmark").enable("strikethrough").parseInline(f"x{markdown}x")[0].children
    kinds = {token.type for token in inline} - {"text", "text_special"}
    return kinds, "".join(token.content for token in inline)[1:-1].replace("\u2060", "")


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


@pytest.mark.parametrize(
    "name", ["www.example.org", "WWW.example.org/x", "see https://example.org", "me@example.org", "a.b-c@x.y.org"]
)
def test_addresses_are_no_links(name):
    """Streamlit looks for these in the text that it shows, where an escape is gone."""
    sentence = text("web.heatmap.image", name=plain(name))
    assert LINK.search(name)
    assert not LINK.search(re.sub(r"\\([^\w\s])", r"\1", sentence))


@given(st.text(st.characters(exclude_categories=["C", "Z"])))
def test_any_text_shows_as_it_is(name):
    """Any file name appears literally."""
    assert shown(plain(name)) == (set(), contained(name))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("% 61 \u202e% 16.png", r"% 61 \\u\{202e\}% 16\.png"),
        ("a\nb", r"a\\u\{a\}b"),
        ("אב", "\u2068אב\u2069"),
        ("a" * 5000, "a" * 59 + "…" + "a" * 59),
    ],
)
def test_names_are_contained_and_short(name, expected):
    """What cannot be seen is a code point; right-to-left text is isolated; the middle of a long name is cut."""
    assert named(name) == expected
