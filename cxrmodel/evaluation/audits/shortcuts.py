"""How far one gets without a network: labels guessed from file sizes, grey levels or the outline of the lungs.

Each baseline is gradient boosting, fitted on the training images and tested on the official test images. A model that is
no better than these may have learnt no more than these.
"""

import csv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_curve

from cxrmodel.errors import DataError
from cxrmodel.evaluation import intervals
from cxrmodel.training.archive import Image, load_images, load_masks

__all__ = ["baseline", "original_sizes", "shortcut_baselines"]

GREYS = 64
OUTLINE_SIDE = 28
CHUNK = 256
SIZES = "chest_xray.csv"

Sizes = Mapping[str, tuple[int, int]]


def original_sizes(root: Path) -> dict[str, tuple[int, int]]:
    """Width and height of the original of each image, from ``chest_xray.csv``.

    Returns
    -------
    dict of str to (int, int)
        By image name, where both are stated; empty where there is no such table.

    Raises
    ------
    DataError
        When the table lacks a column or holds something else than numbers.
    """
    path = root / SIZES
    if not path.is_file():
        return {}
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = [(row["file"], row["original_width"], row["original_height"]) for row in csv.DictReader(file)]
        return {name: (int(width), int(height)) for name, width, height in rows if width and height}
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"{path} must hold file, original_width and original_height of each image. Correct it, or remove it to "
            "evaluate without the sizes of the originals."
        ) from error


def baseline(train: np.ndarray, train_labels: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Fit gradient boosting and score other images with it.

    Parameters
    ----------
    train, test : ndarray of float, shapes (N, K) and (M, K)
    train_labels : ndarray of {0, 1}, shape (N,)

    Returns
    -------
    ndarray of float64, shape (M,)
        Log-odds of pneumonia.
    """
    return HistGradientBoostingClassifier(random_state=0).fit(train, train_labels).decision_function(test)


def shortcut_baselines(
    root: Path, train: Sequence[Image], test: Sequence[Image], step: Callable[[int], object] = lambda images: None
) -> tuple[list[dict], list[dict]]:
    """Measure every shortcut that the files at hand allow.

    Parameters
    ----------
    train, test : sequence of Image
        To fit on, and to test on.
    step : callable (images)
        Told of the images that have been read.

    Returns
    -------
    rows : list of dict
        ``name``, ``description``, ``images`` (of the test), ``auc``, and ``curve``: false positive rate, recall and
        precision, a row for each corner of the ROC curve.
    left_out : list of dict
        ``name`` and ``reason`` of each shortcut that could not be measured.
    """
    rows, left_out = [], []
    sizes = original_sizes(root)
    sides = [_of_sizes(images, sizes) for images in (train, test)]
    if all(len(found) for _, found in sides):
        shapes = [np.array(values, np.float64) for values, _ in sides]
        kept = [images for _, images in sides]
        rows.append(_row("File size", "width and height of the original file", shapes, *kept))
        aspects = [shape[:, :1] / shape[:, 1:] for shape in shapes]
        rows.append(_row("Aspect", "width over height of the original file", aspects, *kept))
    else:
        reason = f"the sizes of the originals are not known: {SIZES} is not there or names none of these images"
        left_out += [{"name": name, "reason": reason} for name in ("File size", "Aspect")]
    greys = [_greys(images, step) for images in (train, test)]
    rows.append(_row("Grey levels", f"histogram of the image's grey levels, {GREYS} bins", greys, train, test))
    outlines = [load_masks(root, images, OUTLINE_SIDE) for images in (train, test)]
    if all(outlines):
        kept = [
            [image for image in images if image.name in outlines[place]] for place, images in enumerate((train, test))
        ]
        shapes = [
            np.stack([outlines[place][image.name].ravel() for image in images]) for place, images in enumerate(kept)
        ]
        text = f"annotated lung fields as a silhouette of {OUTLINE_SIDE} by {OUTLINE_SIDE} pixels"
        rows.append(_row("Lung outline", text, shapes, *kept))
    else:
        left_out.append({"name": "Lung outline", "reason": "there are no annotated lung masks"})
    return rows, left_out


def _of_sizes(images: Sequence[Image], sizes: Sizes) -> tuple[list[tuple[int, int]], list[Image]]:
    known = [image for image in images if image.name in sizes]
    return [sizes[image.name] for image in known], known


def _greys(images: Sequence[Image], step: Callable[[int], object]) -> np.ndarray:
    found = []
    for start in range(0, len(images), CHUNK):
        pixels = load_images(images[start : start + CHUNK])
        levels = pixels.reshape(len(pixels), -1) // (256 // GREYS)
        found += [np.bincount(row, minlength=GREYS) / row.size for row in levels]
        step(len(pixels))
    return np.array(found)


def _row(
    name: str, description: str, features: Sequence[np.ndarray], train: Sequence[Image], test: Sequence[Image]
) -> dict:
    labels = [np.array([image.label for image in images]) for images in (train, test)]
    scores = baseline(features[0], labels[0], features[1])
    auc = intervals.auc(labels[1], scores, [image.patient for image in test])
    return {
        "name": name,
        "description": description,
        "images": len(test),
        "auc": auc,
        "curve": _curve(labels[1], scores),
    }


def _curve(labels: np.ndarray, scores: np.ndarray) -> list[list[float]]:
    false, true, _ = roc_curve(labels, scores)
    alarms, found = false * (labels == 0).sum(), true * labels.sum()
    called = alarms + found
    precision = np.divide(found, called, out=np.ones_like(found), where=called > 0)  # none called: 1 by convention
    return np.round(np.column_stack([false, true, precision]), 5).tolist()
