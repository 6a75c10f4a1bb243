"""Checks of the position of the lungs: side by side, and at one level."""

import numpy as np

from cxrmodel.checks.check import Check, Stage
from cxrmodel.imaging.canonical import IMAGE_SIDE


def centroid_distance(centroids: np.ndarray, axis: int) -> float:
    """Distance between the centroids of the two largest regions along one axis.

    Parameters
    ----------
    centroids : ndarray of float64, shape (N, 2)
        Column and row, of ``cxrmodel.imaging.lungs.regions``.
    axis : int
        0 for the horizontal distance, 1 for the vertical one.

    Returns
    -------
    float
        As a share of the image's side, 0..1; NaN with fewer than two regions.
    """
    return float(abs(centroids[0, axis] - centroids[1, axis]) / IMAGE_SIDE) if len(centroids) > 1 else float("nan")


LUNG_DISTANCE = Check(
    "lung_distance",
    Stage.LUNGS,
    lambda image: centroid_distance(image.lung_regions[1], 0),
    warning="checks.lung_distance.warning",
    rejection="checks.lung_distance.rejected",
)

LUNG_LEVEL = Check(
    "lung_level",
    Stage.LUNGS,
    lambda image: centroid_distance(image.lung_regions[1], 1),
    warning="checks.lung_level.warning",
    rejection="checks.lung_level.rejected",
)
