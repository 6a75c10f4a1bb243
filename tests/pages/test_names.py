"""Hostile names on the pages: data in every element."""

from collections.abc import Iterator
from itertools import cycle
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from markdown_it import MarkdownIt
from streamlit.testing.v1 import AppTest

from cxrmodel.evaluation import storage
from cxrmodel.evaluation.schema import Refusal
from cxrmodel.web.evaluation.page import PARTS, TAB
from tests.support.hostile import FORMULAS, HOSTILE, is_contained
from tests.support.pages import words
from tests.support.stand_ins import made_up_evaluation

NAMES = list(HOSTILE.values())
_FOREIGN = {"onerror", "onmouseover", "javascript", "example.org", "calc", "frac"}
"""Parts of the names that nothing else on a page holds."""


def texts(value: Any) -> Iterator[str]:
    """Every text within nested dictionaries and lists."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from texts(part)


def elements(block: Any) -> Iterator[Any]:
    """The elements of a part of a page."""
    for child in block.children.values():
        if hasattr(child, "children"):
            yield from elements(child)
        else:
            yield child


def assert_contained(app: AppTest) -> None:
    """Nothing on the page but harmless text comes from a name, and the page is whole."""
    assert not app.exception
    parts = [element for part in (app.main, app.sidebar) for element in elements(part)]
    found = {element.type: set() for element in parts}
    for element in parts:
        found[element.type] |= set(texts(MessageToDict(element.proto)))
    found["dataframe"] = {str(cell) for table in app.dataframe for cell in table.value.to_numpy().ravel()}
    assert not {cell for cell in found["dataframe"] if cell.lstrip().startswith(FORMULAS)}  # a browser saves it as CSV
    for kind in set(found) - {"html", "arrow_data_frame", "unknown"}:
        assert {text for text in found[kind] if not is_contained(text)} == set()
        assert {text for text in found[kind] if 250 * "a" in text} == set()
    assert not {text for text in found.get("html", ()) if any(part in text for part in _FOREIGN)}
    for kind in ("markdown", "caption", "error", "warning", "info"):
        for element in getattr(app, kind):
            tokens = MarkdownIt().parseInline(element.value)[0].children
            made = [token for token in tokens if token.type not in ("text", "text_special")]
            assert not [token for token in made if any(part in f"{token.content}{token.attrs}" for part in _FOREIGN)]
            assert not [word for word in (":red[", ":small[x", ":material/block: ", "$x$") if word in element.value]


@pytest.mark.usefixtures("reader")
def test_names_of_an_evaluation_are_data(visit, evaluations):
    """Of images on the wrong side of the threshold, and of images that were refused."""
    made = made_up_evaluation(separation=0.0)
    test = made.splits["test"]
    names = zip(cycle(NAMES), test.images, strict=False)
    images = tuple(image.replace(file=f"{number} {name}") for number, (name, image) in enumerate(names))
    values = [{"file": name, "reason": name} for name in NAMES]
    refused = tuple(Refusal(file=one["file"], code="evaluation.error.image", values=one) for one in values)
    counts = test.counts.replace(images=60 + len(refused), refused=len(refused))
    split = test.replace(images=images, refused=refused, counts=counts)
    storage.save_evaluation(made.replace(splits=made.splits | {"test": split}), evaluations)
    app = visit("evaluation")
    for name in PARTS:
        app.session_state[TAB] = words(f"web.evaluation.part.{name}")
        app.run()
        assert_contained(app)
