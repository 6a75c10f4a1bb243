"""Training of a classifier: any network of ``cxrmodel.models``, on images cropped to their lungs.

Backgrounds are replaced at random, and images with masked lungs have the target one half. The network then cannot
learn the label from collimation, markers or arms.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from cxrmodel import outputs
from cxrmodel.errors import TrainingError
from cxrmodel.imaging.canonical import IMAGE_SIDE
from cxrmodel.imaging.lungs import LungFields, LungSegmenter
from cxrmodel.model.network import build, with_evidence
from cxrmodel.model.preprocess import crop, crop_box, normalise
from cxrmodel.models import MODELS
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
from cxrmodel.training.loop import dtype_policy, fit
from cxrmodel.training.out_of_fold import FILE as OUT_OF_FOLD
from cxrmodel.training.out_of_fold import score_left_out
from cxrmodel.training.recipe import ClassifierOptions, Recipe
from cxrmodel.training.record import (
    ClassifierEpoch,
    Fold,
    HeldOutScore,
    TrainingRecord,
    TrainingRun,
    load_training_record,
)

BATCH = 64
SHUFFLE_SEED = 0
POSITIVE = 0.5
"""Targets above it are positive."""
_NO_FILE = ("none", "imagenet")
"""Initial weights that are not read from a file."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class TrainingImages:
    """Images with lungs, ready for training.

    Attributes
    ----------
    images : tuple of Image, length N
    pixels : ndarray of uint8, shape (N, 224, 224)
    segmented : ndarray of bool, shape (N, 224, 224)
        Lung masks of the segmenter.
    annotated : dict of str to ndarray of bool, shape (224, 224)
        Annotated lung masks of the archive, by image name.
    """

    images: tuple[Image, ...]
    pixels: NDArray[np.uint8]
    segmented: NDArray[np.bool_]
    annotated: dict[str, NDArray[np.bool_]]

    @cached_property
    def labels(self) -> Floats:
        """Labels, 0 or 1, shape (N,)."""
        return np.array([image.label for image in self.images], np.float32)

    def crops(self, margin: float, size: int) -> NDArray[np.uint8]:
        """Crops to the segmented lungs, shape (N, size, size)."""
        boxes = [crop_box(LungFields(mask).box, margin) for mask in self.segmented]
        return np.stack([crop(image, box, size) for image, box in zip(self.pixels, boxes, strict=True)])


def load_training_images(root: Path, images: Sequence[Image], segmenter: LungSegmenter) -> TrainingImages:
    """Read images, segment their lungs, and leave out those without plausible lungs.

    Raises
    ------
    DataError, TrainingError
        When an image cannot be read, or none is left.
    """
    pixels = load_images(images)
    masks = np.concatenate([segmenter.masks(pixels[i : i + BATCH]) for i in range(0, len(pixels), BATCH)])
    plausible = np.flatnonzero([segmenter.plausible(image, mask) for image, mask in zip(pixels, masks, strict=True)])
    if not len(plausible):
        raise TrainingError("training.no_lungs")
    found = tuple(images[int(i)] for i in plausible)
    return TrainingImages(found, pixels[plausible], masks[plausible], load_masks(root, found))


