"""The training loop: schedule, averaging, checkpoint and resume."""

import dataclasses
import json
import math

import keras
import numpy as np
import pytest

from cxrmodel.errors import TrainingError
from cxrmodel.training.feed import Feed
from cxrmodel.training.loop import Recipe, fit, load_recipe, rate_at

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
    history = fit(model, LOSS, Feed(sample, 16, recipe.batch, recipe.seed), recipe, folder, score, resume)
    return model, history


@pytest.mark.parametrize(
    ("step", "expected"),
    [(0, 0.25), (3, 1.0), (4, 1.0), (54, 0.01 + 0.99 / 2), (104, 0.01), (500, 0.01)],
)
def test_rate_rises_then_falls_along_a_cosine(step, expected):
    """Four steps of warm-up, then half a cosine down to a hundredth."""
    assert rate_at(step, warmup=4, total=104, peak=1.0) == pytest.approx(expected)


@pytest.mark.parametrize(("epoch", "size"), [(0, 8), (1, 8), (2, 12), (3, 12), (9, 12)])
def test_images_grow_by_stage(epoch, size):
    """Each stage has its own image side; the last one stays."""
    assert RECIPE.size_at(epoch) == size


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("stages = [[8, 1]]", "model"),
        ('model = "cnn"', "stages"),
        ('model = "cnn"\nstages = [[8, 1]]\nspeed = 3', "speed"),
        ("model =", "not valid"),
    ],
)
def test_bad_recipes_say_what_is_wrong(tmp_path, text, said):
    """A recipe that lacks something, or has too much, is refused by name."""
    path = tmp_path / "recipe.toml"
    path.write_text(text)
    with pytest.raises(TrainingError, match=said):
        load_recipe(path)


def test_missing_recipe_is_named(tmp_path):
    """A path that is not there is said to be."""
    with pytest.raises(TrainingError, match="absent"):
        load_recipe(tmp_path / "absent.toml")


@pytest.mark.parametrize("name", ["densenet121", "cnn", "lungs"])
def test_shipped_recipes_load(name, project):
    """The recipes in the package are valid."""
    assert load_recipe(project / "cxrmodel" / "training" / "recipes" / f"{name}.toml").model == name


def test_a_toy_learns(tmp_path):
    """The loss falls on an easy task, and the history says so."""
    _, history = _train(tmp_path, dataclasses.replace(RECIPE, stages=((8, 30),)))
    assert history[-1]["loss"] < 0.8 * history[0]["loss"]
    assert json.loads((tmp_path / "history.json").read_text()) == history


def test_killed_training_resumes_to_the_same_weights(tmp_path):
    """Stopped in the third epoch and resumed, it ends where an unbroken run ends."""
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
    assert len(again) == len(history) == 4
    for first, second in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_allclose(first, second, rtol=1e-4, atol=1e-6)


def test_same_seed_same_weights(tmp_path):
    """Two runs with one seed agree; another seed gives other weights."""
    first, second = _train(tmp_path / "a")[0], _train(tmp_path / "b")[0]
    other = _train(tmp_path / "c", dataclasses.replace(RECIPE, seed=1))[0]
    np.testing.assert_array_equal(first.get_weights()[0], second.get_weights()[0])
    assert not np.array_equal(first.get_weights()[0], other.get_weights()[0])


def test_the_judged_weights_are_the_averaged_ones(tmp_path):
    """What the last score saw is what the model is left with, and differs from the raw weights."""
    seen = []
    model, _ = _train(tmp_path, score=lambda network, size: seen.append(network.get_weights()) or {})
    with np.load(tmp_path / "checkpoint.npz") as saved:
        raw = saved["weight0"]
    np.testing.assert_array_equal(seen[-1][0], model.get_weights()[0])
    assert not np.array_equal(raw, model.get_weights()[0])


def test_a_loss_that_is_no_number_stops_with_a_sentence(tmp_path):
    """NaN in an image ends training at once."""

    def broken(index, size, rng):
        x, y, weight = _sample(index, size, rng)
        return x * math.nan, y, weight

    with pytest.raises(TrainingError, match="no longer a number"):
        _train(tmp_path, sample=broken)


def test_nothing_to_resume(tmp_path):
    """Without a checkpoint, resuming is refused."""
    with pytest.raises(TrainingError, match="no checkpoint"):
        _train(tmp_path, resume=True)


def test_checkpoint_of_another_network(tmp_path):
    """A checkpoint that does not fit is refused, not half loaded."""
    _train(tmp_path)
    keras.utils.set_random_seed(0)
    inputs = keras.Input((None, None, 1))
    other = keras.Model(inputs, keras.layers.Dense(1)(keras.layers.GlobalMaxPooling2D()(inputs)))
    with pytest.raises(TrainingError, match="another network"):
        fit(other, LOSS, Feed(_sample, 16, 4, 0), RECIPE, tmp_path, lambda model, size: {}, resume=True)
