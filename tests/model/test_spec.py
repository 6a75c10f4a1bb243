"""The specification and the weights belong together."""

import hashlib
import json

import pytest
from pydantic import ValidationError

from cxrmodel.errors import AlteredWeights, MissingWeights
from cxrmodel.model.manifest import Manifest
from cxrmodel.model.spec import (
    FORMAT,
    OPERATING_POINTS,
    AgeRange,
    Labels,
    Levels,
    ModelSpec,
    OperatingPoints,
    Population,
    load_spec,
    read_features,
    read_graph,
    read_weights,
)
from cxrmodel.models import MODELS

LEVELS = Levels(somewhat=1.5, clearly=4.0, source="drawn")
POPULATION = {"distance": LEVELS.model_dump(), "similarity": LEVELS.model_dump(), "adult_images": 9, "sha256": "1" * 64}
WEIGHTS = b"not really weights"
GRAPH = b"not really a graph"
SPEC = ModelSpec(
    format=FORMAT,
    model="cnn",
    labels=Labels(positive="effusion", negative="no effusion"),
    ages=AgeRange(low=3, high=12),
    trained_on="drawn images",
    weights_sha256=hashlib.sha256(WEIGHTS).hexdigest(),
    graph_sha256=hashlib.sha256(GRAPH).hexdigest(),
    lungs_sha256="0" * 64,
    input_size=96,
    mean=0.5,
    std=0.2,
    margin=0.06,
    cam_layer="last_features",
    bias=0.25,
    temperature=1.5,
    intercept=0.7,
    prevalence=0.74,
    operating_points=OperatingPoints(high_sensitivity=0.3, balanced=0.6, high_specificity=0.9),
    heat_range=0.4,
    heat_percentile=99.0,
    population=Population(
        distance=LEVELS, similarity=LEVELS.replace(somewhat=0.3, clearly=0.5), adult_images=0, sha256="1" * 64
    ),
    split_seed=0,
    held_out_patients=("im-0001", "virus-7"),
)


def test_what_is_saved_is_loaded(tmp_path):
    """Round trip."""
    _write(tmp_path, SPEC.to_json())
    loaded = load_spec("cnn", tmp_path)
    assert loaded == SPEC.replace(version=Manifest.of_files("cnn", tmp_path).version)
    assert loaded.to_json() == SPEC.to_json()


def _write(folder, text):
    """Write a specification, and the manifest that names it."""
    (folder / "cnn.spec.json").write_text(text, encoding="utf-8")
    (folder / "cnn.manifest.json").write_text(Manifest.of_files("cnn", folder).to_json(), encoding="utf-8")


def test_calibration_and_preparation_are_keywords():
    """They fit the functions that apply them."""
    assert SPEC.calibration == {"temperature": 1.5, "prevalence": 0.74, "intercept": 0.7}
    assert SPEC.preparation == {"margin": 0.06, "size": 96, "mean": 0.5, "std": 0.2}


def test_operating_points_are_a_mapping():
    """By name, in order."""
    points = SPEC.operating_points
    assert dict(points) == {"high_sensitivity": 0.3, "balanced": 0.6, "high_specificity": 0.9}
    assert tuple(points) == OPERATING_POINTS
    with pytest.raises(KeyError):
        points["keys"]


