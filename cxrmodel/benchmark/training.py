"""How fast training runs: our feed against Keras's own way with a folder of images, and against the network alone."""

import time
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np

from cxrmodel.imaging.lungs import LungSegmenter
from cxrmodel.model.network import build
from cxrmodel.paths import RECIPES
from cxrmodel.training.archive import training_split
from cxrmodel.training.classifier import training_feed
from cxrmodel.training.loop import Recipe, load_recipe

__all__ = ["bench_training", "training_in_words"]

WARM_UP = 2
"""Batches that do not count: the first ones compile."""


def bench_training(root: Path, model: str = "densenet121", size: int | None = None, batches: int = 20) -> dict:
    """Measure images a second, one way after the other on this machine, with the recipe's batch and precision.

    Parameters
    ----------
    root : Path
        The folder that holds ``chest_xray``.
    size : int or None
        Side of the images in pixels; None takes the last of the recipe.
    batches : int
        How many count, after two that warm up.

    Returns
    -------
    dict
        ``model``, ``size``, ``batch``, ``batches``; ``images_a_second``: ``feed`` (making batches alone), ``network``
        (training on one batch over and over), ``training`` (both, as ``train`` does it) and ``naive``
        (``image_dataset_from_directory`` and ``fit``, without augmentation); ``ratios``.

    Raises
    ------
    DataError, TrainingError
    """
    recipe = load_recipe(RECIPES / f"{model}.toml")
    size = size or recipe.stages[-1][0]
    split = training_split(root, recipe.seed)
    count = recipe.batch * (batches + WARM_UP)
    chosen = split.train[:: max(1, len(split.train) // count)]
    feed = training_feed(root, recipe, chosen, LungSegmenter.load())

    def endless() -> Iterator:
        epoch = 0
        while True:
            yield from feed.epoch(epoch, size)
            epoch += 1

    network, alone = _compiled(recipe), next(feed.epoch(0, size))
    making, eating = endless(), endless()
    rates = {
        "feed": _rate(lambda: next(making), batches, len(alone[0])),
        "network": _rate(lambda: _step(network, alone), batches, len(alone[0])),
        "training": _rate(lambda: _step(network, next(eating)), batches, len(alone[0])),
        "naive": _naive(root, recipe, size, batches),
    }
    for supply in (making, eating):
        supply.close()
    return {
        "model": model,
        "size": size,
        "batch": recipe.batch,
        "batches": batches,
        "images_a_second": rates,
        "ratios": {
            "feed over network": rates["feed"] / rates["network"],
            "training over network": rates["training"] / rates["network"],
            "training over naive": rates["training"] / rates["naive"],
        },
    }


def training_in_words(found: dict) -> str:
    """The figures of ``bench_training`` as lines for a person."""
    lines = [f"{found['model']} at {found['size']} px, batches of {found['batch']}, {found['batches']} of them"]
    lines += [f"{name}: {rate:.1f} images a second" for name, rate in found["images_a_second"].items()]
    lines += [f"ratio: {name}: {value:.2f}" for name, value in found["ratios"].items()]
    return "\n".join(lines)


def _compiled(recipe: Recipe) -> keras.Model:
    keras.utils.set_random_seed(recipe.seed)
    keras.config.set_dtype_policy(recipe.precision)
    try:
        network = build(recipe.model, dropout=recipe.dropout)
    finally:
        keras.config.set_dtype_policy("float32")
    optimizer = keras.optimizers.AdamW(recipe.peak_rate, weight_decay=recipe.weight_decay)
    network.compile(optimizer=optimizer, loss=keras.losses.BinaryCrossentropy(from_logits=True))
    return network


def _step(network: keras.Model, batch: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    x, y, weight = batch
    float(np.asarray(network.train_on_batch(x, y, sample_weight=weight)))


def _rate(work, batches: int, images: int) -> float:
    """Images a second over so many calls, after those that warm up."""
    for _ in range(WARM_UP):
        work()
    start = time.perf_counter()
    for _ in range(batches):
        work()
    return batches * images / (time.perf_counter() - start)


class _Clock(keras.callbacks.Callback):
    """Notes when each batch ends."""

    def __init__(self):
        super().__init__()
        self.ends = []

    def on_train_batch_end(self, batch, logs=None):
        """After the step of a batch."""
        self.ends.append(time.perf_counter())


def _naive(root: Path, recipe: Recipe, size: int, batches: int) -> float:
    images = keras.utils.image_dataset_from_directory(
        root / "chest_xray" / "train",
        label_mode="binary",
        color_mode="grayscale",
        image_size=(size, size),
        batch_size=recipe.batch,
        seed=recipe.seed,
        verbose=False,
    )
    scale, clock = keras.layers.Rescaling(1 / 255.0), _Clock()
    supply = images.map(lambda pictures, labels: (scale(pictures), labels)).repeat()
    _compiled(recipe).fit(
        supply, steps_per_epoch=batches + WARM_UP, epochs=1, shuffle=False, verbose=0, callbacks=[clock]
    )
    return batches * recipe.batch / (clock.ends[-1] - clock.ends[WARM_UP - 1])
