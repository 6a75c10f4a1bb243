"""Imports point one way, and the heavy ones stay where they belong."""

import ast
import re
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest

# A module imports only from its own rank or below.
RANKS = {
    "messages": 0,
    "registry": 0,
    "paths": 0,
    "sinks": 0,
    "account": 0,
    "memory": 0,
    "apart": 0,
    "scheduling": 0,
    "metrics": 2,
    "errors": 1,
    "logs": 1,
    "extras": 1,
    "records": 1,
    "outputs": 2,
    "prevalence": 2,
    "models": 3,
    "artefacts": 2,
    "demo": 2,
    "configuration": 4,
    "imaging": 2,
    "inputs": 2,
    "model": 3,
    "checks": 4,
    "explain": 4,
    "pipeline": 5,
    "reading": 6,
    "training": 7,
    "evaluation": 7,
    "report": 7,
    "archive": 8,
    "store": 7,
    "results": 7,
    "benchmark": 8,
    "exchange": 8,
    "monitoring": 8,
    "work": 9,
    "web": 10,
    "cli": 10,
    "pages": 11,
    "app": 11,
    "__main__": 11,
}
DISTRIBUTIONS = {
    "PIL": "pillow",
    "cv2": "opencv-python-headless",
    "fpdf": "fpdf2",
    "gdcm": "python-gdcm",
    "jpeg_ls": "pyjpegls",
    "openjpeg": "pylibjpeg-openjpeg",
    "markdown_it": "markdown-it-py",
    "prometheus_client": "prometheus-client",
    "sklearn": "scikit-learn",
    "tf_keras_vis": "tf-keras-vis",
}
TENSORFLOW = {"tensorflow", "keras", "tf_keras_vis"}
PROJECT = Path(__file__).resolve().parents[1]
MODULES = sorted((PROJECT / "cxrmodel").rglob("*.py")) + sorted((PROJECT / "pages").glob("*.py")) + [PROJECT / "app.py"]
MODULES = [path for path in MODULES if path != PROJECT / "cxrmodel" / "__init__.py"]


def part_of(path: Path) -> str:
    """The part of the program a file belongs to: imaging, pages, app."""
    parts = path.relative_to(PROJECT).with_suffix("").parts
    return parts[1] if parts[0] == "cxrmodel" else parts[0]


@cache
def imported(path: Path) -> tuple[str, ...]:
    """Full names of everything a file imports, wherever in it."""
    found: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += (f"{node.module}.{alias.name}" for alias in node.names)
    return tuple(found)


@cache
def declared() -> set[str]:
    """Names of the direct dependencies."""
    table = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = sum(table["optional-dependencies"].values(), table["dependencies"])
    return {re.match(r"[\w-]+", line)[0] for line in lines}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PROJECT)))
def test_imports_point_one_way(path):
    """Nothing is imported from a higher rank, and no page or command from anywhere."""
    ours = [name.split(".")[1] for name in imported(path) if name.startswith("cxrmodel.")]
    above = [name for name in ours if name in RANKS and RANKS[name] > RANKS[part_of(path)]]
    assert above == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PROJECT)))
def test_heavy_libraries_stay_where_they_belong(path):
    """Streamlit in web and pages; TensorFlow neither in imaging, records nor in a page."""
    libraries = {name.split(".")[0] for name in imported(path)}
    part = part_of(path)
    if part not in ("web", "pages", "app"):
        assert "streamlit" not in libraries
    if part in ("errors", "demo", "imaging", "report", "web", "pages", "app"):
        assert not libraries & TENSORFLOW


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PROJECT)))
def test_imported_libraries_are_required_by_name(path):
    """What the program imports itself is a direct dependency in pyproject.toml."""
    libraries = {name.split(".")[0] for name in imported(path)} - {"cxrmodel"} - sys.stdlib_module_names
    assert {DISTRIBUTIONS.get(name, name) for name in libraries} <= declared()


def test_every_part_has_a_rank():
    """A new part of the program must be given its place here."""
    assert {part_of(path) for path in MODULES} <= set(RANKS)
