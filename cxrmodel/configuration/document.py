"""Documents of the configuration, made from its schema: the reference page and an example file."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from inspect import getdoc
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from pydantic.fields import FieldInfo

from cxrmodel.configuration.load import sections_in
from cxrmodel.configuration.schema import Configuration, Section

_TYPES = {"string": "text", "integer": "whole number", "number": "number", "boolean": "`true` or `false`"}
_BOUNDS = (
    ("minimum", "from {}"),
    ("exclusiveMinimum", "above {}"),
    ("maximum", "to {}"),
    ("minItems", "at least {}"),
)


@dataclass(frozen=True)
class Key:
    """A key of a section.

    Attributes
    ----------
    name, meaning : str
    kind : str
        What its value may be, in words.
    default : str or None
        As TOML; None where it is required or has none.
    required : bool
    example : str
        A value as TOML.
    """

    name: str
    meaning: str
    kind: str
    default: str | None
    required: bool
    example: str


@dataclass(frozen=True)
class Table:
    """A table of the file: its header as TOML, its meaning, its keys; ``repeated`` where there may be several."""

    header: str
    meaning: str
    repeated: bool
    keys: tuple[Key, ...]


def tables() -> tuple[Table, ...]:
    """Every table of the configuration, in the order of the schema."""
    return tuple(_tables("", Configuration, repeated=False))


def reference_page() -> str:
    """The reference page, as Markdown."""
    return _rendered("reference.md.jinja")


def example() -> str:
    """An example file, as TOML: every key with its meaning; those that may be absent are commented out."""
    return _rendered("example.toml.jinja")


def _rendered(template: str) -> str:
    return _environment().get_template(template).render(tables=tables())


@cache
def _environment() -> Environment:
    return Environment(  # texts of the schema alone; neither is HTML
        loader=PackageLoader("cxrmodel.configuration", "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _tables(path: str, section: type[Section], repeated: bool) -> Iterator[Table]:
    inner = {name: found for name, field in section.model_fields.items() if (found := _sections(field))}
    described: Mapping[str, Any] = section.model_json_schema()["properties"]
    keys = tuple(
        _key(name, field, described[name]) for name, field in section.model_fields.items() if name not in inner
    )
    if keys or (path and "." not in path):
        yield Table(f"[[{path}]]" if repeated else f"[{path}]", _first_line(section), repeated, keys)
    for name, sections in inner.items():
        for entry in sections:
            yield from _tables(f"{path}.{name}" if path else name, entry, bool(path))


def _sections(field: FieldInfo) -> list[type[Section]]:
    return [found for found in sections_in(field.annotation) if issubclass(found, Section)]


def _first_line(section: type[Section]) -> str:
    return (getdoc(section) or "").partition("\n")[0]


def _key(name: str, field: FieldInfo, described: Mapping[str, Any]) -> Key:
    shown = described.get("default_words")
    default = None if shown or field.is_required() else field.get_default(call_default_factory=True)
    return Key(
        name,
        field.description or "",
        _kind(described),
        shown or (None if default is None else _toml(default)),
        field.is_required(),
        _toml(field.examples[0] if field.examples else default),
    )


def _kind(described: Mapping[str, Any]) -> str:
    """Say in words what a value may be."""
    described = next((part for part in described.get("anyOf", ()) if part.get("type") != "null"), described)
    if choices := described.get("enum", [described["const"]] if "const" in described else None):
        return " or ".join(f"`{_toml(choice)}`" for choice in choices)
    if described.get("type") == "array":
        inner = f"list of {_kind(described['items'])}"
    elif described.get("format") == "path":
        inner = "path"
    else:
        inner = _TYPES[described["type"]]
    bounds = [words.format(f"{described[bound]:g}") for bound, words in _BOUNDS if bound in described]
    return f"{inner}, {' '.join(bounds)}" if bounds else inner


def _toml(value: Any) -> str:
    """Write a value as TOML, which has the strings, numbers and lists of JSON."""
    return json.dumps(value, ensure_ascii=False, default=str)
