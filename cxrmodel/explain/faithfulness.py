"""Does a map show what the network looks at? Tests that need the network's answers and no opinion of the image.

Petsiuk et al., RISE: Randomized Input Sampling for Explanation of Black-box Models, BMVC 2018: as the places that a
map calls hottest are taken away, the probability must fall fast (deletion); as they are put back on an empty image, it
must rise fast (insertion). "Taken away" here means shown as the crop's own blur: a patch of one grey would bring edges
of its own.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cxrmodel.explain.grid import blurred, cell_heat, cell_numbers

__all__ = ["CELLS", "STEPS", "Curves", "Scores", "curves", "disturbed", "heat_in_lungs", "order_of", "random_order"]

CELLS = 14
"""Cells along a side of the crop: all methods are judged on the same board, however fine their maps."""
STEPS = 16
NOISE = 2.0
"""Of the stability test: standard deviation in grey levels of 255, less than an image's own grain."""

Scores = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class Curves:
    """Deletion and insertion of one image in one order.

    Attributes
    ----------
    share : ndarray of float64, shape (steps + 1,)
        Of the cells taken away or put back, 0..1.
    deletion, insertion : ndarray of float64, shape (steps + 1,)
        The network's score after each step.
    """

    share: np.ndarray
    deletion: np.ndarray
    insertion: np.ndarray

    @property
    def deletion_auc(self) -> float:
        """Mean height of the deletion curve: lower is better."""
        return float(np.trapezoid(self.deletion, self.share))

    @property
    def insertion_auc(self) -> float:
        """Mean height of the insertion curve: higher is better."""
        return float(np.trapezoid(self.insertion, self.share))


def order_of(heat: np.ndarray, seed: int, cells: int = CELLS) -> np.ndarray:
    """The cells of a map from hottest to coldest, those of equal heat in a random order.

    Parameters
    ----------
    heat : ndarray of float32, shape (h, w)
        Over the crop.
    seed, cells : int

    Returns
    -------
    ndarray of int64, shape (cells * cells,)
    """
    values = cell_heat(heat, cells)
    return np.lexsort((np.random.default_rng(seed).random(len(values)), -values))


def random_order(seed: int, cells: int = CELLS) -> np.ndarray:
    """The order of a map that knows nothing."""
    return np.random.default_rng(seed).permutation(cells * cells)


def curves(
    scores: Scores,
    tensor: np.ndarray,
    order: np.ndarray,
    steps: int = STEPS,
    batch: int = 8,
    progress: Callable[[float], None] | None = None,
) -> Curves:
    """Take a crop's cells away in an order, and put them back in the same.

    Parameters
    ----------
    scores : callable
        Inputs (N, size, size, 1) -> scores (N,), such as probabilities.
    tensor : ndarray of float32, shape (size, size, 1)
    order : ndarray of int, shape (cells * cells,)
    steps, batch : int
        Steps of (nearly) equally many cells, and inputs a run.
    progress : callable, optional
        Told the share done, 0..1; what it raises stops the work.

    Returns
    -------
    Curves
        From 2 * steps inputs: the whole and the empty crop serve both curves.
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


def disturbed(tensor: np.ndarray, std: float, seed: int, noise: float = NOISE) -> np.ndarray:
    """A crop under noise too small to see.

    Parameters
    ----------
    tensor : ndarray of float32, shape (size, size, 1)
        Normalised.
    std : float
        By which its greys, of 0..1, were divided.
    seed : int
    noise : float
        In grey levels of 255.

    Returns
    -------
    ndarray of float32, shape (size, size, 1)
    """
    drawn = np.random.default_rng(seed).standard_normal(tensor.shape)
    return (tensor + noise / 255.0 / std * drawn).astype(np.float32)


def heat_in_lungs(heat: np.ndarray, lungs: np.ndarray) -> float | None:
    """Share of an image's heat that lies within its lungs.

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
