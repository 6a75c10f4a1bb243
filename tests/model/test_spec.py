"""The specification and the weights belong together."""

import dataclasses
import hashlib
import json

import pytest

from cxrmodel.errors import AlteredWeights, MissingWeights
from cxrmodel.model.spec import MODELS, ModelSpec, load_spec, read_graph, read_weights, save_spec

WEIGHTS = b"not really weights"
GRAPH = b"not really a graph"
SPEC = ModelSpec(
    model="cnn",
    weights_sha256=hashlib.sha256(WEIGHTS).hexdigest(),
    graph_sha256=hashlib.sha256(GRAPH).hexdigest(),
    lungs_sha256="0" * 64,
    input_size=96,
    mean=0.5,
    std=0.2,
    margin=0.06,
    cam_layer="last_features",
    temperature=1.5,
    prevalence=0.74,
    operating_points={"high_sensitivity": 0.3, "balanced": 0.6, "high_specificity": 0.9},
    heat_range=0.4,
    heat_percentile=99.0,
    ages="one to five years",
    trained_on="drawn images",
    split_seed=0,
    held_out_patients=("im-0001", "virus-7"),
    intercept=0.7,
)


def test_what_is_saved_is_loaded(tmp_path):
    """Round trip."""
    save_spec(SPEC, tmp_path)
    assert load_spec("cnn", tmp_path) == SPEC


def test_a_specification_without_intercept_has_none(tmp_path):
    """As those written before there was one."""
    save_spec(SPEC, tmp_path)
    path = tmp_path / "cnn.spec.json"
    values = json.loads(path.read_text())
    assert values.pop("intercept") == 0.7
    path.write_text(json.dumps(values))
    loaded = load_spec("cnn", tmp_path)
    assert loaded == dataclasses.replace(SPEC, intercept=0.0)
    assert loaded.calibration == {"temperature": 1.5, "prevalence": 0.74, "intercept": 0.0}


def test_version_is_name_and_twelve_digits():
    """Name and the first 12 digits of the graph's sha256: the same weights may be read in more than one way."""
    assert SPEC.version == f"cnn {SPEC.graph_sha256[:12]}"
    other_weights = dataclasses.replace(SPEC, weights_sha256="0" * 64)
    assert other_weights.version == SPEC.version


@pytest.mark.parametrize(
    "change",
    [
        {"std": 0.0},
        {"temperature": -1.0},
        {"intercept": float("nan")},
        {"intercept": float("inf")},
        {"prevalence": 1.0},
        {"heat_range": 0.0},
        {"operating_points": {"balanced": 0.5}},
        {"operating_points": {"high_sensitivity": 0.3, "balanced": 1.6, "high_specificity": 0.9}},
    ],
)
def test_impossible_values_cannot_be_held(change):
    """A specification is valid or does not exist."""
    with pytest.raises(ValueError, match="out of range"):
        dataclasses.replace(SPEC, **change)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", json.dumps({"model": "cnn", "held_out_patients": []})])
def test_damaged_specification_is_refused(tmp_path, text):
    """Not JSON, not an object, or incomplete: one sentence, by name."""
    (tmp_path / "cnn.spec.json").write_text(text)
    with pytest.raises(AlteredWeights, match=r"cnn\.spec\.json"):
        load_spec("cnn", tmp_path)


def test_missing_files_are_named(tmp_path):
    """Neither specification nor weights are made up."""
    with pytest.raises(MissingWeights, match=r"cnn\.spec\.json"):
        load_spec("cnn", tmp_path)
    with pytest.raises(MissingWeights, match=r"cnn\.keras"):
        read_weights(SPEC, tmp_path)


def test_one_changed_byte_is_refused(tmp_path):
    """Weights that are not those the specification names are never used."""
    (tmp_path / "cnn.keras").write_bytes(WEIGHTS)
    assert read_weights(SPEC, tmp_path) == tmp_path / "cnn.keras"
    (tmp_path / "cnn.keras").write_bytes(WEIGHTS[:-1] + b"!")
    with pytest.raises(AlteredWeights, match=r"cnn\.keras"):
        read_weights(SPEC, tmp_path)
    (tmp_path / "cnn.onnx").write_bytes(GRAPH)
    assert read_graph(SPEC, tmp_path) == GRAPH
    (tmp_path / "cnn.onnx").write_bytes(GRAPH + b"!")
    with pytest.raises(AlteredWeights, match=r"cnn\.onnx"):
        read_graph(SPEC, tmp_path)


@pytest.mark.parametrize("model", MODELS)
def test_shipped_weights_are_those_of_their_specification(model):
    """What is committed belongs together."""
    spec = load_spec(model)
    assert read_weights(spec).is_file()
    assert read_graph(spec)
