"""Training records: read back as written, chained over runs, and damage named by field."""

import pytest

from cxrmodel.errors import TrainingError
from cxrmodel.models import MODELS
from cxrmodel.paths import MODEL_FOLDER
from cxrmodel.training.recipe import Recipe
from cxrmodel.training.record import (
    ClassifierEpoch,
    HeldOutScore,
    TrainingRecord,
    TrainingRun,
    TrainingSplit,
    load_training_record,
    summarise,
)


def epochs(*losses: float) -> tuple[ClassifierEpoch, ...]:
    """Epochs with these losses."""
    return tuple(
        ClassifierEpoch(epoch=number, size=32, rate=0.1, loss=loss, held_out_auc=0.5, held_out_loss=0.7)
        for number, loss in enumerate(losses, start=1)
    )


RECORD = TrainingRecord(
    recipe=Recipe(model="cnn", stages=((160, 1),)),
    init="second.keras",
    before=(
        TrainingRun(recipe=Recipe(model="cnn", stages=((96, 2),)), init="none", history=epochs(3, 2)),
        TrainingRun(weights_sha256="0" * 64),
    ),
    split=TrainingSplit(
        seed=0,
        train_images=2,
        train_patients=2,
        train_strata={"normal": 1, "virus": 1},
        held_out_images=1,
        held_out_strata={"virus": 1},
        held_out_patients=("virus-3",),
        repeats_dropped=(),
    ),
    mean=0.5,
    std=0.2,
    history=epochs(1),
    held_out=(HeldOutScore(file="a.jpeg", label=1, logit=2.0),),
)


def test_a_record_is_read_back_as_written(tmp_path):
    """Also where fields have their default."""
    path = tmp_path / "training.json"
    path.write_text(RECORD.to_json(), encoding="utf-8")
    assert load_training_record(path) == RECORD


@pytest.mark.parametrize("model", MODELS.names)
def test_shipped_records_are_valid(model):
    """They belong to the model, and the last run ends at the spec's image size."""
    record = load_training_record(MODEL_FOLDER / f"{model}.training.json")
    assert record.recipe.model == model
    assert record.history[-1].size == record.recipe.final_size
    assert 0 < record.options.margin < 1


def test_epochs_are_numbered_over_all_runs():
    """Runs are counted too, and one without a history keeps its number."""
    assert [(number, run, epoch.loss) for number, run, epoch in RECORD.epochs()] == [(1, 1, 3), (2, 1, 2), (3, 3, 1)]


def test_the_summary_chains_the_runs():
    """Schedules in their order, and the first weights."""
    summary = RECORD.summary
    assert summary.code == "training.summary"
    assert [summary.values["start"].code, TrainingRun().start.code, TrainingRun(init="x.keras").start.code] == [
        "training.random_weights",
        "training.unknown_weights",
        "training.given_weights",
    ]
    assert summary.values["schedule"].code == "training.then"
    words = str(summary)
    assert words.index("96 px") < words.index("160 px") < words.index("random")
    assert summarise([TrainingRun()]).values["schedule"].code == "training.unknown_schedule"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", ""),
        ("[]", ""),
        ("{}", "recipe"),
        (RECORD.to_json().replace('"mean": 0.5', '"mean": "half"'), "mean"),
        (RECORD.to_json().replace('"seed": 0,\n  "train', '"seeds": 0,\n  "train'), "split.seed"),
        (RECORD.to_json().replace('"loss": 1.0', '"loss": null'), "history.0.loss"),
    ],
)
def test_a_damaged_record_names_the_field(tmp_path, text, problem):
    """Not JSON, another shape, a wrong type, a missing field."""
    path = tmp_path / "training.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(TrainingError) as raised:
        load_training_record(path)
    assert raised.value.message.code == "training.bad_record"
    assert raised.value.message.values["problem"].startswith(problem)


def test_a_missing_record_is_an_error(tmp_path):
    """The message names the path."""
    with pytest.raises(TrainingError) as raised:
        load_training_record(tmp_path / "training.json")
    assert raised.value.message.code == "training.unfinished"
