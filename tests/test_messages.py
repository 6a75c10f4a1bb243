"""Messages are codes and values; the catalogue has words for each code, in every language."""

import ast
import re
import string

import pytest

from cxrmodel.messages import TEXTS_FOLDER, Catalogue, Message, catalogue

LANGUAGES = sorted(path.name for path in TEXTS_FOLDER.iterdir() if path.is_dir())
TEXTS = Catalogue(
    {
        "a.images": "{count:n|image|images}",
        "a.outer": "{inner}!",
        "a.plain": "{share:.1f}",
        "a.parts": "{parts:join|, }.",
    }
)


def fields(text: str) -> set[str]:
    """Names of the values that a text uses."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_messages_are_equal_by_code_and_values():
    """And can be members of sets."""
    assert Message("a.b", x=1, y=2) == Message("a.b", y=2, x=1)
    assert len({Message("a.b", x=1), Message("a.b", x=1), Message("a.b", x=2), Message("a.c", x=1)}) == 3
    assert Message("a.b", x=1).values == {"x": 1}


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (Message("a.images", count=1), "1 image"),
        (Message("a.images", count=2000), "2,000 images"),
        (Message("a.plain", share=0.25), "0.2"),
        (Message("a.parts", parts=("one", 2)), "one, 2."),
    ],
)
def test_values_are_formatted(message, words):
    """A count brings its noun along, a tuple is joined."""
    assert TEXTS.render(message) == words


@pytest.mark.parametrize("message", [Message("a.none"), Message("a.plain")])
def test_an_unknown_code_or_a_missing_value_is_an_error(message):
    """Never an empty text."""
    with pytest.raises(KeyError):
        TEXTS.render(message)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_the_same(language):
    """The same codes with the same values as English."""
    english, other = catalogue().texts, catalogue(language).texts
    assert set(other) == set(english)
    assert [code for code in english if fields(other[code]) != fields(english[code])] == []


def test_every_code_in_the_program_has_words(project):
    """Codes that stand in the source as they are."""
    stems = "|".join(path.stem for path in (TEXTS_FOLDER / "en").glob("*.toml"))
    found = set()
    for path in (project / "cxrmodel").rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and call.args and isinstance(call.args[0], ast.Constant):
                code = call.args[0].value
                if isinstance(code, str) and re.fullmatch(rf"({stems})(\.\w+)+(?<!\.json)(?<!\.j2)", code):
                    found.add(code)
    assert found
    assert found - set(catalogue().texts) == set()


def test_every_text_is_used(project):
    """By a code in the source, in a template, or by one that the source puts together."""
    codes, patterns = set(), set()
    for path in (project / "cxrmodel").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                codes.add(node.value)
            elif isinstance(node, ast.JoinedStr):
                parts = [part.value if isinstance(part, ast.Constant) else None for part in node.values]
                if any(part and re.search(r"\w{4}", part) and "." in part for part in parts):
                    patterns.add("".join(r"[\w.]+" if part is None else re.escape(part) for part in parts))
    for path in (project / "cxrmodel").rglob("*.j2"):
        codes |= set(re.findall(r"""["']([\w.]+)["']""", path.read_text(encoding="utf-8")))
    composed = re.compile("|".join(sorted(patterns)))
    assert [code for code in catalogue().texts if code not in codes and not composed.fullmatch(code)] == []
