"""Check of an inverted greyscale: an image that is certainly inverted is corrected."""

from cxrmodel.checks.check import Check, Correction, Rules, Stage
from cxrmodel.checks.check_input import CheckInput
from cxrmodel.checks.image.greyscale_polarity import GREYSCALE_POLARITY, inversion_probability

__all__ = ["INVERTED_GREYSCALE"]


def _certain(image: CheckInput, rules: Rules) -> bool:
    """Whether the inverted image itself does not look inverted."""
    rule = rules[GREYSCALE_POLARITY.name]
    return not rule.exceeded(image.orientation_inverted["inverted"], rule.rejection)


INVERTED_GREYSCALE = Check(
    "inverted_greyscale",
    Stage.IMAGE,
    inversion_probability,
    title="checks.inverted_greyscale.title",
    measures="checks.inverted_greyscale.measures",
    warning="checks.inverted_greyscale.warning",
    correction=Correction("inverted", _certain, CheckInput.inverted),
)
