"""Faithfulness of a map: deletion and insertion curves, noise for the stability test, share inside the lungs.

Petsiuk et al., RISE: Randomized Input Sampling for Explanation of Black-box Models, BMVC 2018: as the regions with the
highest values are deleted, the score must fall fast (deletion); as they are inserted into an empty image, it must rise
fast (insertion). A deleted region shows the blur of the crop, as a patch of one grey would add edges of its own.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cxrmodel.explain.grid import blurred, cell_means, cell_numbers
from cxrmodel.explain.method import Floats, Progress

CELLS = 14
"""Cells along a side of the crop: all methods are tested on the same grid, however fine their maps."""
STEPS = 16
NOISE = 2.0
"""Standard deviation in the stability test, in grey levels of 255: below the noise of an image."""

Scores = Callable[[Floats], NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class Curves:
    """Deletion and insertion curves of one image in one order.

    Attributes
    ----------
    share : ndarray of float64, shape (steps + 1,)
        Of the cells deleted or inserted, 0..1.
    deletion, insertion : ndarray of float64, shape (steps + 1,)
        The network's score after each step.
    """

    share: NDArray[np.float64]
    deletion: NDArray[np.float64]
    insertion: NDArray[np.float64]

    @property
    def deletion_auc(self) -> float:
        """Area under the deletion curve, 0..1: lower is better."""
        return float(np.trapezoid(self.deletion, self.share))

    @property
    def insertion_auc(self) -> float:
        """Area under the insertion curve, 0..1: higher is better."""
        return float(np.trapezoid(self.insertion, self.share))


def order_of(heat: Floats, seed: int, cells: int = CELLS) -> NDArray[np.int64]:
    """Cells of a map from the highest value to the lowest, ties in a random order.

    Parameters
    ----------
    heat : ndarray of float32, shape (h, w)
        Over the crop.
    seed, cells : int

    Returns
    -------
    ndarray of int64, shape (cells * cells,)
    """
    values = cell_means(heat, cells)
    return np.lexsort((np.random.default_rng(seed).random(len(values)), -values))


def random_order(seed: int, cells: int = CELLS) -> NDArray[np.int64]:
    """Cells in a random order, for comparison."""
    return np.random.default_rng(seed).permutation(cells * cells)


def curves(
    scores: Scores,
    tensor: Floats,
    order: NDArray[np.int64],
    steps: int = STEPS,
    batch: int = 8,
    progress: Progress | None = None,
) -> Curves:
    """Delete the cells of a crop in an order, and insert them in the same order.

    Parameters
    ----------
    scores : callable
        Inputs (N, size, size, 1) -> scores (N,), such as probabilities.
    tensor : ndarray of float32, shape (size, size, 1)
    order : ndarray of int, shape (cells * cells,)
    steps, batch : int
        Number of steps, of (nearly) equally many cells, and inputs per run.
    progress : callable, optional

    Returns
    -------
    Curves
        Of 2 * steps inputs, as the whole and the empty crop serve both curves.
    """
    cells = round(len(order) ** 0.5)
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    ranks = rank[cell_numbers(len(tensor), cells)][..., None]
    bounds = np.rint(np.arange(steps + 1) * len(order) / steps).astype(int)
    empty = blurred(tensor)
    taken = [np.where(ranks < bound, empty, tensor) for bound in bounds]
    put = [np.where(ranks < bound, tensor, empty) for bound in bounds[1:-1]]
    inputs, values = np.stack(taken + put).astype(np.float32), []
    for start in range(0, len(inputs), batch):
        if progress:
            progress(start / len(inputs))
        values.append(scores(inputs[start : start + batch]))
    found = np.concatenate(values).astype(np.float64)
    deletion, inner = found[: steps + 1], found[steps + 1 :]
    return Curves(bounds / len(order), deletion, np.concatenate([deletion[-1:], inner, deletion[:1]]))


def with_noise(tensor: Floats, std: float, seed: int, noise: float = NOISE) -> Floats:
    """A crop with imperceptible Gaussian noise.

    Parameters
    ----------
    tensor : ndarray of float32, shape (size, size, 1)
        Normalised.
    std : float
        By which its greys, in 0..1, were divided.
    seed : int
    noise : float
        Standard deviation in grey levels of 255.

    Returns
    -------
    ndarray of float32, shape (size, size, 1)
    """
    normal = np.random.default_rng(seed).standard_normal(tensor.shape)
    return (tensor + noise / 255.0 / std * normal).astype(np.float32)


def heat_in_lungs(heat: Floats, lungs: NDArray[np.bool_]) -> float | None:
    """Share of attribution inside the lungs.

    Parameters
    ----------
    heat : ndarray of float32, shape (H, W), zero or above
    lungs : ndarray of bool, shape (H, W)

    Returns
    -------
    float or None
        0..1; None for an all-zero map.
    """
    total = float(heat.sum())
    return float(heat[lungs].sum()) / total if total > 0 else None
