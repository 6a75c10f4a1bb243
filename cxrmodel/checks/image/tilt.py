"""Check of a small rotation: an image on a uniform canvas, rotated by a few degrees, is straightened."""

from cxrmodel.checks.check import Check, Correction, Stage
from cxrmodel.checks.check_input import CheckInput


def _degrees(image: CheckInput) -> float:
    """Rotation in either direction; 0 where none is found."""
    return abs(image.tilt.degrees) if image.tilt else 0.0


TILT = Check(
    "tilt",
    Stage.IMAGE,
    _degrees,
    warning="checks.tilt.warning",
    correction=Correction("straightened", lambda image, rules: True, CheckInput.straightened),
)
