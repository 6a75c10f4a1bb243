"""The result of the selected image, drawn in the browser from the card of its row."""

from cxrmodel.messages import catalogue
from cxrmodel.web.components import room

SCRIPTS = ("elements", "scale", "shares", "prevalence", "repair", "details", "actions", "card", "result")
"""In ``assets/result``, in the order in which they are joined."""


def result() -> None:
    """Draw the component."""
    room.draw("result", SCRIPTS, words())


def words() -> dict[str, str]:
    """Give the texts of the card by their names in ``texts/en/card.toml``."""
    texts = catalogue().texts
    return {code.removeprefix("card."): words for code, words in texts.items() if code.startswith("card.")}
