"""What was done to an image before it was read, told beside it."""

import streamlit as st

from cxrmodel.reading import Reading

__all__ = ["badges"]

_WORDS = {
    "cropped": ("Cropped: wide even margins cut off", ":material/crop:"),
    "inverted": ("Inverted: black and white exchanged", ":material/invert_colors:"),
}


def badges(reading: Reading) -> None:
    """Draw a badge for each correction that a check made to the image; none where it is as it was given.

    Parameters
    ----------
    reading : Reading
    """
    for correction in reading.check.corrections:
        words, icon = _WORDS[correction]
        st.badge(words, icon=icon, color="orange")
