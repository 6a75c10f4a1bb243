"""Check of the rotation: an image on its side or upside down is rejected.

It is not corrected, because the pixels alone do not tell the patient's right from the left.
"""

from collections.abc import Mapping

from cxrmodel.checks.check import Check, Stage
from cxrmodel.checks.check_input import CheckInput

__all__ = ["ROTATION", "rotation_probability"]


def rotation_probability(orientation: Mapping[str, float]) -> float:
    """Probability that an image is rotated by a quarter turn or more, from the probabilities of orientations."""
    return orientation["rotated left"] + orientation["upside down"] + orientation["rotated right"]


def _rotation(image: CheckInput) -> float:
    return rotation_probability(image.orientation)


ROTATION = Check(
    "rotation",
    Stage.IMAGE,
    _rotation,
    title="checks.rotation.title",
    measures="checks.rotation.measures",
    rejection="checks.rotation.rejected",
)
