"""Training loop: AdamW, warm-up and cosine decay, averaged weights, checkpoint and resume.

Works on any Keras 3 backend: the step is ``train_on_batch``, everything else is NumPy. Keras's own averaging
(``use_ema``) covers trainable variables only, with a constant momentum, and ``fit`` with its callbacks does not restart
within a learning-rate schedule by step: both would give other weights, or other weights after a resumption.
"""

import json
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter
from tqdm import tqdm

from cxrmodel import outputs
from cxrmodel.errors import TrainingError
from cxrmodel.training.feed import Feed
from cxrmodel.training.recipe import Recipe
from cxrmodel.training.record import Epoch

AVERAGE_EVERY = 4
CHECKPOINT = "checkpoint.npz"
"""Written after every epoch; with it a training continues."""
_HISTORY = TypeAdapter(list[Epoch])

Weights = list[NDArray[Any]]


def rate_at(step: int, warmup: int, total: int, peak: float) -> float:
    """Learning rate: a linear rise to ``peak`` over ``warmup`` steps, then a cosine to a hundredth of it."""
    if step < warmup:
        return peak * (step + 1) / warmup
    share = (step - warmup) / max(1, total - warmup)
    return peak * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, share))))


def fit(
    model: keras.Model,
    loss: keras.losses.Loss | Callable[[keras.KerasTensor, keras.KerasTensor], keras.KerasTensor],
    feed: Feed,
    recipe: Recipe,
    folder: Path,
    score: Callable[[keras.Model, int], dict[str, float]],
    *,
    resume: bool = False,
) -> list[Epoch]:
    """Train ``model`` in place and leave it with its averaged weights.

    Parameters
    ----------
    folder : Path
        Receives ``checkpoint.npz`` and ``history.json`` after every epoch.
    score : callable (model, size) -> dict
        Scores the averaged weights on held-out images after each epoch.
    resume : bool
        Continue from the checkpoint in ``folder``, to the same result as an uninterrupted run.

    Returns
    -------
    list of Epoch

    Raises
    ------
    TrainingError
        When the loss is not finite, or the checkpoint is missing, damaged or of another network.
    """
    folder.mkdir(parents=True, exist_ok=True)
    optimizer = keras.optimizers.AdamW(recipe.peak_rate, weight_decay=recipe.weight_decay)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    model.compile(optimizer=optimizer, loss=loss)
    optimizer.build(model.trainable_variables)
    average: Weights = model.get_weights()
    history: list[Epoch] = []
    if resume:
        average, history = _restore(model, optimizer, folder)
    total, warmup = recipe.epochs * feed.steps, max(1, round(recipe.warmup_epochs * feed.steps))
    bar = tqdm(total=total, initial=len(history) * feed.steps, desc=f"training {recipe.model}", unit="batch")
    for number in range(len(history), recipe.epochs):
        size, rate = recipe.size_at(number), 0.0
        losses: list[float] = []
        _seed_dropout(model, recipe.seed, number)
        for step, (x, y, weight) in enumerate(feed.epoch(number, size), start=number * feed.steps):
            optimizer.learning_rate = rate = rate_at(step, warmup, total, recipe.peak_rate)
            losses.append(float(np.asarray(model.train_on_batch(x, y, sample_weight=weight))))
            if not math.isfinite(losses[-1]):
                raise TrainingError("training.loss_not_finite", epoch=number + 1)
            if step % AVERAGE_EVERY == AVERAGE_EVERY - 1:
                average = _averaged(average, model.get_weights(), step // AVERAGE_EVERY + 1, recipe.average)
            bar.update()
            bar.set_postfix(epoch=f"{number + 1}/{recipe.epochs}", size=size, loss=f"{losses[-1]:.3f}", refresh=False)
        raw = model.get_weights()
        model.set_weights(average)
        scores = score(model, size)
        model.set_weights(raw)
        epoch = Epoch(epoch=number + 1, size=size, rate=rate, loss=float(np.mean(losses)), **scores)
        history.append(epoch)
        _save(model, optimizer, average, history, folder)
        bar.write("  ".join(f"{key} {value:.5g}" for key, value in epoch.model_dump().items()), file=bar.fp)
    bar.close()
    model.set_weights(average)
    return history


def _averaged(average: Weights, weights: Weights, updates: int, momentum: float) -> Weights:
    """Exponential moving average, with a momentum that grows to its final value over the first updates."""
    momentum = min(momentum, updates / (updates + 9))
    return [momentum * old + (1 - momentum) * new for old, new in zip(average, weights, strict=True)]


@contextmanager
def dtype_policy(name: str) -> Iterator[None]:
    """Build layers in a Keras dtype policy for the time of a ``with`` block."""
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy("float32")


def _seed_dropout(model: keras.Model, seed: int, epoch: int) -> None:
    for layer in model.layers:
        if isinstance(layer, keras.layers.Dropout):
            layer.seed_generator.state.assign(np.asarray([seed, epoch], "uint32"))


def _save(
    model: keras.Model, optimizer: keras.Optimizer, average: Weights, history: Sequence[Epoch], folder: Path
) -> None:
    arrays = {f"weight{i}": value for i, value in enumerate(model.get_weights())}
    arrays |= {f"average{i}": value for i, value in enumerate(average)}
    arrays |= {f"optimizer{i}": keras.ops.convert_to_numpy(value.value) for i, value in enumerate(optimizer.variables)}
    entries = _HISTORY.dump_python(list(history), mode="json")
    with outputs.draft(folder / CHECKPOINT, overwrite=True) as part:
        np.savez(part, allow_pickle=False, history=json.dumps(entries), **arrays)
    outputs.write(folder / "history.json", json.dumps(entries, indent=1) + "\n", overwrite=True)


def _restore(model: keras.Model, optimizer: keras.Optimizer, folder: Path) -> tuple[Weights, list[Epoch]]:
    path = folder / CHECKPOINT
    if not path.is_file():
        raise TrainingError("training.no_checkpoint", folder=str(folder))
    try:
        with np.load(path) as saved:
            arrays = {name: saved[name] for name in saved.files}
        history = _HISTORY.validate_json(str(arrays["history"]))
    except Exception as error:  # a damaged file makes the library raise anything
        raise TrainingError("training.damaged_checkpoint", path=str(path)) from error
    try:
        count = len(model.weights)
        average = [arrays[f"average{i}"] for i in range(count)]
        model.set_weights([arrays[f"weight{i}"] for i in range(count)])
        for i, variable in enumerate(optimizer.variables):
            variable.assign(arrays[f"optimizer{i}"])
    except (KeyError, ValueError, TypeError) as error:
        raise TrainingError("training.other_network", path=str(path)) from error
    return average, history
