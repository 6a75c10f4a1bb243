"""Shares of the evidence: how much of the positive contributions to the score lies in which part of the lungs.

They say where the score comes from, which need not be where disease is.
"""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from math import floor

import numpy as np
from numpy.typing import NDArray

from cxrmodel.imaging.lungs import separate_lungs

ZONES = 3
"""Zones of a lung, as radiologists divide it: upper, middle and lower, each a third of its height."""
_ROUNDING = 1e-9


@dataclass(frozen=True)
class EvidenceShares:
    """Shares of a map, each 0..1.

    ``right + left + outside`` and ``upper + middle + lower + outside`` are 1.

    Attributes
    ----------
    right, left : float
        In the patient's right lung, which is on the left of the image, and in the left one.
    upper, middle, lower : float
        In the zones of both lungs.
    outside : float
        Outside the lungs.
    """

    right: float
    left: float
    upper: float
    middle: float
    lower: float
    outside: float

    def rounded(self, steps: int = 100) -> "EvidenceShares":
        """Round to whole steps, such as percents, so that both sums stay 1.

        The share inside the lungs is rounded down, as wherever it is stated: less than half never reads as half. The
        largest remainders of its parts are rounded up, the others down.

        Parameters
        ----------
        steps : int
            Steps between 0 and 1.
        """
        right, left, upper, middle, lower, outside = (steps * share for share in astuple(self))
        inside = floor(steps - outside + _ROUNDING)
        parts = [*_apportioned(inside, [right, left]), *_apportioned(inside, [upper, middle, lower]), steps - inside]
        return EvidenceShares(*(part / steps for part in parts))


def evidence_shares(heat: NDArray[np.floating], lungs: NDArray[np.bool_]) -> EvidenceShares | None:
    """Divide a map by lung and by zone.

    The lungs are the two large regions of the mask, one on each side of its middle column. Where there are no such two,
    as where the lungs touch, the mask is divided at its middle column. A zone is a third of the height between the
    highest and the lowest pixel of its own lung.

    Parameters
    ----------
    heat : ndarray of float, shape (H, W)
        Zero or above, over the image, with the patient's right on its left.
    lungs : ndarray of bool, shape (H, W)

    Returns
    -------
    EvidenceShares or None
        None for an all-zero map. Of an empty mask everything is outside.
    """
    values = heat.astype(np.float64)
    total = float(values.sum())
    if not total > 0:
        return None
    right, left = (_by_zone(values, side) / total for side in _sides(lungs))
    outside = max(0.0, 1.0 - float((right + left).sum()))
    return EvidenceShares(*map(float, (right.sum(), left.sum(), *(right + left), outside)))


def _sides(lungs: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How much of each pixel belongs to the right and to the left lung, 0..1; of an odd width's middle column, half."""
    columns = np.flatnonzero(lungs.any(axis=0))
    if not len(columns):
        return (np.zeros(lungs.shape),) * 2
    middle = (columns[0] + columns[-1] + 1) / 2
    right = lungs * np.clip(middle - np.arange(lungs.shape[1]), 0.0, 1.0)
    first, *second = separate_lungs(lungs)
    if second and np.nonzero(first)[1].mean() + 0.5 < middle < np.nonzero(second[0])[1].mean() + 0.5:
        right[first], right[second[0]] = 1.0, 0.0
    return right, lungs - right


def _by_zone(values: NDArray[np.float64], side: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum of a map in the upper, middle and lower zone of one lung; a row belongs to the zone of its centre."""
    rows = np.flatnonzero(side.any(axis=1))
    if not len(rows):
        return np.zeros(ZONES)
    top, height = rows[0], rows[-1] + 1 - rows[0]
    zones = (2 * np.arange(height) + 1) * ZONES // (2 * height)
    by_row = (values * side).sum(axis=1)[top : top + height]
    return np.asarray(np.bincount(zones, by_row, ZONES), np.float64)


def _apportioned(total: int, parts: Sequence[float]) -> list[int]:
    """Whole numbers that sum to a total, as near to the parts as possible (largest remainder)."""
    whole = [floor(part) for part in parts]
    up = sorted(range(len(parts)), key=lambda place: whole[place] - parts[place])[: total - sum(whole)]
    return [number + (place in up) for place, number in enumerate(whole)]
