"""Check of the level of the lungs: neither lies far above the other."""

import numpy as np

from cxrmodel.checks.check import Check, Stage
from cxrmodel.checks.check_input import CheckInput
from cxrmodel.imaging.canonical import IMAGE_SIDE

__all__ = ["LUNG_LEVEL", "level_difference"]


def level_difference(centroids: np.ndarray) -> float:
    """Vertical distance between the centroids of the two largest regions.

    Parameters
    ----------
    centroids : ndarray of float64, shape (N, 2)
        Column and row, of ``cxrmodel.imaging.lungs.regions``.

    Returns
    -------
    float
        As a share of the image's height, 0..1; NaN with fewer than two regions.
    """
    return float(abs(centroids[0, 1] - centroids[1, 1]) / IMAGE_SIDE) if len(centroids) > 1 else float("nan")


def _level(image: CheckInput) -> float:
    return level_difference(image.lung_regions[1])


LUNG_LEVEL = Check(
    "lung_level",
    Stage.LUNGS,
    _level,
    title="checks.lung_level.title",
    measures="checks.lung_level.measures",
    rejection="checks.lung_level.rejected",
)
