"""Training of an image reader: DenseNet-121 or the plain CNN, on images cropped to their lungs.

What surrounds the lungs is replaced at random, and images whose lungs are covered are taught as knowing
nothing, so that the network cannot learn the label from collimation, markers or arms.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from sklearn.metrics import roc_auc_score

from cxrmodel.errors import TrainingError
from cxrmodel.imaging.canonical import IMAGE_SIDE
from cxrmodel.imaging.lungs import LungFields, LungSegmenter
from cxrmodel.model.network import build
from cxrmodel.model.preprocess import crop, crop_box, normalise
from cxrmodel.training.archive import Image, Split, load_images, load_masks, training_split
from cxrmodel.training.augment import (
    jitter_crop,
    match_histogram,
    perturb_intensity,
    replace_background,
    rotate_and_flip,
    soft_mask,
)
from cxrmodel.training.feed import Feed
from cxrmodel.training.loop import Recipe, fit

__all__ = ["Sampler", "train_reader", "training_feed"]

BATCH = 64
SHUFFLE_SEED = 0


@dataclass(frozen=True, eq=False)
class _Table:
    """Images ready for training: pixels, lungs as the segmenter finds them, lungs as annotated."""

    images: tuple[Image, ...]
    pixels: np.ndarray
    found: np.ndarray
    annotated: dict[str, np.ndarray]

    @property
    def labels(self) -> np.ndarray:
        return np.array([image.label for image in self.images], np.float32)


def _table(root: Path, images: tuple[Image, ...], segmenter: LungSegmenter) -> _Table:
    pixels = load_images(images)
    found = np.concatenate([segmenter.masks(pixels[i : i + BATCH]) for i in range(0, len(pixels), BATCH)])
    kept = np.flatnonzero([segmenter.plausible(image, mask) for image, mask in zip(pixels, found, strict=True)])
    if not len(kept):
        raise TrainingError("The segmenter finds lungs on none of the images. Check that they are chest radiographs.")
    images = tuple(images[i] for i in kept)
    return _Table(images, pixels[kept], found[kept], load_masks(root, images))


def _crops(table: _Table, margin: float, size: int) -> np.ndarray:
    return np.stack(
        [
            crop(image, crop_box(LungFields(mask).box, margin), size)
            for image, mask in zip(table.pixels, table.found, strict=True)
        ]
    )


class Sampler:
    """Makes one augmented training sample.

    Parameters
    ----------
    table : images with their lung masks
    mean, std : float
        Of the training crops, in 0..1.
    options : dict
        The recipe's options: ``margin``, ``degrees``, ``jitter``, ``surroundings`` (share of samples whose
        surroundings are replaced), ``covered`` (share whose lungs are) and ``histogram`` (share that take
        on the greys of another image). ``shuffle_labels`` deals the labels out anew, for weights that can have
        learnt nothing of the disease.
    """

    def __init__(self, table: _Table, mean: float, std: float, options: dict):
        self.table, self.mean, self.std, self.options = table, mean, std, options
        self.labels = table.labels
        if options.get("shuffle_labels", False):
            self.labels = np.random.default_rng(SHUFFLE_SEED).permutation(self.labels)
        share = self.labels.mean()
        self.weights = np.where(self.labels > 0, 0.5 / share, 0.5 / (1 - share))

    def _part(self, index: int, size: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        table, options = self.table, self.options
        mask = table.annotated.get(table.images[index].name)
        if mask is None or rng.random() < 0.5:
            mask = table.found[index]
        image, mask = rotate_and_flip(table.pixels[index], mask, rng, options["degrees"])
        box = crop_box(LungFields(mask).box if mask.any() else (0, 0, IMAGE_SIDE, IMAGE_SIDE), options["margin"])
        box = jitter_crop(box, rng, options["jitter"], IMAGE_SIDE)
        return crop(image, box, size).astype(np.float32), crop(mask.astype(np.uint8), box, size)

    def _other(self, size: int, rng: np.random.Generator) -> np.ndarray:
        return self._part(int(rng.integers(len(self.table.images))), size, rng)[0]

    def __call__(self, index: int, size: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, float]:
        """One sample.

        Returns
        -------
        x : ndarray of float32, shape (size, size, 1)
        y : ndarray of float32, shape (1,)
            The label, or one half where the lungs are covered.
        weight : float
            Gives both classes the same total weight.
        """
        part, mask = self._part(index, size, rng)
        if rng.random() < self.options["histogram"]:
            part = match_histogram(part, self._other(size, rng), rng.uniform(0.3, 1.0))
        label, chance = self.labels[index], rng.random()
        if chance < self.options["covered"]:
            part = replace_background(part, 1 - soft_mask(mask, rng, (2, 9)), rng, None)
            label = 0.5
        elif chance < self.options["covered"] + self.options["surroundings"]:
            part = replace_background(part, soft_mask(mask, rng), rng, self._other(size, rng))
        x = normalise(perturb_intensity(part, rng), self.mean, self.std)
        return x, np.array([label], np.float32), float(self.weights[index])


def training_feed(root: Path, recipe: Recipe, images: tuple[Image, ...], segmenter: LungSegmenter) -> Feed:
    """Prepare images for training: what a recipe feeds the network with.

    Returns
    -------
    Feed
        Its ``sample`` is a ``Sampler``, which holds the images' statistics.

    Raises
    ------
    DataError, TrainingError
    """
    table = _table(root, images, segmenter)
    crops = _crops(table, recipe.options["margin"], recipe.stages[-1][0]) / 255.0
    sampler = Sampler(table, float(crops.mean()), float(crops.std()), recipe.options)
    return Feed(sampler, len(table.images), recipe.batch, recipe.seed, recipe.mixup)


def _logits(network: keras.Model, inputs: np.ndarray) -> np.ndarray:
    parts = [network.predict_on_batch(inputs[i : i + BATCH]) for i in range(0, len(inputs), BATCH)]
    return np.concatenate(parts)[:, 0].astype(np.float64)


def train_reader(
    root: Path, recipe: Recipe, folder: Path, *, init: str = "none", resume: bool = False, limit: int | None = None
) -> dict:
    """Train a reader; write ``MODEL.keras`` and ``training.json`` into ``folder``.

    Parameters
    ----------
    root : Path
        Holds ``chest_xray`` and, where there are any, ``lung_masks``.
    init : str
        ``none``, ``imagenet``, or the path of a ``.keras`` file of the same network.
    limit : int or None
        Use only so many training images, for a rehearsal.

    Returns
    -------
    dict
        What ``training.json`` holds: recipe, the trainings before it, split, statistics, history, held-out logits.

    Raises
    ------
    DataError, ModelError, TrainingError
    """
    segmenter = LungSegmenter.load()
    split = training_split(root, recipe.seed)
    before = _before(init, split)
    chosen = split.train[:: max(1, len(split.train) // limit)][:limit] if limit else split.train
    feed, held = training_feed(root, recipe, chosen, segmenter), _table(root, split.held_out, segmenter)
    final_size, margin = recipe.stages[-1][0], recipe.options["margin"]
    mean, std = feed.sample.mean, feed.sample.std
    labels = held.labels
    ready = {size: normalise(_crops(held, margin, size), mean, std) for size, _ in recipe.stages}

    def score(network: keras.Model, size: int) -> dict:
        logits = _logits(network, ready[size])
        return {"held_out_auc": float(roc_auc_score(labels, logits)), "held_out_loss": _balanced_loss(labels, logits)}

    model = _start(recipe, init)
    loss = keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=recipe.smoothing)
    history = fit(model, loss, feed, recipe, folder, score, resume)
    final = build(recipe.model, final_size)
    final.set_weights(model.get_weights())
    final.save(folder / f"{recipe.model}.keras")
    report = {
        "recipe": recipe.describe(),
        "init": init if init in ("none", "imagenet") else Path(init).name,
        "before": before,
        "split": split.describe() | {"used_images": feed.count},
        "mean": mean,
        "std": std,
        "history": history,
        "held_out": [
            {"file": image.name, "label": image.label, "logit": float(logit)}
            for image, logit in zip(held.images, _logits(final, ready[final_size]), strict=True)
        ],
    }
    (folder / "training.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return report


def _before(init: str, split: Split) -> list[dict]:
    """The trainings that led to the weights to start from, the first one first, as their reports tell."""
    if init in ("none", "imagenet"):
        return []
    try:
        weights = Path(init).read_bytes()
    except OSError as error:
        raise TrainingError(f"{init} cannot be read ({error.strerror}). Give a .keras file of this network.") from error
    digest = {"weights_sha256": hashlib.sha256(weights).hexdigest()}
    try:
        report = json.loads(Path(init).with_name("training.json").read_text(encoding="utf-8"))
        held_out = report["split"]["held_out_patients"]
        told = [*report.get("before", []), {name: report[name] for name in ("recipe", "init", "history")} | digest]
    except (OSError, ValueError, KeyError):
        return [digest]
    if held_out != split.describe()["held_out_patients"]:
        raise TrainingError(
            f"{init} learnt from images that this training holds out, so nothing could be chosen on them. "
            "Use the seed of that training."
        )
    return told


def _start(recipe: Recipe, init: str) -> keras.Model:
    keras.utils.set_random_seed(recipe.seed)
    keras.config.set_dtype_policy(recipe.precision)
    try:
        model = build(recipe.model, dropout=recipe.dropout, init="imagenet" if init == "imagenet" else "none")
    finally:
        keras.config.set_dtype_policy("float32")
    if init not in ("none", "imagenet"):
        try:
            model.set_weights(keras.models.load_model(init, compile=False).get_weights())
        except (OSError, ValueError) as error:
            raise TrainingError(f"{init} does not hold weights of {recipe.model}. Give a .keras file of it.") from error
    return model


def _balanced_loss(labels: np.ndarray, logits: np.ndarray) -> float:
    """Cross-entropy with both classes weighing the same."""
    losses = np.logaddexp(0, np.where(labels > 0, -logits, logits))
    return float(np.mean([losses[labels == value].mean() for value in (0, 1)]))
