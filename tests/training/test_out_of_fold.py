"""Folds: what a training leaves out it scores, and only the folds of one training calibrate its network."""

from pathlib import Path

import numpy as np
import pytest

from cxrmodel.cli.main import main
from cxrmodel.errors import DataError, TrainingError
from cxrmodel.imaging.perturbations import INTACT, KINDS
from cxrmodel.training.archive import training_split
from cxrmodel.training.classifier import train_reader
from cxrmodel.training.export import export_reader
from cxrmodel.training.out_of_fold import FILE, OutOfFold, OutOfFoldScore, load_folds
from cxrmodel.training.recipe import Recipe
from cxrmodel.training.record import Fold, TrainingRecord, load_training_record

OPTIONS = {"margin": 0.06, "degrees": 0, "jitter": 0.0, "surroundings": 0.0, "covered": 0.0}
RECIPE = Recipe(model="cnn", stages=((32, 1),), batch=16, options=OPTIONS)


@pytest.fixture(scope="module")
def archive(make_archive, tmp_path_factory) -> Path:
    """Seven patients of a class to train on."""
    return make_archive(tmp_path_factory.mktemp("archive"), patients=7)


@pytest.fixture(scope="module")
def fold_run(archive, tmp_path_factory) -> Path:
    """The folder of a training without the first of two folds."""
    folder = tmp_path_factory.mktemp("run")
    train_reader(archive, RECIPE, folder, fold=Fold(number=1, of=2))
    return folder


def test_folds_divide_the_training_patients(archive):
    """Every training image is left out once, with its whole patient; the held-out ones are the same throughout."""
    whole = training_split(archive)
    splits = [training_split(archive, fold=Fold(number=number, of=3)) for number in (1, 2, 3)]
    left_out = [image for split in splits for image in split.left_out]
    assert sorted(image.name for image in left_out) == sorted(image.name for image in whole.train)
    for split in splits:
        assert split.held_out == whole.held_out
        assert not {image.patient for image in split.left_out} & {image.patient for image in split.train}
        assert {image.label for image in split.left_out} == {image.label for image in split.train} == {0, 1}
    with pytest.raises(DataError) as raised:
        training_split(archive, fold=Fold(number=1, of=50))
    assert raised.value.message.code == "training.too_many_folds"


def test_left_out_images_are_scored_intact_and_perturbed(archive, fold_run):
    """Each intact, each but few under one kind, the kinds in turn; none of them was trained on."""
    split = training_split(archive, fold=Fold(number=1, of=2))
    scores = OutOfFold.model_validate_json((fold_run / FILE).read_bytes()).scores
    record = load_training_record(fold_run / "training.json")
    assert record.split.fold == split.fold
    assert record.split.used_images == len(split.train)
    patients = {image.name: image.patient for image in split.left_out}
    intact = [score.file for score in scores if score.kind == INTACT]
    assert sorted(intact) == sorted(patients)
    perturbed = [score for score in scores if score.kind != INTACT]
    assert len(perturbed) == len({score.file for score in perturbed}) > len(intact) / 2
    assert len({score.kind for score in perturbed} & set(KINDS)) >= 6
    assert all(score.patient == patients[score.file] for score in scores)


def test_initial_weights_must_not_have_seen_the_fold(archive, fold_run, tmp_path):
    """Those of the other fold, or of no fold, did."""
    init = str(fold_run / "cnn.keras")
    with pytest.raises(TrainingError) as raised:
        train_reader(archive, RECIPE, tmp_path, init=init, fold=Fold(number=2, of=2))
    assert raised.value.message.code == "training.saw_held_out"


@pytest.mark.parametrize("given", ["0/2", "3/2", "1/1", "1", "a/b"])
def test_a_fold_that_does_not_exist_is_wrong_usage(given):
    """On the command line."""
    with pytest.raises(SystemExit) as raised:
        main(["train", "--fold", given])
    assert raised.value.code == 2


@pytest.fixture
def make_run(fold_run, tmp_path):
    """A function (number, of, kinds, **changes) -> folder of a made-up fold training, its logits three times too sure.

    Changes are of the record.
    """

    def make(number: int, of: int = 2, kinds: tuple[str, ...] = (INTACT, *KINDS), **changes) -> Path:
        record = load_training_record(fold_run / "training.json")
        split = record.split.replace(fold=Fold(number=number, of=of))
        rng = np.random.default_rng(number)
        scores = [
            OutOfFoldScore(
                file=f"{number}-{place}.jpeg",
                label=place % 2,
                patient=f"{number}-{place // 4}-{place % 2}",
                kind=kind,
                logit=3.0 * rng.normal(2.0 if place % 2 else -2.0, 2.0),
            )
            for kind in kinds
            for place in range(40)
        ]
        folder = tmp_path / f"{number}-{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        changed = TrainingRecord(**{**dict(record), "split": split, **changes})
        (folder / "training.json").write_text(changed.to_json(), encoding="utf-8")
        (folder / FILE).write_text(OutOfFold(scores=tuple(scores)).to_json(), encoding="utf-8")
        return folder

    return make


def test_an_export_is_calibrated_on_the_folds(archive, fold_run, make_run, tmp_path):
    """The temperature undoes what the folds' scores exaggerate; the record says how it was chosen."""
    runs = [make_run(number) for number in (2, 1)]
    spec = export_reader(fold_run, archive, tmp_path / "out", runs)
    choice = load_training_record(tmp_path / "out" / "cnn.training.json").calibration
    assert choice.chosen == "temperature"
    assert spec.temperature == pytest.approx(3.0, rel=0.15)
    assert (spec.intercept, spec.prevalence) == (0.0, 0.5)
    assert [training.fold.number for training in choice.trainings] == [1, 2]
    assert (choice.scores, choice.images, choice.patients) == (2 * 40 * (1 + len(KINDS)), 80, 40)
    assert export_reader(fold_run, archive, tmp_path / "out").prevalence == 0.5
    assert load_training_record(tmp_path / "out" / "cnn.training.json").calibration.trainings == ()


def test_folds_that_do_not_belong_together_are_refused(fold_run, make_run):
    """Another split or model, a fold twice or missing, no fold at all, a kind without scores, a damaged file."""
    record = load_training_record(fold_run / "training.json")
    other_split = record.split.replace(held_out_patients=("x",), fold=Fold(number=2, of=2))
    whole = record.split.replace(fold=None)
    first = make_run(1)
    damaged = make_run(2)
    (damaged / FILE).write_text("{}", encoding="utf-8")
    absent = make_run(2)
    (absent / FILE).unlink()
    cases = {
        "training.fold_of_other_split": make_run(2, split=other_split),
        "training.fold_of_other_model": make_run(2, recipe=record.recipe.replace(model="densenet121")),
        "training.not_a_fold": make_run(2, split=whole),
        "training.fold_twice": make_run(1),
        "training.fold_lacks_kinds": make_run(2, kinds=(INTACT, "blur")),
        "training.bad_scores": damaged,
        "training.unfinished": absent,
    }
    for code, second in cases.items():
        with pytest.raises(TrainingError) as raised:
            load_folds([first, second], record)
        assert raised.value.message.code == code
    with pytest.raises(TrainingError) as raised:
        load_folds([first, make_run(3, of=3)], record)
    assert raised.value.message.code == "training.fold_of_other_split"
    with pytest.raises(TrainingError) as raised:
        load_folds([first], record)
    assert raised.value.message.values["missing"] == ("2",)
