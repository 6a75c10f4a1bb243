"""Check of the image size: a small image lacks fine detail."""

from cxrmodel.checks.check import Check, Stage

SIZE = Check(
    "size",
    Stage.IMAGE,
    lambda image: min(image.size),
    warning="checks.size.warning",
    rejection="checks.size.rejected",
)
