"""Training of the lung segmenter on annotated lung masks, split by patient."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np
from numpy.typing import NDArray

from cxrmodel import outputs
from cxrmodel.errors import DataError
from cxrmodel.imaging.canonical import IMAGE_SIDE
from cxrmodel.imaging.lung_spec import LungBounds, LungScores
from cxrmodel.imaging.lungs import as_input, fields_from_scores, plausibility
from cxrmodel.model.network import build_segmenter
from cxrmodel.records import Record
from cxrmodel.training.archive import Image, find_images, load_images, load_masks, training_split
from cxrmodel.training.augment import jitter_crop, perturb_intensity, rotate_and_flip
from cxrmodel.training.feed import Feed
from cxrmodel.training.loop import dtype_policy, fit
from cxrmodel.training.recipe import Recipe, SegmenterOptions
from cxrmodel.training.record import Epoch

Masks = NDArray[np.bool_]
Pixels = NDArray[np.uint8]


class SegmenterRecord(Record):
    """How a segmenter was trained, and its scores on held-out patients and on the official test images."""

    recipe: Recipe
    held_out: LungScores
    history: tuple[Epoch, ...]
    test: LungScores


def dice(first: Masks, second: Masks) -> float:
    """Dice coefficient of two masks: twice the overlap over the sum of the areas; 1 when both are empty."""
    total = first.sum() + second.sum()
    return float(2 * np.logical_and(first, second).sum() / total) if total else 1.0


def train_lungs(root: Path, recipe: Recipe, folder: Path, resume: bool = False) -> SegmenterRecord:
    """Train the segmenter; write ``lungs.keras`` and ``report.json`` into ``folder``.

    Returns
    -------
    SegmenterRecord
        As in ``report.json``.

    Raises
    ------
    DataError, TrainingError
        When there are no masks, an image cannot be read, or the training cannot start.
    """
    options = recipe.read_options(SegmenterOptions)
    split = training_split(root, recipe.seed)
    masks = load_masks(root, split.train + split.held_out)
    train, held_out = _annotated(split.train, masks), _annotated(split.held_out, masks)
    if not train or not held_out:
        raise DataError("training.no_masks", folder=str(root / "lung_masks"))
    images, held_out_images = load_images(train), load_images(held_out)
    keras.utils.set_random_seed(recipe.seed)
    with dtype_policy(recipe.precision):
        model = build_segmenter()

    def sample(index: int, size: int, rng: np.random.Generator) -> tuple[NDArray[Any], NDArray[Any], float]:
        image, mask = rotate_and_flip(images[index], masks[train[index].name], rng, options.degrees)
        top, left, bottom, right = jitter_crop((0, 0, IMAGE_SIDE, IMAGE_SIDE), rng, options.jitter, IMAGE_SIDE)
        small = cv2.resize(image[top:bottom, left:right], (size, size), interpolation=cv2.INTER_AREA)
        target = cv2.resize(
            mask[top:bottom, left:right].astype(np.float32), (size // 2, size // 2), interpolation=cv2.INTER_AREA
        )
        return perturb_intensity(small.astype(np.float32), rng)[..., None] / 255.0, target[..., None], 1.0

    def score(network: keras.Model, size: int) -> dict[str, float]:
        found = segment(network, held_out_images, size)
        return {"dice": float(np.mean([dice(found[i], masks[image.name]) for i, image in enumerate(held_out)]))}

    feed = Feed(sample, len(train), recipe.batch, recipe.seed)
    history = fit(model, overlap_loss, feed, recipe, folder, score, resume=resume)
    final = build_segmenter(recipe.final_size)
    final.set_weights(model.get_weights())
    with outputs.draft(folder / "lungs.keras", overwrite=True) as part:
        final.save(part)
    test_images = find_images(root, ("test",))
    test_masks = load_masks(root, test_images)
    test = _annotated(test_images, test_masks)
    record = SegmenterRecord(
        recipe=recipe,
        held_out=_scores(final, recipe, held_out, held_out_images, masks),
        history=tuple(history),
        test=_scores(final, recipe, test, load_images(test), test_masks),
    )
    outputs.write(folder / "report.json", record.to_json(), overwrite=True)
    return record


def _annotated(images: Sequence[Image], masks: Mapping[str, Masks]) -> list[Image]:
    return [image for image in images if image.name in masks]


def segment(network: keras.Model, images: Pixels, size: int, batch: int = 64) -> Masks:
    """Lung masks of canonical images.

    Parameters
    ----------
    images : ndarray of uint8, shape (N, 224, 224)
    size : int
        Side of the network's input in pixels.

    Returns
    -------
    ndarray of bool, shape (N, 224, 224)
    """
    inputs = as_input(images, size)
    scores = [
        keras.ops.convert_to_numpy(network(inputs[i : i + batch], training=False)) for i in range(0, len(inputs), batch)
    ]
    return np.stack([fields_from_scores(score[..., 0]) for score in np.concatenate(scores)])


def _scores(
    network: keras.Model, recipe: Recipe, images: Sequence[Image], pixels: Pixels, masks: Mapping[str, Masks]
) -> LungScores:
    found = segment(network, pixels, recipe.final_size)
    values = [dice(found[i], masks[image.name]) for i, image in enumerate(images)]
    measured = [plausibility(image, mask) for image, mask in zip(pixels, found, strict=True)]
    return LungScores(
        images=len(values),
        dice_mean=float(np.mean(values)),
        dice_median=float(np.median(values)),
        dice_5th_percentile=float(np.percentile(values, 5)),
        least=LungBounds(**{name: float(min(measures[name] for measures in measured)) for name in measured[0]}),
    )


def overlap_loss(y_true: keras.KerasTensor, y_pred: keras.KerasTensor) -> keras.KerasTensor:
    """Cross-entropy plus soft Dice of logits, one value for each image, shape (N,)."""
    ops = keras.ops
    entropy = ops.mean(ops.binary_crossentropy(y_true, y_pred, from_logits=True), axis=(1, 2, 3))
    lung = ops.sigmoid(y_pred)
    overlap = ops.sum(lung * y_true, axis=(1, 2, 3))
    total = ops.sum(lung, axis=(1, 2, 3)) + ops.sum(y_true, axis=(1, 2, 3))
    return entropy + 1 - (2 * overlap + 1) / (total + 1)
