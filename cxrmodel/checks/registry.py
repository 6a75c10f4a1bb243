"""All checks, in the order in which they run. The first that rejects an image gives the reason.

To add a check, write a file like ``image/contrast.py``, register it here, add its texts to ``texts/en/checks.toml`` and
its thresholds to ``assets/checks/spec.json``.
"""

from cxrmodel.checks.age import AGE
from cxrmodel.checks.check import Check
from cxrmodel.checks.image.clipping import CLIPPING
from cxrmodel.checks.image.contrast import CONTRAST
from cxrmodel.checks.image.kind import CT, HAND, MR, PROJECTION
from cxrmodel.checks.image.local_contrast import LOCAL_CONTRAST
from cxrmodel.checks.image.margins import IMAGE_EXTENT, MARGINS
from cxrmodel.checks.image.orientation import GREYSCALE_POLARITY, INVERTED_GREYSCALE, MIRRORING, ROTATION
from cxrmodel.checks.image.screen_photo import SCREEN_PHOTO
from cxrmodel.checks.image.size import SIZE
from cxrmodel.checks.image.tilt import TILT
from cxrmodel.checks.lungs.cut_off import LUNGS_CUT_OFF
from cxrmodel.checks.lungs.plausibility import LUNG_AREA, LUNG_BALANCE
from cxrmodel.checks.lungs.position import LUNG_DISTANCE, LUNG_LEVEL
from cxrmodel.checks.population import OTHER_POPULATION, OUT_OF_DISTRIBUTION
from cxrmodel.registry import Registry

CHECKS: Registry[Check] = Registry(
    "check",
    AGE,
    CT,
    MR,
    HAND,
    SCREEN_PHOTO,
    TILT,
    CONTRAST,
    IMAGE_EXTENT,
    MARGINS,
    PROJECTION,
    SIZE,
    INVERTED_GREYSCALE,
    GREYSCALE_POLARITY,
    ROTATION,
    MIRRORING,
    CLIPPING,
    LOCAL_CONTRAST,
    LUNG_AREA,
    LUNG_BALANCE,
    LUNG_DISTANCE,
    LUNG_LEVEL,
    LUNGS_CUT_OFF,
    OUT_OF_DISTRIBUTION,
    OTHER_POPULATION,
)
