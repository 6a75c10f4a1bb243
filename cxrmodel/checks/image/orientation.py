"""Checks of greyscale, rotation and mirroring, on the probabilities of the projection network.

A greyscale that is certainly inverted is corrected. A rotated image is rejected and not corrected, because its pixels
do not show which side is the patient's right.
"""

from cxrmodel.checks.check import Check, Correction, Rules, Stage
from cxrmodel.checks.check_input import CheckInput
from cxrmodel.imaging.repairs import FLIP, INVERT, ROTATE_180, ROTATE_LEFT, ROTATE_RIGHT


def _certainly_inverted(image: CheckInput, rules: Rules) -> bool:
    """Whether the network takes the inverted image for one that is not inverted."""
    rule = rules[GREYSCALE_POLARITY.name]
    return not rule.exceeded(image.projection_inverted.orientations["inverted"], rule.rejection)


INVERTED_GREYSCALE = Check(
    "inverted_greyscale",
    Stage.IMAGE,
    lambda image: image.projection.orientations["inverted"],
    warning="checks.inverted_greyscale.warning",
    correction=Correction("inverted", _certainly_inverted, CheckInput.inverted),
)

GREYSCALE_POLARITY = Check(
    "greyscale_polarity",
    Stage.IMAGE,
    lambda image: image.projection.orientations["inverted"],
    rejection="checks.greyscale_polarity.rejected",
    repair=lambda image: INVERT,
)

_UPRIGHT = {"rotated left": ROTATE_RIGHT, "upside down": ROTATE_180, "rotated right": ROTATE_LEFT}
"""What sets each rotation right."""


def _rotation_back(image: CheckInput) -> str:
    return _UPRIGHT[max(_UPRIGHT, key=image.projection.orientations.__getitem__)]


ROTATION = Check(
    "rotation",
    Stage.IMAGE,
    lambda image: image.projection.rotated,
    rejection="checks.rotation.rejected",
    repair=_rotation_back,
)

MIRRORING = Check(
    "mirroring",
    Stage.IMAGE,
    lambda image: image.projection.orientations["mirrored"],
    warning="checks.mirroring.warning",
    repair=lambda image: FLIP,
)
