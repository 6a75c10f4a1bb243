"""Checks of uniform margins: wide ones are cropped, and a small image on a large page is rejected."""

from cxrmodel.checks.check import Check, Correction, Rules, Stage
from cxrmodel.checks.check_input import CheckInput
from cxrmodel.imaging.canonical import IMAGE_SIDE
from cxrmodel.imaging.repairs import CROP


def margin_share(box: tuple[int, int, int, int]) -> float:
    """Share of a canonical image outside a box (top, left, bottom, right), 0..1."""
    top, left, bottom, right = box
    return 1.0 - (bottom - top) * (right - left) / IMAGE_SIDE**2


def _shorter_extent(image: CheckInput) -> float:
    """Shorter extent of the image inside its margins as a share of the whole, 0..1."""
    top, left, bottom, right = image.box
    return min(bottom - top, right - left) / IMAGE_SIDE


def _large_enough(image: CheckInput, rules: Rules) -> bool:
    rule = rules[IMAGE_EXTENT.name]
    return not rule.exceeded(_shorter_extent(image), rule.rejection)


IMAGE_EXTENT = Check(
    "image_extent",
    Stage.IMAGE,
    _shorter_extent,
    rejection="checks.image_extent.rejected",
    repair=lambda image: CROP,
)

MARGINS = Check(
    "margins",
    Stage.IMAGE,
    lambda image: margin_share(image.box),
    warning="checks.margins.warning",
    correction=Correction("cropped", _large_enough, CheckInput.cropped),
)
