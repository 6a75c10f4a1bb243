"""What the README shows works, and what it states is so."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from cxrmodel.demo import demo_images
from cxrmodel.training.archive import LABELS
from cxrmodel.training.recipe import load_recipe

PROJECT = Path(__file__).resolve().parents[1]
README = (PROJECT / "README.md").read_text(encoding="utf-8")
REFERENCE = PROJECT / "docs" / "reference"
DOCUMENTS = sorted(
    str(path.relative_to(PROJECT))
    for path in (*PROJECT.glob("*.md"), *PROJECT.glob("docs/**/*.md"), PROJECT / "assets" / "demo" / "README.md")
)
MODELS = ("densenet121", "cnn")
REPEATS = {
    "benchmark/reading.py": {
        "repeats: int = 30": "repeats: int = 3",
        "max(3, repeats // 3)": "1",
        "for _ in range(3):": "for _ in range(1):",
        "MATRIX_SIDE = 2048": "MATRIX_SIDE = 256",
        "\nBATCH = 8": "\nBATCH = 1",
    },
    "evaluation/audits/checks.py": {"\nCASES = 24": "\nCASES = 2"},
}
"""What makes a measurement exact and long, and what takes its place here, by file."""


def shell_lines() -> list[str]:
    """Every line of the README's shell blocks, those that go on joined."""
    blocks = re.findall(r"^```sh\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]


def commands() -> list[str]:
    """The lines that call the program, in their order."""
    return [line for line in shell_lines() if "python -m cxrmodel" in line]


def write_archive(root: Path) -> None:
    """Lay out perturbed demo images as the public archive does: 14 patients of each class to train on, 2 to test."""
    rng = np.random.default_rng(0)
    kinds = {kind: [image for image in demo_images() if image.kind == kind.lower()] for kind in LABELS}
    for folder, patients in (("train", range(12)), ("val", range(12, 14)), ("test", range(14, 16))):
        for kind, images in kinds.items():
            place = root / "chest_xray" / folder / kind
            place.mkdir(parents=True)
            for patient in patients:
                image = cv2.imread(str(images[patient % len(images)].path), cv2.IMREAD_GRAYSCALE)
                image = cv2.resize(image, (224, 224), interpolation=cv2.INTER_AREA).astype(np.float32)
                image = np.roll(image, rng.integers(-6, 7, 2), (0, 1)) * rng.uniform(0.8, 1.1) + rng.normal(
                    0, 2, image.shape
                )
                organism = ("bacteria", "virus")[patient % 2]
                name = f"person{patient}_{organism}_{patient}" if LABELS[kind] else f"IM-{patient:04d}-0001"
                coded = cv2.imencode(".jpeg", np.clip(image, 0, 255).astype(np.uint8))[1]
                (place / f"{name}.jpeg").write_bytes(coded.tobytes())


@pytest.fixture(scope="module")
def copy(project, tmp_path_factory) -> Path:
    """A copy of the program with a small archive in data/, recipes of a minute, and few repeats of a measurement."""
    root = tmp_path_factory.mktemp("readme")
    for folder in ("cxrmodel", "assets"):
        shutil.copytree(project / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for recipe in (root / "cxrmodel" / "training" / "recipes").glob("*.toml"):
        text = recipe.read_text(encoding="utf-8")
        for setting, value in (("stages", "[[64, 10]]"), ("batch", "8"), ("precision", '"float32"')):
            text = re.sub(rf"^{setting} = .*$", f"{setting} = {value}", text, flags=re.MULTILINE)
        recipe.write_text(text, encoding="utf-8")
    for place, changes in REPEATS.items():
        text = (root / "cxrmodel" / place).read_text(encoding="utf-8")
        for often, rarely in changes.items():
            assert text.count(often) == 1
            text = text.replace(often, rarely)
        (root / "cxrmodel" / place).write_text(text, encoding="utf-8")
    write_archive(root / "data")
    return root


@pytest.mark.slow
def test_every_command_of_the_readme_runs(copy):
    """One after the other, as a reader would, training on a small archive; each succeeds and shows no stack trace."""
    environment = {name: value for name, value in os.environ.items() if name not in ("CXR_DATA", "CXR_STRICT")}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    assert len(commands()) >= 5
    for line in commands():
        done = subprocess.run(["bash", "-c", line], cwd=copy, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, f"{line}\n{done.stderr[-2000:]}"
        assert "Traceback" not in done.stderr
    for made in ("readings.csv", "heatmaps/synthetic-pneumonia-1.png.heatmap.png", "overlay.png"):
        assert (copy / made).stat().st_size > 100


@pytest.mark.parametrize("subcommand", ["read", "explain", "train", "export", "evaluate", "bench"])
def test_the_readme_shows_every_command_of_daily_use(subcommand):
    """Nobody should have to guess how to read, train or measure."""
    assert any(f"python -m cxrmodel {subcommand} " in line for line in commands())


def test_every_make_target_named_exists(project):
    """In the README and in the help."""
    makefile = (project / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z]+)", README, re.MULTILINE))
    assert {"run", "test"} <= named <= targets
    assert targets == set(re.search(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)[1].split())


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(project, document):
    """To a file of the project or to a heading of the same document."""
    text = (project / document).read_text(encoding="utf-8")
    headings = {
        re.sub(r"[^\w -]", "", h).strip().lower().replace(" ", "-") for h in re.findall(r"^#+ (.+)$", text, re.M)
    }
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if link.startswith("#"):
            assert link[1:] in headings
        elif not link.startswith("https://"):
            assert (project / document).parent.joinpath(link.partition("#")[0]).exists(), link


def test_paths_named_in_the_readme_exist(project):
    """Folders and files of the project that stand in backquotes or in commands."""
    named = re.findall(r"(?<![\w/.])((?:assets|cxrmodel|docs|tests)/[\w./-]*\w)", README)
    assert named
    assert [path for path in named if not (project / path).exists()] == []


@pytest.mark.parametrize("model", MODELS)
def test_the_training_described_is_the_one_of_the_weights(project, model):
    """Recipe, sizes, epochs, seed and image counts of docs/reference/training.md are those kept beside the weights."""
    text = (REFERENCE / "training.md").read_text(encoding="utf-8")
    kept = json.loads((project / "assets" / "model" / f"{model}.training.json").read_text(encoding="utf-8"))
    recipes = {path.name: load_recipe(path) for path in (project / "cxrmodel" / "training" / "recipes").glob("*.toml")}
    for part in (*kept.get("before", []), kept):
        stages = ", ".join(f"{size} px ({epochs})" for size, epochs in part["recipe"]["stages"])
        (row,) = [line for line in text.splitlines() if f"| {stages} | {part['recipe']['seed']} |" in line]
        recipe = recipes[row.split("`")[1]]
        assert recipe.model_dump(mode="json")["stages"] == part["recipe"]["stages"]
        assert (recipe.model, recipe.peak_rate) == (model, part["recipe"]["peak_rate"])
        for name, value in part["recipe"]["options"].items():
            assert recipe.options[name] == value
    split, options = kept["split"], kept["recipe"]["options"]
    assert f"{split['train_images'] + split['held_out_images']:,} images" in text
    assert f"{len(split['repeats_dropped'])} duplicate files" in text
    assert f"{options['surroundings']:.0%}".replace("%", " %") in text


def test_the_limits_stated_are_those_of_the_program():
    """File size and pixels that the reader refuses, and what the app lets through."""
    from cxrmodel.imaging.radiograph import MAX_BYTES, MAX_PIXELS

    assert f"{MAX_BYTES // 2**20} MiB and {MAX_PIXELS // 10**6} million pixels" in README


def test_the_transfer_syntaxes_stated_are_those_that_are_read():
    """And every refusal named is one of the program's."""
    from cxrmodel import errors
    from cxrmodel.imaging.dicom.dataset import KNOWN

    text = (REFERENCE / "dicom.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\b1\.2\.840\.[\d.]*\d", text)) == KNOWN
    assert {name for name in re.findall(r"refused, `(\w+)`", text) if not hasattr(errors, name)} == set()


def test_the_keys_of_a_reading_are_those_documented():
    """The table of the reference, and the columns that stand for a key of several values."""
    from cxrmodel.report.table import KEYS, SHARES

    table = (REFERENCE / "command-line.md").read_text(encoding="utf-8").split("| key | value |")[1].split("\n\n")[0]
    rows = re.findall(r"^\| (`.+?`) \|", table, re.MULTILINE)
    assert [key for row in rows for key in re.findall(r"`(\w+)`", row)] == list(KEYS)
    assert set(SHARES) <= set(re.findall(r"`(\w+)`", table))


def test_the_version_has_its_place_in_the_changelog(project):
    """Either released under its number or still to be."""
    from cxrmodel import __version__

    text = (project / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## [{__version__}]" in text


def test_the_projection_training_described_is_the_one_shipped(project):
    """Size, epochs and seed of docs/reference/training.md are those kept beside the checks."""
    spec = json.loads((project / "assets" / "checks" / "spec.json").read_text(encoding="utf-8"))
    recipe = spec["projection"]["recipe"]
    stages = ", ".join(f"{size} px ({epochs})" for size, epochs in recipe["stages"])
    text = (REFERENCE / "training.md").read_text(encoding="utf-8")
    assert f"| projection network | `projection.toml` | {stages} | {recipe['seed']} |" in text
