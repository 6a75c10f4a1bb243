"""Occlusion sensitivity: how much the logit falls when a part of the image is covered.

Zeiler and Fergus, Visualizing and Understanding Convolutional Networks, ECCV 2014. The only method here that needs
nothing but the network's answers.
"""

from collections.abc import Callable

import numpy as np

from cxrmodel.explain.grid import cell_numbers

__all__ = ["CELLS", "COVERS", "WINDOW", "occlusion"]

CELLS = 11
"""Cells along a side of the crop."""
WINDOW = 2
"""Cells along a side of the cover, which moves by one cell at a time."""
COVERS = (CELLS - WINDOW + 1) ** 2


def occlusion(
    logits: Callable[[np.ndarray], np.ndarray],
    tensor: np.ndarray,
    filling: np.ndarray,
    cells: int = CELLS,
    window: int = WINDOW,
    batch: int = 8,
    progress: Callable[[float], None] | None = None,
) -> np.ndarray:
    """Cover a crop, place after place, and see what the logit loses.

    Parameters
    ----------
    logits : callable
        Inputs (N, size, size, 1) -> logits (N,).
    tensor : ndarray of float32, shape (size, size, 1)
    filling : ndarray of float32, shape (size, size, 1)
        What shows where the crop is covered.
    cells, window : int
        The crop has ``cells`` x ``cells`` cells, and the cover hides ``window`` x ``window`` of them.
    batch : int
        Covered crops a run.
    progress : callable, optional
        Told the share done, 0..1; what it raises stops the work.

    Returns
    -------
    ndarray of float32, shape (cells, cells)
        The mean loss of the logit over all covers that hide a cell; zero where the logit rises.
    """
    numbers = cell_numbers(len(tensor), cells)
    row, column = numbers // cells, numbers % cells
    places = [(top, left) for top in range(cells - window + 1) for left in range(cells - window + 1)]
    whole = float(logits(tensor[None])[0])
    lost, covers = np.zeros((cells, cells)), np.zeros((cells, cells))
    for start in range(0, len(places), batch):
        if progress:
            progress(start / len(places))
        part = places[start : start + batch]
        hidden = [
            (row >= top) & (row < top + window) & (column >= left) & (column < left + window) for top, left in part
        ]
        values = logits(np.where(np.stack(hidden)[..., None], filling, tensor).astype(np.float32))
        for (top, left), value in zip(part, values, strict=True):
            lost[top : top + window, left : left + window] += whole - float(value)
            covers[top : top + window, left : left + window] += 1
    return np.maximum(lost / covers, 0.0).astype(np.float32)
