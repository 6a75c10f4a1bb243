"""All checks, in the order in which they run. The first that rejects an image gives the reason.

To add a check, write a file like ``image/contrast.py``, register it here, add its texts to ``texts/en/checks.toml`` and
its thresholds to ``assets/checks/spec.json``.
"""

from cxrmodel.checks.age import AGE
from cxrmodel.checks.check import Check
from cxrmodel.checks.image.clipping import CLIPPING
from cxrmodel.checks.image.contrast import CONTRAST
from cxrmodel.checks.image.greyscale_polarity import GREYSCALE_POLARITY
from cxrmodel.checks.image.image_extent import IMAGE_EXTENT
from cxrmodel.checks.image.image_reconstruction import IMAGE_RECONSTRUCTION
from cxrmodel.checks.image.inverted_greyscale import INVERTED_GREYSCALE
from cxrmodel.checks.image.margins import MARGINS
from cxrmodel.checks.image.mirroring import MIRRORING
from cxrmodel.checks.image.projection import PROJECTION
from cxrmodel.checks.image.rotation import ROTATION
from cxrmodel.checks.image.size import SIZE
from cxrmodel.checks.lungs.area import LUNG_AREA
from cxrmodel.checks.lungs.balance import LUNG_BALANCE
from cxrmodel.checks.lungs.cut_off import LUNGS_CUT_OFF
from cxrmodel.checks.lungs.distance import LUNG_DISTANCE
from cxrmodel.checks.lungs.level import LUNG_LEVEL
from cxrmodel.checks.lungs.surroundings import SURROUNDINGS_RECONSTRUCTION
from cxrmodel.checks.out_of_distribution import OUT_OF_DISTRIBUTION
from cxrmodel.registry import Registry

__all__ = ["CHECKS"]

CHECKS: Registry[Check] = Registry(
    "check",
    AGE,
    SIZE,
    CONTRAST,
    IMAGE_EXTENT,
    MARGINS,
    INVERTED_GREYSCALE,
    GREYSCALE_POLARITY,
    ROTATION,
    MIRRORING,
    PROJECTION,
    CLIPPING,
    IMAGE_RECONSTRUCTION,
    LUNG_AREA,
    LUNG_BALANCE,
    LUNG_DISTANCE,
    LUNG_LEVEL,
    SURROUNDINGS_RECONSTRUCTION,
    LUNGS_CUT_OFF,
    OUT_OF_DISTRIBUTION,
)
