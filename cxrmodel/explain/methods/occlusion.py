"""Occlusion sensitivity: how much the logit falls when a part of the image is covered.

Zeiler and Fergus, Visualizing and Understanding Convolutional Networks, ECCV 2014. It needs only the network's output.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from cxrmodel.explain.grid import blurred, cell_numbers
from cxrmodel.explain.method import Floats, Method, Progress
from cxrmodel.messages import Message

CELLS = 11
"""Cells along a side of the crop."""
WINDOW = 2
"""Cells along a side of the cover, which moves by one cell at a time."""
COVERS = (CELLS - WINDOW + 1) ** 2


def occlusion(
    logits: Callable[[Floats], NDArray[np.float64]],
    tensor: Floats,
    filling: Floats,
    cells: int = CELLS,
    window: int = WINDOW,
    *,
    batch: int = 8,
    progress: Progress | None = None,
) -> Floats:
    """Occlusion map of one crop.

    Parameters
    ----------
    logits : callable
        Inputs (N, size, size, 1) -> logits (N,).
    tensor : ndarray of float32, shape (size, size, 1)
    filling : ndarray of float32, shape (size, size, 1)
        Shown where the crop is covered.
    cells, window : int
        The crop has ``cells`` x ``cells`` cells, and the cover hides ``window`` x ``window`` of them.
    batch : int
        Covered crops per run.
    progress : callable, optional

    Returns
    -------
    ndarray of float32, shape (cells, cells)
        Mean fall of the logit over all covers that hide a cell; zero where the logit rises.
    """
    numbers = cell_numbers(len(tensor), cells)
    row, column = numbers // cells, numbers % cells
    corners = [(top, left) for top in range(cells - window + 1) for left in range(cells - window + 1)]
    whole = float(logits(tensor[None])[0])
    fall, covers = np.zeros((cells, cells)), np.zeros((cells, cells))
    for start in range(0, len(corners), batch):
        if progress:
            progress(start / len(corners))
        part = corners[start : start + batch]
        hidden = [
            (row >= top) & (row < top + window) & (column >= left) & (column < left + window) for top, left in part
        ]
        values = logits(np.where(np.stack(hidden)[..., None], filling, tensor).astype(np.float32))
        for (top, left), value in zip(part, values, strict=True):
            fall[top : top + window, left : left + window] += whole - float(value)
            covers[top : top + window, left : left + window] += 1
    return np.maximum(fall / covers, 0.0).astype(np.float32)


METHOD = Method(
    name="occlusion",
    title="Occlusion sensitivity",
    paper="Zeiler and Fergus, Visualizing and Understanding Convolutional Networks, ECCV 2014",
    link="https://arxiv.org/abs/1311.2901",
    shows=Message("explain.occlusion.shows"),
    cannot=Message("explain.occlusion.cannot"),
    unit=Message("explain.occlusion.unit"),
    passes=COVERS + 1,
    compute=lambda context, tensors, progress: np.stack(
        [occlusion(context.logits, tensor, blurred(tensor), progress=progress) for tensor in tensors]
    ),
    backwards=False,
    tensorflow=False,
    single_view=False,
)