@pytest.mark.parametrize(("age", "within"), [(2.99, False), (3.0, True), (12.9, True), (13.0, False)])
def test_ages_are_completed_years(age, within):
    """A child is twelve until its thirteenth birthday."""
    assert SPEC.ages.contains(age) is within


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("format", 2),
        ("bias", 128.5),
        ("std", 0.0),
        ("mean", 1.5),
        ("temperature", -1.0),
        ("temperature", 0.0489),
        ("temperature", 85.0),
        ("intercept", 128.5),
        ("margin", 6.0),
        ("heat_range", 1e4),
        ("split_seed", -1),
        ("cam_layer", ""),
        ("trained_on", ""),
        ("population", POPULATION | {"distance": LEVELS.model_dump() | {"clearly": 4e6}}),
        ("population", POPULATION | {"adult_images": -1}),
        ("intercept", float("nan")),
        ("intercept", "0.7"),
        ("prevalence", 1.0),
        ("heat_range", 0.0),
        ("graph_sha256", "short"),
        ("input_size", 96.5),
        ("ages", {"low": 5, "high": 1}),
        ("ages", "one to five years"),
        ("labels", {"positive": "normal", "negative": "normal"}),
        ("labels", {"positive": "uncertain", "negative": "normal"}),
        ("operating_points", {"balanced": 0.5}),
        ("operating_points", {"high_sensitivity": 0.3, "balanced": 1.6, "high_specificity": 0.9}),
        ("operating_points", {"high_sensitivity": 0.3, "balanced": 0.6, "high_specificity": 0.9, "more": 0.5}),
        ("population", POPULATION | {"similarity": LEVELS.model_dump() | {"somewhat": 5.0}}),
        ("population", POPULATION | {"sha256": "short"}),
        ("population", None),
        ("more", 1),
    ],
)
def test_a_damaged_field_is_named(tmp_path, field, value):
    """Wrong type, out of range, out of order, of an old format, or unknown: the error names the field."""
    values = json.loads(SPEC.to_json()) | {field: value}
    _write(tmp_path, json.dumps(values))
    with pytest.raises(AlteredWeights) as caught:
        load_spec("cnn", tmp_path)
    assert caught.value.message.code == "model.damaged_spec"
    assert caught.value.message.values["problem"].startswith(field)


@pytest.mark.parametrize("field", sorted(set(ModelSpec.model_fields) - {"version"}))
def test_every_field_is_required(tmp_path, field):
    """An incomplete file is refused, and the error names the missing field."""
    values = json.loads(SPEC.to_json())
    del values[field]
    _write(tmp_path, json.dumps(values))
    with pytest.raises(AlteredWeights) as caught:
        load_spec("cnn", tmp_path)
    assert caught.value.message.values["problem"].startswith(f"{field}:")


def test_a_copy_with_impossible_values_cannot_be_made():
    """A copy is checked like a new specification."""
    with pytest.raises(ValidationError):
        SPEC.replace(std=-1.0)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}"])
def test_other_files_are_refused(tmp_path, text):
    """Not JSON, not an object, or empty."""
    _write(tmp_path, text)
    with pytest.raises(AlteredWeights) as caught:
        load_spec("cnn", tmp_path)
    assert caught.value.message.code == "model.damaged_spec"


def test_missing_files_are_named(tmp_path):
    """The error names the specification or the weights."""
    with pytest.raises(MissingWeights, match=r"cnn\.manifest\.json"):
        load_spec("cnn", tmp_path)
    _write(tmp_path, SPEC.to_json())
    (tmp_path / "cnn.spec.json").unlink()
    with pytest.raises(MissingWeights, match=r"cnn\.spec\.json"):
        load_spec("cnn", tmp_path)
    with pytest.raises(MissingWeights, match=r"cnn\.keras"):
        read_weights(SPEC, tmp_path)


@pytest.mark.parametrize(
    ("read", "suffix", "field"),
    [
        (read_weights, "keras", "weights_sha256"),
        (read_graph, "onnx", "graph_sha256"),
        (read_features, "features.npz", ""),
    ],
)
def test_one_changed_byte_is_refused(tmp_path, read, suffix, field):
    """A file with another hash is never used."""
    path, data = tmp_path / f"cnn.{suffix}", b"some bytes"
    digest = hashlib.sha256(data).hexdigest()
    change = {field: digest} if field else {"population": SPEC.population.replace(sha256=digest)}
    spec = SPEC.replace(**change)
    path.write_bytes(data)
    assert read(spec, tmp_path) in (path, data)
    path.write_bytes(data[:-1] + b"!")
    with pytest.raises(AlteredWeights) as caught:
        read(spec, tmp_path)
    assert caught.value.message.values == {"path": str(path)}


@pytest.mark.parametrize("model", MODELS.names)
def test_shipped_weights_are_those_of_their_specification(model):
    """The hashes of the committed files are those of the specification."""
    spec = load_spec(model)
    assert (spec.labels.positive, spec.labels.negative) == ("pneumonia", "normal")
    assert (spec.ages.low, spec.ages.high) == (1, 5)
    assert read_weights(spec).is_file()
    assert read_graph(spec)
    assert read_features(spec)
