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


def drawn(markdown: str) -> tuple[set[str], str]:
    """The kinds of inline elements that a Markdown text gives, and the text that they show."""
    inline = MarkdownIt("commonmark").enable("strikethrough").parseInline(f"x{markdown}x")[0].children
    kinds = {token.type for token in inline} - {"text", "text_special"}
    return kinds, "".join(token.content for token in inline)[1:-1]


def shown(markdown: str) -> tuple[set[str], str]:
    """As ``drawn``, without joiners."""
    kinds, words = drawn(markdown)
    return kinds, words.replace("\u2060", "")


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
        (":material/block:", "\\:\u2060material/block\\:"),
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
    sentence = text("web.evaluation.own", name=plain(name))
    assert LINK.search(name)
    assert not LINK.search(re.sub(r"\\([^\w\s])", r"\1", sentence))


REPLACED = (r":streamlit:", r":material[/_](\w+):", r":[-+\w]+:", r"(^|\s)(<->|->|<-|--|>=|<=|~=)(\s|$)")
"""What Streamlit's pages replace in the text that they show, escaped or not, by pictures and signs."""


@pytest.mark.parametrize(
    "name",
    [
        *(":streamlit:", ":material/block: 61", "a :material_check: b", ":smile:", ":+1:", ":a-b_c:x:d:"),
        *("a -> b", "->", "<-", "p <-> q", "x -- y", "p >= 1", "p <= 1", "p ~= 61", "a -> -> b", ":x:->"),
    ],
)
def test_nothing_is_replaced(name):
    """Neither in the text alone, nor in a sentence that holds it."""
    assert any(re.search(pattern, name) for pattern in REPLACED)
    for markdown in (plain(name), text("web.evaluation.own", name=plain(name))):
        assert not any(re.search(pattern, drawn(markdown)[1]) for pattern in REPLACED)
        assert "u{2060}" not in drawn(markdown)[1]
    assert shown(plain(name)) == (set(), name)


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
