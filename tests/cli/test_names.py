"""Hostile file names on the command line: data in every line."""

import csv
import json
import os
from pathlib import Path

import pytest

from cxrmodel.cli.main import main
from cxrmodel.sinks import from_cell, terminal
from tests.support.hostile import HOSTILE, is_contained

NAMES = {kind: name[:100] for kind, name in HOSTILE.items() if "/" not in name and not name.startswith(".")}
NAMES["no text"] = os.fsdecode(b"\xff\xfe.png")


@pytest.fixture
def hostile(tmp_path) -> Path:
    """A folder of files that are no images."""
    folder = tmp_path / "images"
    folder.mkdir()
    for number, name in enumerate(NAMES.values()):
        (folder / name).write_bytes(b"no picture" if number % 2 else b"")
    return folder


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_every_file_is_one_line(hostile, form, tmp_path, capsys):
    """Whatever its name tries; JSON and the table hold it exactly, and the table no formula."""
    table = tmp_path / "table.csv"
    assert main(["read", str(hostile), "--csv", str(table), *form]) == 3
    lines = capsys.readouterr().out.split("\n")[:-1]
    assert len(lines) == len(NAMES)
    assert [line for line in lines if not is_contained(line)] == []
    paths = sorted(str(hostile / name) for name in NAMES.values())
    if form:
        assert sorted(json.loads(line)["file"] for line in lines) == paths
    written = table.read_text(encoding="utf-8")
    assert is_contained(written.replace("\r\n", "\n"))
    assert sorted(from_cell(row["file"]) for row in csv.DictReader(written.splitlines())) == paths


@pytest.mark.parametrize("kind", NAMES)
def test_errors_quote_names_as_data(kind, tmp_path, capsys):
    """Of a file that is missing, and of one that is no image."""
    path = tmp_path / NAMES[kind]
    out = str(tmp_path / "out.png")
    assert main(["explain", str(path), "-o", out]) == 1
    printed = capsys.readouterr().err
    assert printed.count("\n") == 1
    assert is_contained(printed)
    assert terminal(str(path)) in printed
