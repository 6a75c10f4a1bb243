"""The reference page of the store describes every table and column, and nothing else."""

import re

from cxrmodel.store import schema
from cxrmodel.store.models import Base
from cxrmodel.store.records import DeliveryState, JobState

TYPES = {"text": "VARCHAR", "whole number": "INTEGER", "number": "DOUBLE", "true or false": "BOOLEAN"}
TYPES |= {"JSON": "JSON", "bytes": "BLOB", "time": "DATETIME"}


def described(page: str) -> dict[str, dict[str, str]]:
    """Type by column, by table."""
    tables = {}
    for section in re.split(r"^### ", page, flags=re.MULTILINE)[1:]:
        name = re.match(r"`(\w+)`", section)[1]
        tables[name] = dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \| [^|]{2,} \|$", section, re.MULTILINE))
    return tables


def test_every_column_is_described(project):
    """In its order, with its type, and whether it may be null."""
    page = (project / "docs" / "reference" / "store.md").read_text(encoding="utf-8")
    found = described(page)
    models = {
        name: {
            column.name: str(column.type).partition("(")[0] + " or null" * bool(column.nullable)
            for column in table.columns
        }
        for name, table in Base.metadata.tables.items()
    }
    assert {
        name: {
            column: TYPES[kind.removesuffix(" or null")] + " or null" * kind.endswith(" or null")
            for column, kind in columns.items()
        }
        for name, columns in found.items()
    } == models
    assert f"Version `{schema.newest()}`" in page
    for state in (*JobState, *DeliveryState):
        assert state in page
