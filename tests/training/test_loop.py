"""The training loop: learning rate, averaging, checkpoint and resume."""

import json
import math
from pathlib import Path

import keras
import numpy as np
import pytest

from cxrmodel.errors import OutputFailed, TrainingError
from cxrmodel.messages import Message
from cxrmodel.training.feed import Feed
from cxrmodel.training.loop import fit, rate_at
from cxrmodel.training.recipe import Recipe
from cxrmodel.training.record import Epoch
from tests.support.full_disk import disk_with

RECIPE = Recipe(model="toy", stages=((8, 2), (12, 2)), batch=4, peak_rate=1e-2, dropout=0.5)
LOSS = keras.losses.BinaryCrossentropy(from_logits=True)


def _toy() -> keras.Model:
    keras.utils.set_random_seed(0)
    inputs = keras.Input((None, None, 1))
    x = keras.layers.Conv2D(4, 3, use_bias=False)(inputs)
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.ReLU()(x))
    return keras.Model(inputs, keras.layers.Dense(1)(keras.layers.Dropout(0.5)(x)))


def _sample(index: int, size: int, rng: np.random.Generator):
    label = index % 2
    return rng.normal(label, 1, (size, size, 1)).astype(np.float32), np.array([label], np.float32), 1.0


def _train(folder, recipe=RECIPE, score=lambda model, size: {}, resume=False, sample=_sample):
    model = _toy()
    history = fit(model, LOSS, Feed(sample, 16, recipe.batch, recipe.seed), recipe, folder, score, resume=resume)
    return model, history


@pytest.mark.parametrize(
    ("step", "expected"),
    [(0, 0.25), (3, 1.0), (4, 1.0), (54, 0.01 + 0.99 / 2), (104, 0.01), (500, 0.01)],
)
def test_rate_rises_then_falls_along_a_cosine(step, expected):
    """Four steps of warm-up, then half a cosine down to a hundredth."""
    assert rate_at(step, warmup=4, total=104, peak=1.0) == pytest.approx(expected)


def test_a_toy_learns(tmp_path):
    """The loss falls on an easy task, and the history is stored."""
    _, history = _train(tmp_path, RECIPE.replace(stages=((8, 30),)))
    assert history[-1].loss < 0.8 * history[0].loss
    assert json.loads((tmp_path / "history.json").read_text()) == [epoch.model_dump() for epoch in history]


def test_killed_training_resumes_to_the_same_weights(tmp_path):
    """Stopped in the third epoch and resumed, it ends like an uninterrupted run."""
    whole, history = _train(tmp_path / "whole")

    class Killed(Exception):
        pass

    def die_in_epoch_three(index, size, rng):
        if size == 12:
            raise Killed
        return _sample(index, size, rng)

    with pytest.raises(Killed):
        _train(tmp_path / "killed", sample=die_in_epoch_three)
    resumed, again = _train(tmp_path / "killed", resume=True)
    assert [epoch.epoch for epoch in again] == [epoch.epoch for epoch in history] == [1, 2, 3, 4]
    for first, second in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_allclose(first, second, rtol=1e-4, atol=1e-6)


def test_a_full_disk_leaves_the_earlier_checkpoint(tmp_path):
    """From which the training is resumed."""
    _train(tmp_path, RECIPE.replace(stages=((8, 1),)))
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with disk_with(1000), pytest.raises(OutputFailed):
        _train(tmp_path, RECIPE.replace(stages=((8, 2),)), resume=True)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert len(_train(tmp_path, RECIPE.replace(stages=((8, 2),)), resume=True)[1]) == 2


def test_same_seed_same_weights(tmp_path):
    """Two runs with one seed agree; another seed gives other weights."""
    first, second = _train(tmp_path / "a")[0], _train(tmp_path / "b")[0]
    other = _train(tmp_path / "c", RECIPE.replace(seed=1))[0]
    np.testing.assert_array_equal(first.get_weights()[0], second.get_weights()[0])
    assert not np.array_equal(first.get_weights()[0], other.get_weights()[0])


