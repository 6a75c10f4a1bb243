"""Text from outside, in every place where it ends up."""

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrmodel import sinks
from tests.support.hostile import FORMULAS, hidden, is_balanced

ANY = st.text(st.characters(), max_size=60) | st.text("\\u{}5c'=;,+ \n\u202e\u2068\u2069\ud800א", max_size=20)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain name_1 (2).png", "plain name_1 (2).png"),
        ("Müller, José.png", "Müller, José.png"),
        ("胸部.png", "胸部.png"),
        ("a\nb", "a\\u{a}b"),
        ("\x1b[2K\x9b1A", "\\u{1b}[2K\\u{9b}1A"),
        ("a\u202egnp", "a\\u{202e}gnp"),
        ("a\u2066b\u2069", "a\\u{2066}b\\u{2069}"),
        ("a\u200bb\ufeffc\xadd", "a\\u{200b}b\\u{feff}c\\u{ad}d"),
        ("a\u2028b\u2029c\x85d", "a\\u{2028}b\\u{2029}c\\u{85}d"),
        ("x\U000e0041", "x\\u{e0041}"),
        ("\ud800\udcff", "\\u{d800}\\u{dcff}"),
        ("\u3164\u2800a\ufe00", "\\u{3164}\\u{2800}a\\u{fe00}"),
        ("👩\u200d⚕\ufe0f.png", "👩\u200d⚕\ufe0f.png"),
        ("می\u200cروم", "می\u200cروم"),
        ("e\u0301", "e\u0301"),
        ("e" + 6 * "\u0301", "e" + 4 * "\u0301" + 2 * "\\u{301}"),
        ("\u0301a", "\\u{301}a"),
    ],
)
def test_what_cannot_be_seen_is_a_code_point(text, shown):
    """Spelling is kept: accents, joiners within emoji and Persian words."""
    assert sinks.visible(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a.png", "a.png"),
        ("אב 61", "\u2068אב 61\u2069"),
        ("٦١", "\u2068٦١\u2069"),
        ("file \u2068אב\u2069 is", "file \u2068אב\u2069 is"),
        ("\u2069a\u2068", "\\u{2069}a\\u{2068}"),
        ("\u2068a", "\\u{2068}a"),
    ],
)
def test_right_to_left_text_is_isolated_once(text, shown):
    """And cannot leave its isolate."""
    assert sinks.contained(text) == shown


@given(ANY, ANY)
def test_contained_text_has_no_effect_outside(text, other):
    """On one line, nothing hidden but pairs of isolates, and containing it again changes nothing."""
    shown = sinks.contained(text)
    assert is_balanced(shown)
    assert hidden(shown) <= set("\u2068\u2069\u200c\u200d")
    assert sinks.contained(shown) == shown
    assert is_balanced(sinks.contained(f"{shown} and {sinks.contained(other)}"))


@given(ANY)
def test_a_cell_is_exact(text):
    """What is written comes back from a CSV file in UTF-8, whatever it is; no cell is a formula or a second line."""
    written = sinks.cell(text)
    stream = io.StringIO(newline="")
    csv.writer(stream).writerow(["x", written])
    data = stream.getvalue().encode("utf-8")
    assert len(data.splitlines()) == 1
    [[_, found]] = csv.reader(io.StringIO(data.decode("utf-8"), newline=""))
    assert sinks.from_cell(found) == text
    assert not found.lstrip().startswith(FORMULAS)


@given(ANY)
def test_a_cell_on_a_page_is_contained_and_no_formula(text):
    """A browser saves such a table as CSV."""
    shown = sinks.table_cell(text)
    assert not shown.lstrip().startswith(FORMULAS)
    assert sinks.contained(shown) == shown


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("C:\\users\\a.png", "C:\\users\\a.png"),
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        (" =1+1", "' =1+1"),
        ("'quoted", "''quoted"),
        ("a;=1+1", "a;\\u{3d}1+1"),
        ('a,"@SUM(1)', 'a,"\\u{40}SUM(1)'),
        ("a\\u{202e}", "a\\u{5c}u{202e}"),
        ("a\tb", "a\\u{9}b"),
        ("a-b+c@d=e", "a-b+c@d=e"),
    ],
)
def test_cells_are_readable(text, written):
    """Only what is dangerous changes."""
    assert sinks.cell(text) == written
    assert sinks.from_cell(written) == text


@pytest.mark.parametrize("text", ["\\u{110000}", "\\u{}", "\\u{202E}", "plain", ""])
def test_cells_of_another_origin_stay(text):
    """Where they hold no code point."""
    assert sinks.from_cell(text) == text


@given(ANY)
def test_json_is_exact_and_harmless(text):
    """Any reader of JSON gets the text, from one line of valid UTF-8."""
    written = sinks.json_line({"file": text})
    assert json.loads(written.encode("utf-8")) == {"file": text}
    assert not hidden(written)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_json_has_no_numbers_that_json_lacks(value):
    """Rather none than an invalid line."""
    with pytest.raises(ValueError, match="JSON"):
        sinks.json_line([value])


@given(ANY, st.integers(3, 40))
def test_long_names_are_cut_in_the_middle(text, most):
    """Never within a code point."""
    shown = sinks.shortened(text, most)
    assert len(shown) <= most
    whole = sinks.visible(text)
    assert shown == whole or whole.startswith(shown.partition("…")[0])


def test_both_ends_of_a_long_name_show():
    """They tell images apart."""
    shown = sinks.shortened("a" * 3000 + "b" * 3000)
    assert (len(shown), shown[0], shown[-1]) == (sinks.LONGEST_NAME - 1, "a", "b")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("folder/a b.png", "folder/a b.png"),
        ("C:\\films\\a.png", "C:\\films\\a.png"),
        ("a\nb.png: normal", '"a\\u{a}b.png: normal"'),
        ("a.png: normal, probability of pneumonia 1 %", '"a.png: normal, probability of pneumonia 1 %"'),
        ("a   b", '"a \\u{20}\\u{20}b"'),
        (" a", '"\\u{20}a"'),
        ("אב.png", "\u2068אב.png\u2069"),
    ],
)
def test_a_name_on_a_terminal_is_no_line(name, shown):
    """Neither by a line break, nor by its words, nor by spaces up to the edge."""
    assert sinks.terminal(name) == shown


@given(ANY)
def test_file_stems_suit_every_system(text):
    """No separator, no control, no end that Windows drops; at most 80 characters."""
    stem = sinks.file_stem(text)
    assert 0 < len(stem) <= 80
    assert not set('\\/:*?"<>|%') & set(stem)
    assert not hidden(stem)
    assert stem == stem.strip(" .")
