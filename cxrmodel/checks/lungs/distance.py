"""Check of the distance between the lungs: they lie side by side."""

import numpy as np

from cxrmodel.checks.check import Check, Stage
from cxrmodel.checks.check_input import CheckInput
from cxrmodel.imaging.canonical import IMAGE_SIDE

__all__ = ["LUNG_DISTANCE", "horizontal_distance"]


def horizontal_distance(centroids: np.ndarray) -> float:
    """Horizontal distance between the centroids of the two largest regions.

    Parameters
    ----------
    centroids : ndarray of float64, shape (N, 2)
        Column and row, of ``cxrmodel.imaging.lungs.regions``.

    Returns
    -------
    float
        As a share of the image's width, 0..1; NaN with fewer than two regions.
    """
    return float(abs(centroids[0, 0] - centroids[1, 0]) / IMAGE_SIDE) if len(centroids) > 1 else float("nan")


def _distance(image: CheckInput) -> float:
    return horizontal_distance(image.lung_regions[1])


LUNG_DISTANCE = Check(
    "lung_distance",
    Stage.LUNGS,
    _distance,
    title="checks.lung_distance.title",
    measures="checks.lung_distance.measures",
    rejection="checks.lung_distance.rejected",
)
