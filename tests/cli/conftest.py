"""Fixtures for the command line: folders of images, and a function that runs it."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from cxrmodel.cli.batch.readings import read_files
from cxrmodel.cli.main import main
from tests.support.stand_ins import FakeReader


@pytest.fixture
def folder(project, tmp_path) -> Path:
    """Images, a note, a hidden file and a broken image, in folders."""
    place = tmp_path / "images"
    (place / "b").mkdir(parents=True)
    (place / ".hidden").mkdir()
    images = project / "assets" / "demo"
    shutil.copy(images / "synthetic-normal-1.png", place / "a.png")
    shutil.copy(images / "synthetic-pneumonia-1.png", place / "b" / "no extension")
    shutil.copy(images / "synthetic-pneumonia-1.png", place / ".hidden" / "image.png")
    (place / ".DS_Store").write_bytes(b"x")
    (place / "b" / "notes.txt").write_text("not an image")
    (place / "c.png").write_bytes((images / "synthetic-normal-1.png").read_bytes()[:500])
    return place


@pytest.fixture
def place(project, tmp_path) -> Path:
    """A folder with one image, ``a.png``."""
    made = tmp_path / "place"
    made.mkdir()
    shutil.copy(project / "assets" / "demo" / "synthetic-normal-1.png", made / "a.png")
    return made


@pytest.fixture
def read_json(capsys) -> Callable[..., tuple[int, list[dict]]]:
    """A function ``read_json(*arguments)``: runs ``read --json`` and gives its exit status and its objects."""

    def run(*arguments: object) -> tuple[int, list[dict]]:
        capsys.readouterr()
        status = main(["read", "--json", *map(str, arguments)])
        return status, [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return run


@pytest.fixture
def batch(capsys) -> Callable[..., tuple[int, list[dict]]]:
    """A function ``batch(*paths, **options)``: reads with a stand-in, and gives exit status and JSON objects."""

    def run(*paths: str | Path, **options: object) -> tuple[int, list[dict]]:
        capsys.readouterr()
        status = read_files(FakeReader(), [*map(Path, paths)], as_json=True, **options)
        return status, [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return run
