"""The version of a model covers everything that makes its numbers, and what does not match it is not used."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from cxrmodel import reading
from cxrmodel.errors import AlteredWeights, MissingWeights
from cxrmodel.model import manifest as module
from cxrmodel.model.manifest import Manifest, load_manifest
from cxrmodel.model.spec import load_spec
from cxrmodel.models import MODELS
from cxrmodel.paths import ASSETS
from cxrmodel.reading import Reader

SPECS = ("model/densenet121.spec.json", "lungs/spec.json", "checks/spec.json")
FILES = (
    *SPECS,
    "model/densenet121.onnx",
    "model/densenet121.features.npz",
    "lungs/lungs.onnx",
    "checks/projection.onnx",
)
"""Everything that makes a number of the deployed model."""


@pytest.fixture
def assets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the shipped specifications, which the manifest is compared with."""
    for name in (*SPECS, "model/densenet121.manifest.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ASSETS / name, tmp_path / name)
    monkeypatch.setattr(module, "LUNGS_FOLDER", tmp_path / "lungs")
    monkeypatch.setattr(module, "CHECK_FOLDER", tmp_path / "checks")
    return tmp_path


def flips(path: Path, count: int, seed: int) -> Iterator[bytes]:
    """The content of a file with one digit replaced by another, drawn ``count`` times."""
    data, rng = path.read_bytes(), np.random.default_rng(seed)
    digits = [place for place, byte in enumerate(data) if chr(byte) in "0123456789"]
    for place in rng.choice(digits, count):
        other = (int(chr(data[place])) + rng.integers(1, 10)) % 10
        yield data[:place] + str(other).encode() + data[place + 1 :]


@pytest.mark.parametrize("name", SPECS)
def test_a_flipped_digit_of_any_specification_is_refused_by_name(assets, name):
    """Whichever digit: nothing is loaded, and the error names the file."""
    for data in flips(assets / name, 40, 1):
        (assets / name).write_bytes(data)
        with pytest.raises(AlteredWeights) as caught:
            Reader.load(folder=assets / "model")
        assert caught.value.message.code == "model.altered_file"
        assert caught.value.message.values["path"] == str(assets / name)


@pytest.mark.parametrize("name", SPECS)
def test_a_file_exchanged_while_the_model_loads_is_refused(assets, name, monkeypatch):
    """Between the check of the manifest and the last file that is read."""
    for file in ("densenet121.onnx", "densenet121.features.npz"):
        shutil.copy(ASSETS / "model" / file, assets / "model")
    engine = reading.load_engine

    def exchange(*given):
        (assets / name).write_bytes(next(flips(assets / name, 1, 1)))
        return engine(*given)

    monkeypatch.setattr(reading, "load_engine", exchange)
    with pytest.raises(AlteredWeights) as caught:
        Reader.load(folder=assets / "model")
    assert caught.value.message.values["path"] == str(assets / name)


def test_a_flipped_digit_of_the_manifest_is_refused(assets):
    """It then names another file, another model or another format."""
    path = assets / "model" / "densenet121.manifest.json"
    for data in flips(path, 20, 2):
        path.write_bytes(data)
        with pytest.raises(AlteredWeights):
            Reader.load(folder=assets / "model")


def test_the_specifications_name_every_other_file():
    """The manifest covers all that makes a number: through the digests that the three specifications hold."""
    texts = "".join((ASSETS / name).read_text(encoding="utf-8") for name in SPECS)
    for name in set(FILES) - set(SPECS):
        assert module._digest(ASSETS / name) in texts, name


@pytest.mark.parametrize("name", SPECS)
def test_another_specification_is_another_version(assets, name):
    """A new manifest of changed files never has the version of the old one."""
    before = load_manifest("densenet121", assets / "model").version
    assert Manifest.of_files("densenet121", assets / "model").version == before
    with (assets / name).open("a", encoding="utf-8") as file:
        file.write(" ")
    after = Manifest.of_files("densenet121", assets / "model")
    assert after.version != before
    after.check(assets / "model")


@pytest.mark.parametrize("model", MODELS.names)
def test_shipped_models_match_their_manifests(model):
    """The version is the model's name and 12 digits, and reaches the specification."""
    manifest = load_manifest(model)
    manifest.check()
    name, digits = manifest.version.split()
    assert (name, len(digits)) == (model, 12)
    assert load_spec(model).version == manifest.version


def test_a_manifest_of_another_model_is_refused(tmp_path):
    """Even where its digests are right."""
    other = Manifest.of_files("cnn").to_json()
    (tmp_path / "densenet121.manifest.json").write_text(other, encoding="utf-8")
    with pytest.raises(AlteredWeights) as caught:
        load_manifest("densenet121", tmp_path)
    assert caught.value.message.values["problem"].startswith("model")


def test_a_missing_file_is_named(assets):
    """On making a manifest and on comparing with one."""
    (assets / "checks" / "spec.json").unlink()
    for step in (
        lambda: Manifest.of_files("densenet121", assets / "model"),
        lambda: Reader.load(folder=assets / "model"),
    ):
        with pytest.raises(MissingWeights) as caught:
            step()
        assert caught.value.message.values["path"] == str(assets / "checks" / "spec.json")
