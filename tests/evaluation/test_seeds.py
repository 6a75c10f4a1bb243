"""Runs that differ in their seed are measured, kept, and summed up by hand-computed means."""

import dataclasses
import json

import pytest

from cxrmodel.errors import EvaluationError, TrainingError
from cxrmodel.evaluation.seeds import MEASURES, load_seeds, measure_run, save_seeds, spread
from cxrmodel.training.classifier import train_reader
from cxrmodel.training.recipe import load_recipe


def run(seed: int, value: float, model: str = "cnn", form: str = "32 px for 1 epochs") -> dict:
    """A measured run with one value everywhere."""
    return {"model": model, "form": form, "seed": seed, "weights_sha256": "a" * 64} | dict.fromkeys(MEASURES, value)


def test_spread_is_mean_and_sample_deviation():
    """0.90, 0.92 and 0.97: mean 0.93, deviation the root of (9 + 1 + 16) / 2 hundredths; other forms stand apart."""
    found = spread([run(0, 0.90), run(2, 0.97), run(1, 0.92), run(0, 0.5, form="other")])
    assert [(group["form"], group["seeds"]) for group in found] == [("32 px for 1 epochs", [0, 1, 2]), ("other", [0])]
    assert found[0]["auc"] == {"mean": 0.93, "deviation": pytest.approx(0.01 * (26 / 2) ** 0.5, rel=1e-5)}
    assert found[0]["weights"] == {"a" * 64}
    assert found[1]["accuracy"] == {"mean": 0.5, "deviation": None}


def test_runs_are_added_and_replaced(tmp_path):
    """The same model, form and seed is measured anew; what else is there stays."""
    assert load_seeds(tmp_path) == []
    save_seeds([run(0, 0.1), run(1, 0.2)], tmp_path)
    save_seeds([run(1, 0.3), run(1, 0.4, model="densenet121")], tmp_path)
    assert load_seeds(tmp_path) == [run(0, 0.1), run(1, 0.3), run(1, 0.4, model="densenet121")]


@pytest.mark.parametrize("text", ["", "[]", '{"format": 2, "runs": []}', '{"format": 1, "runs": [{"model": "cnn"}]}'])
def test_a_damaged_file_is_named(text, tmp_path):
    """Nothing is summed up from half a file."""
    (tmp_path / "seeds.json").write_text(text)
    with pytest.raises(EvaluationError, match=r"seeds\.json is damaged"):
        load_seeds(tmp_path)


def test_a_run_is_measured_on_the_test_images(make_archive, tmp_path, project):
    """A tiny training on drawn images; its own held-out patients fix the threshold."""
    root = make_archive(tmp_path / "archive", patients=6)
    shipped = load_recipe(project / "cxrmodel" / "training" / "recipes" / "cnn.toml")
    recipe = dataclasses.replace(shipped, stages=((32, 1),), batch=8, precision="float32", seed=4)
    train_reader(root, recipe, tmp_path / "run")
    measured = measure_run(tmp_path / "run", root)
    assert (measured["model"], measured["seed"]) == ("cnn", 4)
    assert all(0 <= measured[name] <= 1 for name in MEASURES)
    assert json.loads(json.dumps(measured)) == measured


def test_an_unfinished_run_is_named(tmp_path):
    """A folder without a training record."""
    with pytest.raises(TrainingError) as raised:
        measure_run(tmp_path, tmp_path)
    assert raised.value.message.code == "training.unfinished"
