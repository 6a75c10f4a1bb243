"""Check of the contrast: a blank or nearly uniform image shows nothing."""

from cxrmodel.checks.check import Check, Stage
from cxrmodel.imaging.canonical import contrast

CONTRAST = Check(
    "contrast",
    Stage.IMAGE,
    lambda image: contrast(image.canonical),
    warning="checks.contrast.warning",
    rejection="checks.contrast.rejected",
)
