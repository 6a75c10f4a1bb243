"""Check of the image size: a small image lacks fine detail."""

from cxrmodel.checks.check import Check, Stage
from cxrmodel.checks.check_input import CheckInput

__all__ = ["SIZE", "shorter_side"]


def shorter_side(image: CheckInput) -> float:
    """Shorter side in pixels, inside margins that were cropped."""
    return min(image.size)


SIZE = Check(
    "size",
    Stage.IMAGE,
    shorter_side,
    title="checks.size.title",
    measures="checks.size.measures",
    warning="checks.size.warning",
    rejection="checks.size.rejected",
)
