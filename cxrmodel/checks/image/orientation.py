"""Checks of greyscale, rotation, mirroring and projection, on the probabilities of the orientation network.

A greyscale that is certainly inverted is corrected. A rotated image is rejected and not corrected, because its pixels
do not show which side is the patient's right.
"""

from collections.abc import Mapping

from cxrmodel.checks.check import Check, Correction, Rules, Stage
from cxrmodel.checks.check_input import CheckInput


def _certainly_inverted(image: CheckInput, rules: Rules) -> bool:
    """Whether the network takes the inverted image for one that is not inverted."""
    rule = rules[GREYSCALE_POLARITY.name]
    return not rule.exceeded(image.orientation_inverted["inverted"], rule.rejection)


INVERTED_GREYSCALE = Check(
    "inverted_greyscale",
    Stage.IMAGE,
    lambda image: image.orientation["inverted"],
    warning="checks.inverted_greyscale.warning",
    correction=Correction("inverted", _certainly_inverted, CheckInput.inverted),
)

GREYSCALE_POLARITY = Check(
    "greyscale_polarity",
    Stage.IMAGE,
    lambda image: image.orientation["inverted"],
    rejection="checks.greyscale_polarity.rejected",
)


def rotation_probability(orientation: Mapping[str, float]) -> float:
    """Probability that an image is rotated by 90 degrees or more, from the probabilities of orientations."""
    return orientation["rotated left"] + orientation["upside down"] + orientation["rotated right"]


ROTATION = Check(
    "rotation",
    Stage.IMAGE,
    lambda image: rotation_probability(image.orientation),
    rejection="checks.rotation.rejected",
)

MIRRORING = Check(
    "mirroring",
    Stage.IMAGE,
    lambda image: image.orientation["mirrored"],
    warning="checks.mirroring.warning",
)

PROJECTION = Check(
    "projection",
    Stage.IMAGE,
    lambda image: image.orientation["other"],
    rejection="checks.not_chest_radiograph",
)
