"""Check of clipping: pure black and pure white hold no detail."""

import numpy as np

from cxrmodel.checks.check import Check, Stage
from cxrmodel.checks.check_input import CheckInput

__all__ = ["CLIPPING", "clipped_share"]

_BLACK, _WHITE = 1, 254


def clipped_share(image: np.ndarray) -> float:
    """Share of pixels within one grey level of black or white: (H, W) uint8 -> 0..1."""
    return float(((image <= _BLACK) | (image >= _WHITE)).mean())


def _clipping(image: CheckInput) -> float:
    return clipped_share(image.canonical)


CLIPPING = Check(
    "clipping",
    Stage.IMAGE,
    _clipping,
    title="checks.clipping.title",
    measures="checks.clipping.measures",
    warning="checks.clipping.warning",
    rejection="checks.clipping.rejected",
)
