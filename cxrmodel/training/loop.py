"""The one training loop: AdamW, warm-up and cosine decay, averaged weights, checkpoint and resume.

Works on any Keras 3 backend: the step is ``train_on_batch``, everything else is NumPy.
"""

import json
import math
import os
import tomllib
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import keras
import numpy as np
from tqdm import tqdm

from cxrmodel.errors import TrainingError
from cxrmodel.training.feed import Feed

__all__ = ["Recipe", "fit", "load_recipe"]

AVERAGE_EVERY = 4


@dataclass(frozen=True)
class Recipe:
    """Everything that a training depends on but the images.

    Attributes
    ----------
    model : str
    stages : tuple of (int, int)
        Image side in pixels and number of epochs, in order.
    seed, batch : int
    peak_rate, weight_decay : float
        Of AdamW; the rate rises over ``warmup_epochs`` and falls along a cosine to a hundredth.
    average : float
        Momentum of the averaged weights, applied every four steps.
    precision : str
        Keras dtype policy while training; the weights themselves are always float32.
    dropout : float
        Share of pooled features dropped.
    mixup : float
        Of ``Feed``: 0 blends no images.
    smoothing : float
        Label smoothing: 0 and 1 become half of it and one less half of it (Szegedy et al., CVPR 2016).
    options : dict
        What the image sampler reads: shares and ranges of the augmentation.
    """

    model: str
    stages: tuple[tuple[int, int], ...]
    seed: int = 0
    batch: int = 32
    peak_rate: float = 1e-3
    weight_decay: float = 0.01
    warmup_epochs: float = 1.0
    average: float = 0.99
    precision: str = "float32"
    dropout: float = 0.0
    mixup: float = 0.0
    smoothing: float = 0.0
    options: dict = field(default_factory=dict)

    @property
    def epochs(self) -> int:
        """Epochs over all stages."""
        return sum(epochs for _, epochs in self.stages)

    def size_at(self, epoch: int) -> int:
        """Image side in epoch ``epoch``, counted from 0."""
        for size, epochs in self.stages:
            if epoch < epochs:
                return size
            epoch -= epochs
        return self.stages[-1][0]

    def describe(self) -> dict:
        """The recipe as plain JSON."""
        return asdict(self) | {"stages": [list(stage) for stage in self.stages]}


