"""Reference page and example say what the schema says."""

import re
import tomllib
from pathlib import Path

import pytest

from cxrmodel.cli.main import main
from cxrmodel.configuration.document import example, reference_page, tables
from cxrmodel.configuration.load import parse_configuration
from cxrmodel.configuration.schema import Configuration

KEY = re.compile(r"^#(?=[\[a-z])", re.MULTILINE)


def test_the_reference_page_is_that_of_the_schema(project, capsys):
    """Write it again with: cxrmodel config reference > docs/reference/configuration.md."""
    assert main(["config", "reference"]) == 0
    printed = capsys.readouterr().out
    assert printed == reference_page()
    assert (project / "docs" / "reference" / "configuration.md").read_text(encoding="utf-8") == printed


def test_every_key_is_described_once():
    """With a sentence that ends."""
    for table in tables():
        assert len({key.name for key in table.keys}) == len(table.keys)
        assert [key.name for key in table.keys if not key.meaning.endswith(".")] == []
        assert table.meaning.endswith(".")


def test_the_example_is_a_configuration(capsys):
    """Of defaults alone, as it is printed."""
    assert main(["config", "example"]) == 0
    printed = capsys.readouterr().out
    assert printed == example()
    assert parse_configuration(printed, Path("x.toml")) == Configuration()


def test_every_key_of_the_example_can_be_used():
    """Together, but for those that exclude each other."""
    text = re.sub(r"^#token_file = .*pacs.*$", "", example(), flags=re.MULTILINE)
    found = parse_configuration(KEY.sub("", text), Path("x.toml"))
    assert len(found.inbox.all) == 3
    assert len(found.outbox.all) == 2
    assert found.reader.prevalence == 0.2


def test_every_key_of_the_schema_is_in_the_example():
    """By section."""
    read = tomllib.loads(KEY.sub("", example()))
    for table in tables():
        part = read
        for name in table.header.strip("[]").split("."):
            part = part[name]
        (entry,) = part if table.repeated else [part]
        assert {key.name for key in table.keys} == {key for key, value in entry.items() if not _is_table(value)}


def _is_table(value: object) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


@pytest.mark.parametrize(
    ("header", "name", "kind", "default"),
    [
        ("[worker]", "tries", "whole number, from 1 to 100", "5"),
        ("[store]", "url", "text", None),
        ("[results]", "kinds", 'list of `"sr"` or `"sc"`, at least 1', '["sr", "sc"]'),
        ("[[inbox.folder]]", "after", '`"delete"` or `"move"` or `"keep"`', '"move"'),
        ("[[outbox.cstore]]", "port", "whole number, from 1 to 65535", None),
        ("[[inbox.folder]]", "path", "path", None),
        ("[filters]", "needs_patient_id", "`true` or `false`", "true"),
    ],
)
def test_a_key_says_what_it_may_be(header, name, kind, default):
    """In words, with its limits and its default as TOML."""
    (key,) = [key for table in tables() if table.header == header for key in table.keys if key.name == name]
    assert (key.kind, key.default) == (kind, default)
