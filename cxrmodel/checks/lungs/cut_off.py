"""Check of lungs at the edge of the image: what lies beyond is not shown."""

import numpy as np

from cxrmodel.checks.check import Check, Stage
from cxrmodel.checks.check_input import CheckInput

__all__ = ["LUNGS_CUT_OFF", "edge_share"]


def edge_share(mask: np.ndarray) -> float:
    """Share of a mask's outermost pixels that is lung: (H, W) bool -> 0..1."""
    return float(np.concatenate([mask[0], mask[-1], mask[1:-1, 0], mask[1:-1, -1]]).mean())


def _at_edge(image: CheckInput) -> float:
    return edge_share(image.lung_mask)


LUNGS_CUT_OFF = Check(
    "lungs_cut_off",
    Stage.LUNGS,
    _at_edge,
    title="checks.lungs_cut_off.title",
    measures="checks.lungs_cut_off.measures",
    warning="checks.lungs_cut_off.warning",
)
