"""The reference lists the columns that the program writes, in their order and with their types."""

import re

import pyarrow as pa
import pytest

from cxrmodel.archive import columns, heatmaps, manifest


def table_below(document: str, heading: str) -> list[tuple[str, str]]:
    """Names and types in the first table below a heading."""
    section = document.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"^\| `(\w+)` \| ([\w ]+) \|", section, re.MULTILINE)


def written(kind: pa.DataType) -> str:
    """A type as the reference writes it."""
    return f"list of {kind.value_type}" if pa.types.is_list(kind) else str(kind)


@pytest.mark.parametrize(
    ("heading", "schema"),
    [("Readings", columns.SCHEMA), ("Heatmaps", heatmaps.SCHEMA), ("Listings", manifest.LISTED)],
)
def test_every_column_is_in_the_reference(project, heading, schema):
    """And nothing else."""
    document = (project / "docs" / "reference" / "archive.md").read_text(encoding="utf-8")
    assert table_below(document, heading) == [(field.name, written(field.type)) for field in schema]


def test_identity_columns_say_so(project):
    """Those that are empty without the option, and no others."""
    document = (project / "docs" / "reference" / "archive.md").read_text(encoding="utf-8")
    marked = re.findall(r"^\| `(\w+)` \|.*only with `--identity`", document, re.MULTILINE)
    assert tuple(marked) == columns.IDENTITY