class Sampler:
    """Makes one augmented training sample.

    Parameters
    ----------
    data : TrainingImages
    mean, std : float
        Of the training crops, in 0..1.
    options : ClassifierOptions
    stride : int
        Pixels of the crop, in either direction, that a place of the network's map covers.
    """

    def __init__(self, data: TrainingImages, mean: float, std: float, options: ClassifierOptions, stride: int) -> None:
        self.data, self.mean, self.std, self.options, self.stride = data, mean, std, options, stride
        self.labels = data.labels
        if options.shuffle_labels:
            self.labels = np.random.default_rng(SHUFFLE_SEED).permutation(self.labels)
        share = self.labels.mean()
        self.weights = np.where(self.labels > 0, 0.5 / share, 0.5 / (1 - share))

    def _crop(self, index: int, size: int, rng: np.random.Generator) -> tuple[Floats, NDArray[np.uint8]]:
        data, options = self.data, self.options
        mask = data.annotated.get(data.images[index].name)
        if mask is None or rng.random() < 0.5:
            mask = data.segmented[index]
        image, mask = rotate_and_flip(data.pixels[index], mask, rng, options.degrees)
        box = crop_box(LungFields(mask).box if mask.any() else (0, 0, IMAGE_SIDE, IMAGE_SIDE), options.margin)
        box = jitter_crop(box, rng, options.jitter, IMAGE_SIDE)
        return crop(image, box, size).astype(np.float32), crop(mask.astype(np.uint8), box, size)

    def _other(self, size: int, rng: np.random.Generator) -> Floats:
        return self._crop(int(rng.integers(len(self.data.images))), size, rng)[0]

    def __call__(self, index: int, size: int, rng: np.random.Generator) -> tuple[Floats, Floats, float]:
        """Make one sample.

        Returns
        -------
        x : ndarray of float32, shape (size, size, 1)
        y : ndarray of float32, shape (1,), or (1 + places,) where evidence outside the lungs is penalised
            The label, or one half where the lungs are masked; then the share of each place that lies outside the lungs,
            zero for an image that is not positive.
        weight : float
            Gives both classes the same total weight.
        """
        options, label = self.options, self.labels[index]
        image, mask = self._crop(index, size, rng)
        if rng.random() < options.histogram:
            image = match_histogram(image, self._other(size, rng), rng.uniform(0.3, 1.0))
        chance = rng.random()
        if chance < options.covered:
            image = replace_background(image, 1 - soft_mask(mask, rng, (2, 9)), rng, None)
            label = 0.5
        elif chance < options.covered + options.surroundings:
            image = replace_background(image, soft_mask(mask, rng), rng, self._other(size, rng))
        x = normalise(perturb_intensity(image, rng), self.mean, self.std)
        y = np.array([label], np.float32)
        if options.outside:
            places = (size // self.stride, size // self.stride)
            outside = 1 - cv2.resize(mask.astype(np.float32), places, interpolation=cv2.INTER_AREA)
            y = np.concatenate([y, outside.ravel() * (label > POSITIVE)])
        return x, y, float(self.weights[index])


def training_feed(
    root: Path, recipe: Recipe, images: Sequence[Image], segmenter: LungSegmenter
) -> tuple[Feed, Sampler]:
    """Prepare images for training.

    Returns
    -------
    Feed, Sampler
        The batches, and the source of their samples with the images' mean and standard deviation.

    Raises
    ------
    DataError, TrainingError
    """
    options = recipe.read_options(ClassifierOptions)
    data = load_training_images(root, images, segmenter)
    crops = data.crops(options.margin, recipe.final_size) / 255.0
    sampler = Sampler(data, float(crops.mean()), float(crops.std()), options, MODELS[recipe.model].stride)
    return Feed(sampler, len(data.images), recipe.batch, recipe.seed, recipe.mixup), sampler


def loss_of(smoothing: float, outside: float) -> Callable[[Any, Any], Any]:
    """Give the cross-entropy, with a penalty on evidence that lies outside the lungs.

    The penalty is the share of the evidence above zero that lies outside the lungs (after Ross et al., Right for the
    right reasons, IJCAI 2017). One is added to what it is a share of, so that faint evidence costs little.

    Parameters
    ----------
    smoothing : float
        Label smoothing, 0..1.
    outside : float
        Weight of the penalty; 0 leaves it out.

    Returns
    -------
    callable (targets, outputs) -> losses
        Targets as of ``Sampler``, outputs as of the network or of ``with_evidence``; losses of shape (N,).
    """
    entropy = keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=smoothing, reduction="none")

    def loss(targets: Any, outputs: Any) -> Any:
        found = entropy(targets[:, :1], outputs[:, :1])
        if not outside:
            return found
        evidence = keras.ops.relu(outputs[:, 1:])
        share = keras.ops.sum(evidence * targets[:, 1:], axis=-1) / (keras.ops.sum(evidence, axis=-1) + 1.0)
        return found + outside * share

    return loss


