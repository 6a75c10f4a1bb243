"""Check of the projection: whether this is a whole frontal chest radiograph, by the orientation network."""

from cxrmodel.checks.check import Check, Stage
from cxrmodel.checks.check_input import CheckInput

__all__ = ["PROJECTION"]


def _other(image: CheckInput) -> float:
    return image.orientation["other"]


PROJECTION = Check(
    "projection",
    Stage.IMAGE,
    _other,
    title="checks.projection.title",
    measures="checks.projection.measures",
    rejection="checks.not_chest_radiograph",
)
