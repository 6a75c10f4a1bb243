"""Check of the mirroring: an image with the heart on the right is read as it is, with a warning."""

from cxrmodel.checks.check import Check, Stage
from cxrmodel.checks.check_input import CheckInput

__all__ = ["MIRRORING"]


def _mirroring(image: CheckInput) -> float:
    return image.orientation["mirrored"]


MIRRORING = Check(
    "mirroring",
    Stage.IMAGE,
    _mirroring,
    title="checks.mirroring.title",
    measures="checks.mirroring.measures",
    warning="checks.mirroring.warning",
)
