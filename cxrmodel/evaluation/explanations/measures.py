"""Measures of one method's maps, image by image, and their means."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from cxrmodel.evaluation.explanations.cases import Case
from cxrmodel.explain.explainer import Explainer
from cxrmodel.explain.faithfulness import curves, heat_in_lungs, order_of, random_order, with_noise
from cxrmodel.explain.methods import METHODS
from cxrmodel.explain.similarity import gridded, spearman
from cxrmodel.metrics.estimate import Estimate
from cxrmodel.metrics.intervals import mean

BATCH = 4
BACKWARDS = 5
"""What a pass with gradients costs, in passes of the fast engine; only image counts follow from it."""
SEED = 0

Tick = Callable[[int], object]


def affordable(method: str, images: int, passes: int) -> int:
    """How many images a method is measured on: as many as that number of passes is enough for, at least three.

    Parameters
    ----------
    method : str
    images : int
        At most so many.
    passes : int
        Of the fast engine.
    """
    known = METHODS[method]
    cost = max(1, known.passes) * (BACKWARDS if known.backwards else 1)
    return min(images, max(3, passes // cost))


def of_maps(explainer: Explainer, method: str, images: Sequence[Case], noisy: int, tick: Tick) -> dict[str, list[Any]]:
    """Draw a method's map of every image, and of the first ``noisy`` once more under noise too small to see.

    Returns
    -------
    dict of lists, one item an image
        ``grids``: the map, coarsened for comparison; ``orders``: its cells from hottest to coldest; ``in_lungs``: share
        of attribution inside the lungs, or None; ``stability``: rank correlation with the map under noise, of the first
        ones only; ``seconds``: time of one map.
    """
    found: dict[str, list[Any]] = {name: [] for name in ("grids", "orders", "in_lungs", "stability", "seconds")}
    for start in range(0, len(images), BATCH):
        part = images[start : start + BATCH]
        tensors = np.stack([case.ready.tensor for case in part])
        begun = time.perf_counter()
        maps = explainer.crop_maps(method, tensors)
        found["seconds"] += [(time.perf_counter() - begun) / len(part)] * len(part)
        for place, (case, heat) in enumerate(zip(part, maps, strict=True), start):
            found["grids"].append(gridded(heat).tolist())
            found["orders"].append(order_of(heat, place).tolist())
            found["in_lungs"].append(heat_in_lungs(case.ready.to_image(heat), case.lungs))
        again = tensors[: max(0, noisy - start)]
        if len(again):
            moved = np.stack([with_noise(tensor, explainer.spec.std, SEED) for tensor in again])
            pairs = zip(maps, explainer.crop_maps(method, moved), strict=False)
            found["stability"] += [spearman(*pair) for pair in pairs]
        tick(len(part))
    return found


def curve_areas(
    explainer: Explainer, images: Sequence[Case], orders: Sequence[Sequence[int]] | None, tick: Tick
) -> dict[str, list[float]]:
    """Deletion and insertion areas of images.

    Parameters
    ----------
    explainer : Explainer
    images : sequence of Case
    orders : sequence of sequence of int, or None
        Of each image's cells; None takes a random order, seeded by the image's place.

    Returns
    -------
    dict of lists, one item an image
        ``deletion`` and ``insertion``.
    """
    found: dict[str, list[float]] = {"deletion": [], "insertion": []}
    for place, case in enumerate(images):
        order = random_order(place) if orders is None else np.asarray(orders[place])
        both = curves(explainer.scores, case.ready.tensor, order)
        found["deletion"].append(both.deletion_auc)
        found["insertion"].append(both.insertion_auc)
        tick(1)
    return found


def heat_range(explainer: Explainer, method: str, images: Sequence[Case], tick: Tick) -> float:
    """Top of a method's colour range: the percentile of its values that ranges the map of every reading."""
    values = [heat.ravel() for _, heat in _maps(explainer, method, images, tick)]
    return float(np.percentile(np.concatenate(values), explainer.spec.heat_percentile))


def in_boxes(explainer: Explainer, method: str, images: Sequence[Case], tick: Tick) -> dict[str, list[Any]]:
    """Where attribution falls on images with boxes.

    Returns
    -------
    dict of lists, one item an image
        ``peak``: whether the hottest pixel lies in a box (the pointing game of Zhang et al., ECCV 2016), never for
        an empty map; ``share``: share of attribution in boxes, or None for an empty map.
    """
    found: dict[str, list[Any]] = {"peak": [], "share": []}
    for case, heat in _maps(explainer, method, images, tick):
        image, boxes = case.ready.to_image(heat), case.boxes
        found["peak"].append(bool(image.max() > 0 and boxes.ravel()[image.argmax()]))
        found["share"].append(heat_in_lungs(image, boxes))
    return found


def mean_of(values: Sequence[float | None], patients: Sequence[str]) -> Estimate:
    """Estimate a mean over images, to four significant digits.

    Parameters
    ----------
    values : sequence of float or None
        None is left out, as an empty map has no share.
    patients : sequence of str
        Patient of each image.
    """
    kept = [(value, patient) for value, patient in zip(values, patients, strict=True) if value is not None]
    return mean([value for value, _ in kept], [patient for _, patient in kept], digits=4)


def _maps(explainer: Explainer, method: str, images: Sequence[Case], tick: Tick) -> Iterator[tuple[Case, np.ndarray]]:
    for start in range(0, len(images), BATCH):
        part = images[start : start + BATCH]
        yield from zip(part, explainer.crop_maps(method, np.stack([case.ready.tensor for case in part])), strict=True)
        tick(len(part))
