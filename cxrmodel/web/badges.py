"""What was done to a film before it was read, told beside it."""

import streamlit as st

from cxrmodel.reading import Reading

__all__ = ["badges"]

_WORDS = {
    "cropped": ("Cropped: wide even margins cut off", ":material/crop:"),
    "inverted": ("Inverted: black and white exchanged", ":material/invert_colors:"),
}


def badges(reading: Reading) -> None:
    """Draw a badge for each correction that a gate made to the film; none where it is as it was given.

    Parameters
    ----------
    reading : Reading
    """
    for correction in reading.gate.corrections:
        words, icon = _WORDS[correction]
        st.badge(words, icon=icon, color="orange")