def test_the_scored_weights_are_the_averaged_ones(tmp_path):
    """The last score sees the weights that the model ends with, which differ from the raw ones."""
    seen = []
    model, _ = _train(tmp_path, score=lambda network, size: seen.append(network.get_weights()) or {})
    with np.load(tmp_path / "checkpoint.npz") as saved:
        raw = saved["weight0"]
    np.testing.assert_array_equal(seen[-1][0], model.get_weights()[0])
    assert not np.array_equal(raw, model.get_weights()[0])


def test_a_loss_that_is_not_finite_stops_the_training(tmp_path):
    """NaN in an image ends training at once."""

    def broken(index, size, rng):
        x, y, weight = _sample(index, size, rng)
        return x * math.nan, y, weight

    with pytest.raises(TrainingError) as raised:
        _train(tmp_path, sample=broken)
    assert raised.value.message == Message("training.loss_not_finite", epoch=1)


def test_nothing_to_resume(tmp_path):
    """Without a checkpoint, resuming is refused."""
    with pytest.raises(TrainingError) as raised:
        _train(tmp_path, resume=True)
    assert raised.value.message == Message("training.no_checkpoint", folder=str(tmp_path))


@pytest.mark.parametrize(
    "damage", ["cut", "empty", "text", "history", "array", "one array", "deep history", "odd header", "odd compression"]
)
def test_a_damaged_checkpoint_is_an_error(tmp_path, damage):
    """Truncated, empty, not an archive, without a valid history, with a broken array, header or compression."""
    _train(tmp_path)
    path = tmp_path / "checkpoint.npz"
    _damage(path, damage)
    with pytest.raises(TrainingError) as raised:
        _train(tmp_path, resume=True)
    assert raised.value.message == Message("training.damaged_checkpoint", path=str(path))


def _damage(path: Path, damage: str) -> None:
    data = path.read_bytes()
    histories = {"history": json.dumps([{"epoch": 1}]), "deep history": "[" * 100_000}
    if damage in histories:
        with np.load(path) as saved:
            arrays = {name: saved[name] for name in saved.files}
        np.savez(path, **arrays | {"history": histories[damage]})
    elif damage == "one array":
        with path.open("wb") as stream:
            np.save(stream, np.zeros(3))
    elif damage == "odd header":
        path.write_bytes(data.replace(b"'fortran_order': False", b"'fortran_order':[[[[["))
    elif damage == "odd compression":
        central = data.rindex(b"PK\x01\x02")
        path.write_bytes(data[: central + 10] + b"\x63\x00" + data[central + 12 :])
    elif damage == "array":
        broken = bytearray(data)
        broken[len(data) // 4 : len(data) // 2] = bytes(len(data) // 2 - len(data) // 4)
        path.write_bytes(broken)
    else:
        path.write_bytes({"cut": data[: len(data) // 2], "empty": b"", "text": b"no archive"}[damage])


def test_checkpoint_of_another_network(tmp_path):
    """A checkpoint that does not fit is refused, not half loaded."""
    _train(tmp_path)
    keras.utils.set_random_seed(0)
    inputs = keras.Input((None, None, 1))
    other = keras.Model(inputs, keras.layers.Dense(1)(keras.layers.GlobalMaxPooling2D()(inputs)))
    with pytest.raises(TrainingError) as raised:
        fit(other, LOSS, Feed(_sample, 16, 4, 0), RECIPE, tmp_path, lambda model, size: {}, resume=True)
    assert raised.value.message.code == "training.other_network"


def test_scores_are_stored_beside_the_other_values_of_an_epoch(tmp_path):
    """Flat in JSON, and read back as scores."""
    _, history = _train(tmp_path, score=lambda model, size: {"upside down": 0.25})
    stored = json.loads((tmp_path / "history.json").read_text())
    assert stored[0]["upside down"] == 0.25
    assert [Epoch(**entry) for entry in stored] == history
    assert history[-1].scores == {"upside down": 0.25}
