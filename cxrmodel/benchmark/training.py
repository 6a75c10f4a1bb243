"""Benchmark of training: this program's feed, Keras's feed from a folder of images, and the network alone."""

import time
from collections.abc import Callable, Generator
from contextlib import closing
from itertools import count
from pathlib import Path

import keras
import numpy as np
from pydantic import computed_field

from cxrmodel.benchmark.reading import ratio_messages
from cxrmodel.imaging.lungs import LungSegmenter
from cxrmodel.messages import Message
from cxrmodel.models import DEFAULT_MODEL, MODELS
from cxrmodel.records import Record
from cxrmodel.training.archive import training_split
from cxrmodel.training.classifier import initial_network, training_feed
from cxrmodel.training.feed import Batch, Feed
from cxrmodel.training.recipe import Recipe, load_recipe

WARM_UP = 2
"""Batches that do not count: the first ones compile."""


class Rates(Record):
    """Images per second.

    Attributes
    ----------
    feed : float
        Making batches only.
    network : float
        Training on one batch repeatedly.
    training : float
        Both, as ``train`` does.
    naive : float
        ``image_dataset_from_directory`` and ``fit``, without augmentation.
    """

    feed: float
    network: float
    training: float
    naive: float


class TrainingBenchmark(Record):
    """Results of :func:`bench_training`: network, image side in pixels, images in a batch, timed batches, and rates."""

    model: str
    size: int
    batch: int
    batches: int
    images_per_second: Rates

    @computed_field  # type: ignore[prop-decorator]  # mypy knows no decorated properties
    @property
    def ratios(self) -> dict[str, float]:
        """How the rates compare."""
        rates = self.images_per_second
        return {
            "feed_to_network": rates.feed / rates.network,
            "training_to_network": rates.training / rates.network,
            "training_to_naive": rates.training / rates.naive,
        }

    def messages(self) -> tuple[Message, ...]:
        """All results, one per line."""
        return (
            Message("benchmark.training", model=self.model, size=self.size, batch=self.batch, batches=self.batches),
            *(
                Message("benchmark.rate", what=Message(f"benchmark.rates.{name}"), rate=rate)
                for name, rate in self.images_per_second
            ),
            *ratio_messages(self.ratios),
        )


def bench_training(
    root: Path, model: str = DEFAULT_MODEL, size: int | None = None, batches: int = 20
) -> TrainingBenchmark:
    """Measure each kind of training in turn on this machine, with the batch and precision of the model's recipe.

    Parameters
    ----------
    root : Path
        Folder that holds ``chest_xray``.
    size : int or None
        Side of the images in pixels; None takes the last of the recipe.
    batches : int
        Timed batches, after two that warm up.

    Raises
    ------
    DataError, TrainingError
    """
    recipe = load_recipe(MODELS[model].recipe_file)
    size = size or recipe.final_size
    split = training_split(root, recipe.seed)
    feed, _ = training_feed(
        root,
        recipe,
        split.train[:: max(1, len(split.train) // (recipe.batch * (batches + WARM_UP)))],
        LungSegmenter.load(),
    )
    network, batch = _compiled(recipe), next(feed.epoch(0, size))
    images = len(batch[0])
    with closing(_endless(feed, size)) as alone, closing(_endless(feed, size)) as supply:
        rates = Rates(
            feed=_rate(lambda: next(alone), batches, images),
            network=_rate(lambda: _step(network, batch), batches, images),
            training=_rate(lambda: _step(network, next(supply)), batches, images),
            naive=_naive(root, recipe, size, batches),
        )
    return TrainingBenchmark(model=model, size=size, batch=recipe.batch, batches=batches, images_per_second=rates)


def _endless(feed: Feed, size: int) -> Generator[Batch, None, None]:
    return (batch for epoch in count() for batch in feed.epoch(epoch, size))


def _compiled(recipe: Recipe) -> keras.Model:
    network = initial_network(recipe)
    optimizer = keras.optimizers.AdamW(recipe.peak_rate, weight_decay=recipe.weight_decay)
    network.compile(optimizer=optimizer, loss=keras.losses.BinaryCrossentropy(from_logits=True))
    return network


def _step(network: keras.Model, batch: Batch) -> None:
    x, y, weight = batch
    float(np.asarray(network.train_on_batch(x, y, sample_weight=weight)))


def _rate(work: Callable[[], object], batches: int, images: int) -> float:
    """Images per second over some calls, after those that warm up."""
    for _ in range(WARM_UP):
        work()
    start = time.perf_counter()
    for _ in range(batches):
        work()
    return batches * images / (time.perf_counter() - start)


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
    ends: list[float] = []
    clock = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: ends.append(time.perf_counter()))
    scale = keras.layers.Rescaling(1 / 255.0)
    supply = images.map(lambda pictures, labels: (scale(pictures), labels)).repeat()
    _compiled(recipe).fit(
        supply, steps_per_epoch=batches + WARM_UP, epochs=1, shuffle=False, verbose=0, callbacks=[clock]
    )
    return batches * recipe.batch / (ends[-1] - ends[WARM_UP - 1])
