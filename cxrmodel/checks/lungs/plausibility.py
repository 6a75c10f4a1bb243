"""Checks of the lung areas: a chest radiograph shows two lungs of plausible size."""

import numpy as np

from cxrmodel.checks.check import Check, Stage
from cxrmodel.errors import NoLungsFound
from cxrmodel.imaging.lungs import balance

LUNG_AREA = Check(
    "lung_area",
    Stage.LUNGS,
    lambda image: np.count_nonzero(image.lung_mask) / image.lung_mask.size,
    warning="checks.lung_area.warning",
    rejection="checks.lung_area.rejected",
    error=NoLungsFound,
)

LUNG_BALANCE = Check(
    "lung_balance",
    Stage.LUNGS,
    lambda image: balance(image.lung_regions[0]),
    warning="checks.lung_balance.warning",
    rejection="checks.lung_balance.rejected",
    error=NoLungsFound,
)
