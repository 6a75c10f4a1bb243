"""Runs that differ in their seed are measured, kept, and summed up by hand-computed means."""

import pytest

from cxrmodel.errors import EvaluationError, TrainingError
from cxrmodel.evaluation.seeds import (
    MEASURES,
    Moments,
    SeedRun,
    TrainingForm,
    form_of,
    load_seeds,
    measure_run,
    save_seeds,
    spread,
)
from cxrmodel.training.classifier import train_reader
from cxrmodel.training.recipe import load_recipe
from cxrmodel.training.record import shipped_training_record

SHORT = (TrainingForm(stages=((32, 1),)),)
LONG = (TrainingForm(stages=((96, 4), (128, 8))), TrainingForm(stages=((160, 2),), mixup=True))


def run(seed: int, value: float, model: str = "cnn", trainings=SHORT) -> SeedRun:
    """A measured run with one value everywhere."""
    measures = dict.fromkeys(MEASURES, value)
    return SeedRun(model=model, trainings=trainings, init="none", seed=seed, weights_sha256="a" * 64, **measures)


def test_spread_is_mean_and_sample_deviation():
    """0.90, 0.92 and 0.97: mean 0.93, deviation the root of (9 + 1 + 16) / 2 hundredths; other forms stand apart."""
    short, long = spread([run(0, 0.90), run(2, 0.97), run(1, 0.92), run(0, 0.5, trainings=LONG)])
    assert (short.seeds, long.seeds) == ((0, 1, 2), (0,))
    assert short.measures["auc"] == (0.93, pytest.approx(0.01 * (26 / 2) ** 0.5, rel=1e-5))
    assert short.weights == {"a" * 64}
    assert long.measures["accuracy"] == Moments(0.5, None)


def test_runs_are_added_and_replaced(tmp_path):
    """The same model, form and seed is measured again; other runs stay."""
    assert load_seeds(tmp_path) == ()
    save_seeds([run(0, 0.1), run(1, 0.2), run(1, 0.5, trainings=LONG)], tmp_path)
    save_seeds([run(1, 0.3), run(1, 0.4, model="densenet121")], tmp_path)
    wanted = (run(0, 0.1), run(1, 0.3), run(1, 0.5, trainings=LONG), run(1, 0.4, model="densenet121"))
    assert load_seeds(tmp_path) == wanted


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "EOF"),
        ("[]", "object"),
        ('{"format": 1, "runs": []}', "format"),
        ('{"format": 2, "runs": [{"model": "cnn"}]}', "runs.0.trainings"),
    ],
)
def test_a_damaged_file_is_named(text, what, tmp_path):
    """With the place of the damage."""
    (tmp_path / "seeds.json").write_text(text)
    with pytest.raises(EvaluationError) as caught:
        load_seeds(tmp_path)
    assert what in caught.value.message.values["problem"]


def test_a_form_holds_all_trainings():
    """Sizes, epochs, the trainings before, and the initial weights; and in words."""
    record = shipped_training_record("densenet121")
    forms, init = form_of(record)
    assert (len(forms), init) == (4, "none")
    assert forms[0] == TrainingForm(stages=((96, 4), (128, 10), (160, 4)))
    assert str(run(0, 0.5, trainings=forms).form) == str(record.summary)
    assert str(TrainingForm().schedule)


def test_a_run_is_measured_on_the_test_images(make_archive, tmp_path, project):
    """A tiny training on drawn images; its own held-out patients fix the threshold."""
    root = make_archive(tmp_path / "archive", patients=6)
    shipped = load_recipe(project / "cxrmodel" / "training" / "recipes" / "cnn.toml")
    recipe = shipped.replace(stages=((32, 1),), batch=8, precision="float32", seed=4)
    train_reader(root, recipe, tmp_path / "run")
    measured = measure_run(tmp_path / "run", root)
    assert (measured.model, measured.seed, measured.trainings) == ("cnn", 4, SHORT)
    assert all(0 <= getattr(measured, name) <= 1 for name in MEASURES)
    assert SeedRun.model_validate_json(measured.to_json()) == measured


def test_an_unfinished_run_is_named(tmp_path):
    """A folder without a training record."""
    with pytest.raises(TrainingError) as caught:
        measure_run(tmp_path, tmp_path)
    assert caught.value.message.code == "training.unfinished"
