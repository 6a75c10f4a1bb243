"""Similarity of two maps of one crop, of any resolution and scale."""

import cv2
import numpy as np
from numpy.typing import NDArray

from cxrmodel.explain.grid import Floats, cell_means

GRID = 28
"""Cells along a side on which maps are compared."""


def gridded(heat: Floats, grid: int = GRID) -> Floats:
    """A map on the grid on which maps are compared: ndarray of float32, shape (grid, grid)."""
    return cell_means(heat, grid).reshape(grid, grid).astype(np.float32)


def spearman(first: Floats, second: Floats) -> float:
    """Rank correlation of two maps (Spearman 1904), ties sharing their mean rank.

    Parameters
    ----------
    first, second : ndarray of float32, shapes (h, w) and (k, l)
        Over the same crop. Outside the crop every map is zero, which would make any two similar.

    Returns
    -------
    float
        -1..1; 0 where a map is constant.
    """
    one, other = (_ranks(gridded(heat).ravel()) for heat in (first, second))
    one, other = one - one.mean(), other - other.mean()
    length = float(np.sqrt((one @ one) * (other @ other)))
    return float(one @ other) / length if length > 0 else 0.0


def ssim(first: Floats, second: Floats) -> float:
    """Structural similarity of two maps, each scaled to its own peak (Wang et al., IEEE TIP 2004).

    Parameters
    ----------
    first, second
        As of ``spearman``.

    Returns
    -------
    float
        -1..1, with the paper's Gaussian window of 1.5 cells and its constants.
    """
    one, other = (gridded(heat).astype(np.float64) for heat in (first, second))
    one, other = (heat / heat.max() if heat.max() > 0 else heat for heat in (one, other))

    def smooth(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(cv2.GaussianBlur(values, (11, 11), 1.5), np.float64)

    mean_one, mean_other = smooth(one), smooth(other)
    var_one, var_other = smooth(one**2) - mean_one**2, smooth(other**2) - mean_other**2
    both = smooth(one * other) - mean_one * mean_other
    c1, c2 = 0.01**2, 0.03**2
    similar = (2 * mean_one * mean_other + c1) * (2 * both + c2)
    return float((similar / ((mean_one**2 + mean_other**2 + c1) * (var_one + var_other + c2))).mean())


def _ranks(values: Floats) -> NDArray[np.float64]:
    """Rank of each value from 1, of equal ones their mean rank; SciPy's needs a second to import."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[places], np.float64)
