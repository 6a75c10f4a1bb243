"""Checks of the kind of image: slices and hands are named; anything else must be a frontal chest X-ray."""

from cxrmodel.checks.check import Check, Stage
from cxrmodel.imaging.repairs import CROP

CT = Check("ct", Stage.IMAGE, lambda image: image.projection.kinds["ct"], rejection="checks.ct.rejected")

MR = Check("mr", Stage.IMAGE, lambda image: image.projection.kinds["mr"], rejection="checks.mr.rejected")

HAND = Check("hand", Stage.IMAGE, lambda image: image.projection.kinds["hand"], rejection="checks.hand.rejected")

PROJECTION = Check(
    "projection",
    Stage.IMAGE,
    lambda image: image.projection.not_chest,
    rejection="checks.projection.rejected",
    repair=lambda image: CROP,
)