def train_reader(
    root: Path,
    recipe: Recipe,
    folder: Path,
    *,
    init: str = "none",
    resume: bool = False,
    limit: int | None = None,
    fold: Fold | None = None,
) -> TrainingRecord:
    """Train a classifier; write ``MODEL.keras`` and ``training.json`` into ``folder``.

    Parameters
    ----------
    root : Path
        Holds ``chest_xray`` and, optionally, ``lung_masks``.
    init : str
        ``none``, ``imagenet``, or the path of a ``.keras`` file of the same network.
    limit : int or None
        Use only this many training images, for a rehearsal.
    fold : Fold or None
        Training patients to leave out; their scores are written into ``out_of_fold.json``.

    Returns
    -------
    TrainingRecord
        As in ``training.json``.

    Raises
    ------
    DataError, ModelError, TrainingError
    """
    segmenter = LungSegmenter.load()
    split = training_split(root, recipe.seed, fold)
    before = _runs_before(init, split, recipe.model)
    chosen = split.train[:: max(1, len(split.train) // limit)][:limit] if limit else split.train
    feed, sampler = training_feed(root, recipe, chosen, segmenter)
    held_out = load_training_images(root, split.held_out, segmenter)
    margin, mean, std = sampler.options.margin, sampler.mean, sampler.std
    inputs = {size: normalise(held_out.crops(margin, size), mean, std) for size, _ in recipe.stages}

    def score(network: keras.Model, size: int) -> dict[str, float]:
        labels, logits = held_out.labels, _logits(network, inputs[size])
        return {"held_out_auc": float(roc_auc_score(labels, logits)), "held_out_loss": _balanced_loss(labels, logits)}

    model = initial_network(recipe, init)
    if sampler.options.outside:
        model = with_evidence(model)
    loss = loss_of(recipe.smoothing, sampler.options.outside)
    history = fit(model, loss, feed, recipe, folder, score, resume=resume)
    final = build(recipe.model, recipe.final_size)
    final.set_weights(model.get_weights())
    with outputs.draft(folder / f"{recipe.model}.keras", overwrite=True) as part:
        final.save(part)
    logits = _logits(final, inputs[recipe.final_size])
    record = TrainingRecord(
        recipe=recipe,
        init=init if init in _NO_FILE else Path(init).name,
        before=before,
        split=split.describe(used_images=feed.count),
        mean=mean,
        std=std,
        history=tuple(ClassifierEpoch(**epoch.model_dump()) for epoch in history),
        held_out=tuple(
            HeldOutScore(file=image.name, label=image.label, logit=float(logit))
            for image, logit in zip(held_out.images, logits, strict=True)
        ),
    )
    if fold:
        scores = score_left_out(final, split.left_out, segmenter, record)
        outputs.write(folder / OUT_OF_FOLD, scores.to_json(), overwrite=True)
    outputs.write(folder / "training.json", record.to_json(), overwrite=True)
    return record


def _logits(network: keras.Model, inputs: Floats) -> NDArray[np.float64]:
    parts = [network.predict_on_batch(inputs[i : i + BATCH]) for i in range(0, len(inputs), BATCH)]
    return np.concatenate(parts)[:, 0].astype(np.float64)


def _balanced_loss(labels: Floats, logits: NDArray[np.float64]) -> float:
    """Cross-entropy with equal weight for both classes."""
    losses = np.logaddexp(0, np.where(labels > 0, -logits, logits))
    return float(np.mean([losses[labels == value].mean() for value in (0, 1)]))


def _runs_before(init: str, split: Split, model: str) -> tuple[TrainingRun, ...]:
    """The runs that led to the initial weights, the first one first, from their training record."""
    if init in _NO_FILE:
        return ()
    try:
        digest = hashlib.sha256(Path(init).read_bytes()).hexdigest()
    except OSError as error:
        raise TrainingError(
            "training.unreadable_weights", path=init, reason=str(error.strerror), model=model
        ) from error
    path = Path(init).with_name("training.json")
    if not path.is_file():
        return (TrainingRun(weights_sha256=digest),)
    record = load_training_record(path)
    if record.split.held_out_patients != split.held_out_patients or split.fold not in (None, record.split.fold):
        raise TrainingError("training.saw_held_out", path=init)
    return *record.before, record.runs[-1].replace(weights_sha256=digest)


def initial_network(recipe: Recipe, init: str = "none") -> keras.Model:
    """The network with its initial weights, in the recipe's precision."""
    keras.utils.set_random_seed(recipe.seed)
    with dtype_policy(recipe.precision):
        model = build(recipe.model, dropout=recipe.dropout, init="imagenet" if init == "imagenet" else "none")
    if init not in _NO_FILE:
        try:
            model.set_weights(keras.models.load_model(init, compile=False).get_weights())
        except Exception as error:  # a damaged file makes the library raise anything
            raise TrainingError("training.other_weights", path=init, model=recipe.model) from error
    return model
