"""Checks on the lungs: whether there are two, of plausible size and place, and all of them on the image."""

from collections.abc import Mapping

import numpy as np

from cxrmodel.checks.report import Finding, Rule, judge
from cxrmodel.checks.subspace import Likeness, around_lungs
from cxrmodel.imaging.canonical import IMAGE_SIDE
from cxrmodel.imaging.lungs import LungFields, plausibility, regions

__all__ = ["examine_lungs", "lie_of_lungs"]


def lie_of_lungs(mask: np.ndarray, middles: np.ndarray | None = None) -> dict[str, float]:
    """Measure where two lungs lie.

    Parameters
    ----------
    mask : ndarray of bool, shape (224, 224)
    middles : ndarray of float64, shape (N, 2), optional
        Of ``regions(mask)``, where they are known.

    Returns
    -------
    dict of str to float
        ``distance`` and ``level``: how far the middles of the two largest regions are apart across and along the
        image, as shares of its side (NaN where there are not two). ``edge``: share of the image's outermost pixels
        that is marked.
    """
    edge = float(np.concatenate([mask[0], mask[-1], mask[1:-1, 0], mask[1:-1, -1]]).mean())
    middles = regions(mask)[1] if middles is None else middles
    if len(middles) < 2:
        return {"distance": float("nan"), "level": float("nan"), "edge": edge}
    across, along = np.abs(middles[0] - middles[1]) / IMAGE_SIDE
    return {"distance": float(across), "level": float(along), "edge": edge}


def examine_lungs(
    image: np.ndarray, mask: np.ndarray, around: Likeness, rules: Mapping[str, Rule]
) -> tuple[Finding, ...]:
    """Judge what the segmenter marked on an image.

    Parameters
    ----------
    image : ndarray of uint8, shape (224, 224)
    mask : ndarray of bool, shape (224, 224)
    around : Likeness
        The space of the training images' parts around their lungs.

    Returns
    -------
    tuple of Finding
    """
    areas, middles = regions(mask)
    measured, lie = plausibility(image, mask, areas), lie_of_lungs(mask, middles)
    part = around_lungs(image, LungFields(mask) if mask.any() else None)
    return (
        judge(rules["lung area"], measured["area"]),
        judge(rules["lung balance"], measured["balance"]),
        judge(rules["lung distance"], lie["distance"]),
        judge(rules["lung level"], lie["level"]),
        judge(rules["lung likeness"], around.distance(part)),
        judge(rules["cut off"], lie["edge"]),
    )
