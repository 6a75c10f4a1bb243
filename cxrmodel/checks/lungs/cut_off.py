"""Check of lungs at the edge of the image, where part of them may be missing."""

import numpy as np

from cxrmodel.checks.check import Check, Stage


def edge_share(mask: np.ndarray) -> float:
    """Share of a mask's outermost pixels that is lung: (H, W) bool -> 0..1."""
    return float(np.concatenate([mask[0], mask[-1], mask[1:-1, 0], mask[1:-1, -1]]).mean())


LUNGS_CUT_OFF = Check(
    "lungs_cut_off",
    Stage.LUNGS,
    lambda image: edge_share(image.lung_mask),
    warning="checks.lungs_cut_off.warning",
)
