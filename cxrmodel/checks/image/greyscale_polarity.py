"""Check of the greyscale polarity: an image that may be inverted, and was not corrected, is rejected."""

from cxrmodel.checks.check import Check, Stage
from cxrmodel.checks.check_input import CheckInput

__all__ = ["GREYSCALE_POLARITY", "inversion_probability"]


def inversion_probability(image: CheckInput) -> float:
    """Probability that the greyscale is inverted, by the orientation network."""
    return image.orientation["inverted"]


GREYSCALE_POLARITY = Check(
    "greyscale_polarity",
    Stage.IMAGE,
    inversion_probability,
    title="checks.greyscale_polarity.title",
    measures="checks.greyscale_polarity.measures",
    rejection="checks.greyscale_polarity.rejected",
)
