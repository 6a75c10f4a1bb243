"""Shortcut baselines: classifiers that see file sizes, grey levels or the lung outline alone.

Each is gradient boosting, fitted on the training images and tested on the official test images. A model that is no
better than these may have learnt nothing else.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_curve

from cxrmodel.errors import DataError
from cxrmodel.evaluation.audits.schema import NotMeasured, Shortcut
from cxrmodel.metrics.discrimination import auc
from cxrmodel.records import read_rows
from cxrmodel.training.archive import Image, load_images, load_masks

GREYS = 64
OUTLINE_SIDE = 28
CHUNK = 256
SIZES = "chest_xray.csv"


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
        rows = [(row["file"], row["original_width"], row["original_height"]) for row in read_rows(path)]
        return {name: (int(width), int(height)) for name, width, height in rows if width and height}
    except (KeyError, TypeError, ValueError) as error:
        raise DataError("evaluation.error.sizes_table", file=str(path)) from error


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
    return np.asarray(HistGradientBoostingClassifier(random_state=0).fit(train, train_labels).decision_function(test))


def shortcut_baselines(
    root: Path, train: Sequence[Image], test: Sequence[Image], step: Callable[[int], object] = lambda images: None
) -> tuple[list[Shortcut], list[NotMeasured]]:
    """Measure every shortcut that the files at hand allow.

    Parameters
    ----------
    train, test : sequence of Image
        To fit on, and to test on.
    step : callable (images)
        Gets the number of images read since the last call.
    """
    rows, missing = [], []
    shapes, known = _features(original_sizes(root), train, test)
    if all(known):
        rows.append(_measured("file_size", shapes, *known))
        rows.append(_measured("aspect", [shape[:, :1] / shape[:, 1:] for shape in shapes], *known))
    else:
        missing += [NotMeasured(name=name, reason="audits.reason.no_sizes") for name in ("file_size", "aspect")]
    rows.append(_measured("grey_levels", [_greys(images, step) for images in (train, test)], train, test))
    outlines, known = _features(load_masks(root, [*train, *test], OUTLINE_SIDE), train, test)
    if all(known):
        rows.append(_measured("lung_outline", outlines, *known))
    else:
        missing.append(NotMeasured(name="lung_outline", reason="audits.reason.no_masks"))
    return rows, missing


def _features(table: Mapping[str, ArrayLike], *sets: Sequence[Image]) -> tuple[list[np.ndarray], list[list[Image]]]:
    """Features of each set as arrays of shape (N, K), and the images that the table has."""
    known = [[image for image in images if image.name in table] for images in sets]
    return [np.array([np.ravel(table[image.name]) for image in images], np.float64) for images in known], known


def _greys(images: Sequence[Image], step: Callable[[int], object]) -> np.ndarray:
    found = []
    for start in range(0, len(images), CHUNK):
        pixels = load_images(images[start : start + CHUNK])
        levels = pixels.reshape(len(pixels), -1) // (256 // GREYS)
        found += [np.bincount(row, minlength=GREYS) / row.size for row in levels]
        step(len(pixels))
    return np.array(found)


def _measured(name: str, features: Sequence[np.ndarray], train: Sequence[Image], test: Sequence[Image]) -> Shortcut:
    labels = [np.array([image.label for image in images]) for images in (train, test)]
    scores = baseline(features[0], labels[0], features[1])
    found = auc(labels[1], scores, [image.patient for image in test])
    return Shortcut(name=name, auc=found, curve=_curve(labels[1], scores))


def _curve(labels: np.ndarray, scores: np.ndarray) -> tuple[tuple[float, float, float], ...]:
    """False positive rate, recall and precision at each corner of the ROC curve."""
    false, true, _ = roc_curve(labels, scores)
    false_positives, true_positives = false * (labels == 0).sum(), true * labels.sum()
    positives = false_positives + true_positives
    # Without a positive finding the precision is 1 by convention.
    precision = np.divide(true_positives, positives, out=np.ones_like(positives), where=positives > 0)
    return tuple(map(tuple, np.round(np.column_stack([false, true, precision]), 5).tolist()))
