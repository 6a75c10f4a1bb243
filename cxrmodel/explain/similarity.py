"""How alike two maps of one crop are, whatever their resolution and scale."""

import cv2
import numpy as np
from scipy.stats import rankdata

from cxrmodel.explain.grid import cell_heat

__all__ = ["GRID", "gridded", "spearman", "ssim"]

GRID = 28
"""Cells along a side on which maps are compared."""


def gridded(heat: np.ndarray, grid: int = GRID) -> np.ndarray:
    """A map on the board on which maps are compared: ndarray of float32, shape (grid, grid)."""
    return cell_heat(heat, grid).reshape(grid, grid).astype(np.float32)


def spearman(first: np.ndarray, second: np.ndarray) -> float:
    """Rank correlation of two maps (Spearman 1904), ties sharing their mean rank.

    Parameters
    ----------
    first, second : ndarray of float32, shapes (h, w) and (k, l)
        Over the same crop. Beyond the crop there is no heat, which would make any two maps alike.

    Returns
    -------
    float
        -1..1; 0 where a map is the same everywhere, so that nothing can be said.
    """
    one, other = (rankdata(gridded(heat).ravel()) for heat in (first, second))
    one, other = one - one.mean(), other - other.mean()
    length = float(np.sqrt((one @ one) * (other @ other)))
    return float(one @ other) / length if length > 0 else 0.0


def ssim(first: np.ndarray, second: np.ndarray) -> float:
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

    def smooth(values: np.ndarray) -> np.ndarray:
        return cv2.GaussianBlur(values, (11, 11), 1.5)

    mean_one, mean_other = smooth(one), smooth(other)
    var_one, var_other = smooth(one**2) - mean_one**2, smooth(other**2) - mean_other**2
    both = smooth(one * other) - mean_one * mean_other
    small, smaller = 0.01**2, 0.03**2
    alike = (2 * mean_one * mean_other + small) * (2 * both + smaller)
    return float((alike / ((mean_one**2 + mean_other**2 + small) * (var_one + var_other + smaller))).mean())
