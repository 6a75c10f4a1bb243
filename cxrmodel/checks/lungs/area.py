"""Check of the lung area: without lungs of plausible size this is no chest radiograph."""

import numpy as np

from cxrmodel.checks.check import Check, Stage
from cxrmodel.checks.check_input import CheckInput
from cxrmodel.errors import NoLungsFound

__all__ = ["LUNG_AREA"]


def _area(image: CheckInput) -> float:
    return np.count_nonzero(image.lung_mask) / image.lung_mask.size


LUNG_AREA = Check(
    "lung_area",
    Stage.LUNGS,
    _area,
    title="checks.lung_area.title",
    measures="checks.lung_area.measures",
    rejection="checks.lung_area.rejected",
    error=NoLungsFound,
)
