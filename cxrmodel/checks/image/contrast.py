"""Check of the contrast: a blank or nearly uniform image shows nothing."""

from cxrmodel.checks.check import Check, Stage
from cxrmodel.checks.check_input import CheckInput
from cxrmodel.imaging.canonical import contrast

__all__ = ["CONTRAST"]


def _contrast(image: CheckInput) -> float:
    return contrast(image.canonical)


CONTRAST = Check(
    "contrast",
    Stage.IMAGE,
    _contrast,
    title="checks.contrast.title",
    measures="checks.contrast.measures",
    warning="checks.contrast.warning",
    rejection="checks.contrast.rejected",
)
