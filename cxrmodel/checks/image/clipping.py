"""Check of clipping: pure black and pure white hold no detail."""

import numpy as np

from cxrmodel.checks.check import Check, Stage

_BLACK, _WHITE = 1, 254


def clipped_share(image: np.ndarray) -> float:
    """Share of pixels within one grey level of black or white: (H, W) uint8 -> 0..1."""
    return float(((image <= _BLACK) | (image >= _WHITE)).mean())


CLIPPING = Check(
    "clipping",
    Stage.IMAGE,
    lambda image: clipped_share(image.canonical),
    warning="checks.clipping.warning",
    rejection="checks.clipping.rejected",
)
