"""Templates are rendered from values; a generated part is between its marks only."""

import pytest
from jinja2 import UndefinedError

from cxrmodel.errors import EvaluationError
from cxrmodel.evaluation.report.render import TEMPLATES, marks, part_between, render, replace_between

START, END = marks("figures")


@pytest.mark.parametrize("template", sorted(path.name for path in TEMPLATES.glob("[!_]*.j2")))
def test_a_missing_value_is_an_error(template):
    """A document has no gaps."""
    with pytest.raises(UndefinedError):
        render(template)


def test_only_the_part_between_the_marks_changes(tmp_path):
    """The rest is unchanged."""
    path = tmp_path / "README.md"
    path.write_text(f"# Title\n\n{START}\nold\nolder\n{END}\n\nEnd – ü.\n", encoding="utf-8")
    replace_between(path, "figures", "| new |\n")
    text = path.read_text(encoding="utf-8")
    assert text == f"# Title\n\n{START}\n| new |\n{END}\n\nEnd – ü.\n"
    assert part_between(text, "figures", "README.md")[1].strip() == "| new |"


@pytest.mark.parametrize(
    "text",
    ["no marks", START, END, f"{END} {START}", f"{START} {END} {START}", f"{START} {END} {END}"],
    ids=["none", "no end", "no start", "out of order", "two starts", "two ends"],
)
def test_a_document_without_its_marks_is_left_alone(text, tmp_path):
    """It is an error."""
    path = tmp_path / "README.md"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(EvaluationError) as caught:
        replace_between(path, "figures", "| new |")
    assert caught.value.message.code == "documents.marks_missing"
    assert path.read_text(encoding="utf-8") == text
