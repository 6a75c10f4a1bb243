"""Check of even margins: wide ones are cropped."""

from cxrmodel.checks.check import Check, Correction, Rules, Stage
from cxrmodel.checks.check_input import CheckInput
from cxrmodel.checks.image.image_extent import IMAGE_EXTENT, shorter_extent
from cxrmodel.checks.image.size import SIZE
from cxrmodel.imaging.canonical import IMAGE_SIDE

__all__ = ["MARGINS", "margin_share"]


def margin_share(box: tuple[int, int, int, int]) -> float:
    """Share of a canonical image outside a box (top, left, bottom, right), 0..1."""
    top, left, bottom, right = box
    return 1.0 - (bottom - top) * (right - left) / IMAGE_SIDE**2


def _margins(image: CheckInput) -> float:
    return margin_share(image.box)


def _large_enough(image: CheckInput, rules: Rules) -> bool:
    rule = rules[IMAGE_EXTENT.name]
    return not rule.exceeded(shorter_extent(image), rule.rejection)


MARGINS = Check(
    "margins",
    Stage.IMAGE,
    _margins,
    title="checks.margins.title",
    measures="checks.margins.measures",
    warning="checks.margins.warning",
    correction=Correction("cropped", _large_enough, CheckInput.cropped, repeats=(SIZE.name,)),
)
