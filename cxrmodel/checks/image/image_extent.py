"""Check of the extent inside even margins: a small image on a large page is not cropped but rejected."""

from cxrmodel.checks.check import Check, Stage
from cxrmodel.checks.check_input import CheckInput
from cxrmodel.imaging.canonical import IMAGE_SIDE

__all__ = ["IMAGE_EXTENT", "shorter_extent"]


def shorter_extent(image: CheckInput) -> float:
    """Shorter extent of the image inside its margins as a share of the whole, 0..1."""
    top, left, bottom, right = image.box
    return min(bottom - top, right - left) / IMAGE_SIDE


IMAGE_EXTENT = Check(
    "image_extent",
    Stage.IMAGE,
    shorter_extent,
    title="checks.image_extent.title",
    measures="checks.image_extent.measures",
    rejection="checks.image_extent.rejected",
)