def load_recipe(path: Path) -> Recipe:
    """Read a recipe file.

    Raises
    ------
    TrainingError
        When the file is missing, is not TOML, or names something that a recipe does not have.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
        values["stages"] = tuple((int(size), int(epochs)) for size, epochs in values["stages"])
        return Recipe(**values)
    except OSError as error:
        raise TrainingError(f"The recipe {path} cannot be read ({error.strerror}).") from error
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise TrainingError(f"The recipe {path} is not valid: {error}.") from error


def rate_at(step: int, warmup: int, total: int, peak: float) -> float:
    """Learning rate: a straight rise to ``peak`` over ``warmup`` steps, then a cosine to a hundredth of it."""
    if step < warmup:
        return peak * (step + 1) / warmup
    share = (step - warmup) / max(1, total - warmup)
    return peak * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, share))))


def fit(
    model: keras.Model,
    loss: keras.losses.Loss,
    feed: Feed,
    recipe: Recipe,
    folder: Path,
    score: Callable[[keras.Model, int], dict],
    resume: bool = False,
) -> list[dict]:
    """Train ``model`` in place and leave it with its averaged weights.

    Parameters
    ----------
    score : callable (model, size) -> dict
        Judges the averaged weights on held-out images after each epoch.
    folder : Path
        Receives ``checkpoint.npz`` and ``history.json`` after every epoch.
    resume : bool
        Go on from the checkpoint in ``folder``, to the same result as an unbroken run.

    Returns
    -------
    list of dict
        One entry an epoch: epoch, size, rate, loss, and what ``score`` said.

    Raises
    ------
    TrainingError
        When the loss stops being a number, or there is nothing to resume.
    """
    folder.mkdir(parents=True, exist_ok=True)
    optimizer = keras.optimizers.AdamW(recipe.peak_rate, weight_decay=recipe.weight_decay)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    model.compile(optimizer=optimizer, loss=loss)
    optimizer.build(model.trainable_variables)
    average, history = model.get_weights(), []
    if resume:
        average, history = _restore(model, optimizer, folder)
    done = len(history)
    total, warmup = recipe.epochs * feed.steps, max(1, round(recipe.warmup_epochs * feed.steps))
    bar = tqdm(total=total, initial=done * feed.steps, desc=f"training {recipe.model}", unit="batch")
    for epoch in range(done, recipe.epochs):
        size, losses = recipe.size_at(epoch), []
        _seed_dropout(model, recipe.seed, epoch)
        for place, (x, y, weight) in enumerate(feed.epoch(epoch, size)):
            step = epoch * feed.steps + place
            optimizer.learning_rate = rate_at(step, warmup, total, recipe.peak_rate)
            value = float(np.asarray(model.train_on_batch(x, y, sample_weight=weight)))
            if not math.isfinite(value):
                raise TrainingError(
                    f"The loss is no longer a number in epoch {epoch + 1}. Lower peak_rate in the recipe, "
                    "or train with precision float32; the last checkpoint is intact."
                )
            losses.append(value)
            if step % AVERAGE_EVERY == AVERAGE_EVERY - 1:
                updates = step // AVERAGE_EVERY + 1
                keep = min(recipe.average, updates / (updates + 9))
                average = [keep * old + (1 - keep) * new for old, new in zip(average, model.get_weights(), strict=True)]
            bar.update()
            bar.set_postfix(epoch=f"{epoch + 1}/{recipe.epochs}", size=size, loss=f"{value:.3f}", refresh=False)
        raw = model.get_weights()
        model.set_weights(average)
        entry = {"epoch": epoch + 1, "size": size, "rate": rate_at(step, warmup, total, recipe.peak_rate)}
        entry |= {"loss": float(np.mean(losses))} | score(model, size)
        model.set_weights(raw)
        history.append(entry)
        _save(model, optimizer, average, history, folder)
        bar.write("  ".join(f"{key} {value:.5g}" for key, value in entry.items()), file=bar.fp)
    bar.close()
    model.set_weights(average)
    return history


def _seed_dropout(model: keras.Model, seed: int, epoch: int) -> None:
    for layer in model.layers:
        if isinstance(layer, keras.layers.Dropout):
            layer.seed_generator.state.assign(np.asarray([seed, epoch], "uint32"))


def _save(model, optimizer, average, history: list[dict], folder: Path) -> None:
    arrays = {f"weight{i}": value for i, value in enumerate(model.get_weights())}
    arrays |= {f"average{i}": value for i, value in enumerate(average)}
    arrays |= {f"optimizer{i}": keras.ops.convert_to_numpy(value.value) for i, value in enumerate(optimizer.variables)}
    part = folder / "checkpoint.part.npz"
    np.savez(part, **arrays, history=json.dumps(history))
    os.replace(part, folder / "checkpoint.npz")
    (folder / "history.json").write_text(json.dumps(history, indent=1) + "\n", encoding="utf-8")


def _restore(model, optimizer, folder: Path) -> tuple[list[np.ndarray], list[dict]]:
    path = folder / "checkpoint.npz"
    if not path.is_file():
        raise TrainingError(f"There is no checkpoint in {folder} to resume from. Start again without --resume.")
    with np.load(path) as saved:
        count = len(model.weights)
        try:
            model.set_weights([saved[f"weight{i}"] for i in range(count)])
            average = [saved[f"average{i}"] for i in range(count)]
            for i, variable in enumerate(optimizer.variables):
                variable.assign(saved[f"optimizer{i}"])
        except (KeyError, ValueError) as error:
            raise TrainingError(f"The checkpoint in {folder} is of another network. Choose another folder.") from error
        return average, json.loads(str(saved["history"]))
