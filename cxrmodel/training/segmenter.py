"""Training of the lung segmenter on the lung masks, split by patient like everything else."""

import json
from pathlib import Path

import cv2
import keras
import numpy as np

from cxrmodel.errors import DataError
from cxrmodel.imaging.canonical import IMAGE_SIDE
from cxrmodel.imaging.lungs import BOUNDS, as_input, fields_from_scores, plausibility
from cxrmodel.model.network import build_segmenter
from cxrmodel.training.archive import find_images, load_images, load_masks, training_split
from cxrmodel.training.augment import jitter_crop, perturb_intensity, rotate_and_flip
from cxrmodel.training.feed import Feed
from cxrmodel.training.loop import Recipe, fit

__all__ = ["dice", "train_lungs"]


def dice(first: np.ndarray, second: np.ndarray) -> float:
    """Dice coefficient of two masks: twice the overlap over the sum of the areas; 1 when both are empty."""
    total = first.sum() + second.sum()
    return float(2 * np.logical_and(first, second).sum() / total) if total else 1.0


def train_lungs(root: Path, recipe: Recipe, folder: Path, resume: bool = False) -> dict:
    """Train the segmenter; write ``lungs.keras`` and ``report.json`` into ``folder``.

    Returns
    -------
    dict
        Mean, median and 5th percentile of Dice on held-out patients and on the official test.

    Raises
    ------
    DataError
        When there are no masks to learn from.
    """
    split = training_split(root, recipe.seed)
    masks = load_masks(root, split.train + split.held_out)
    train = [image for image in split.train if image.name in masks]
    held = [image for image in split.held_out if image.name in masks]
    if not train or not held:
        raise DataError(f"There are no lung masks in {root / 'lung_masks'}, and the segmenter cannot learn without.")
    images, held_images = load_images(train), load_images(held)
    keras.utils.set_random_seed(recipe.seed)
    keras.config.set_dtype_policy(recipe.precision)
    model = build_segmenter()
    keras.config.set_dtype_policy("float32")
    options = recipe.options

    def sample(index: int, size: int, rng: np.random.Generator):
        image, mask = rotate_and_flip(images[index], masks[train[index].name], rng, options["degrees"])
        box = jitter_crop((0, 0, IMAGE_SIDE, IMAGE_SIDE), rng, options["jitter"], IMAGE_SIDE)
        top, left, bottom, right = box
        image, mask = image[top:bottom, left:right], mask[top:bottom, left:right].astype(np.float32)
        image = perturb_intensity(cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA).astype(np.float32), rng)
        mask = cv2.resize(mask, (size // 2, size // 2), interpolation=cv2.INTER_AREA)
        return image[..., None] / 255.0, mask[..., None], 1.0

    def score(network: keras.Model, size: int) -> dict:
        found = segment(network, held_images, size)
        return {"dice": float(np.mean([dice(found[i], masks[image.name]) for i, image in enumerate(held)]))}

    history = fit(
        model, overlap_loss, Feed(sample, len(train), recipe.batch, recipe.seed), recipe, folder, score, resume
    )
    final = build_segmenter(recipe.stages[-1][0])
    final.set_weights(model.get_weights())
    final.save(folder / "lungs.keras")
    report = {
        "recipe": recipe.describe(),
        "held_out": summarise(final, recipe, held, held_images, masks),
        "history": history,
    }
    test = find_images(root, ("test",))
    test_masks = load_masks(root, test)
    test = [image for image in test if image.name in test_masks]
    report["test"] = summarise(final, recipe, test, load_images(test), test_masks)
    (folder / "report.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return {part: report[part] for part in ("held_out", "test")}


def segment(network: keras.Model, images: np.ndarray, size: int, batch: int = 64) -> np.ndarray:
    """Lung masks of canonical images.

    Returns
    -------
    ndarray of bool, shape (N, 224, 224)
    """
    inputs = as_input(images, size)
    scores = [
        keras.ops.convert_to_numpy(network(inputs[i : i + batch], training=False)) for i in range(0, len(inputs), batch)
    ]
    return np.stack([fields_from_scores(score[..., 0]) for score in np.concatenate(scores)])


def summarise(network, recipe: Recipe, images, pixels, masks) -> dict:
    """Dice over images against the given masks, and the least plausible lungs among them."""
    found = segment(network, pixels, recipe.stages[-1][0])
    values = [dice(found[i], masks[image.name]) for i, image in enumerate(images)]
    measured = [plausibility(image, mask) for image, mask in zip(pixels, found, strict=True)]
    return {
        "images": len(values),
        "dice_mean": float(np.mean(values)),
        "dice_median": float(np.median(values)),
        "dice_5th_percentile": float(np.percentile(values, 5)),
        "least": {bound: min(values[bound] for values in measured) for bound in BOUNDS},
    }


class OverlapLoss(keras.losses.Loss):
    """Cross-entropy plus soft Dice, of logits."""

    def call(self, y_true, y_pred):
        """Loss of each image, shape (N,)."""
        ops = keras.ops
        entropy = ops.mean(ops.binary_crossentropy(y_true, y_pred, from_logits=True), axis=(1, 2, 3))
        lung = ops.sigmoid(y_pred)
        overlap = ops.sum(lung * y_true, axis=(1, 2, 3))
        total = ops.sum(lung, axis=(1, 2, 3)) + ops.sum(y_true, axis=(1, 2, 3))
        return entropy + 1 - (2 * overlap + 1) / (total + 1)


overlap_loss = OverlapLoss()
