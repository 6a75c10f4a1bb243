"""Badges beside an image: how it was corrected before it was read."""

import streamlit as st

from cxrmodel.reading import Reading
from cxrmodel.web.text import text

__all__ = ["badges"]

_ICONS = {"cropped": ":material/crop:", "inverted": ":material/invert_colors:"}


def badges(reading: Reading) -> None:
    """Draw a badge for each correction that a check made to the image.

    Parameters
    ----------
    reading : Reading
    """
    for correction in reading.check.corrections:
        st.badge(text(f"web.correction.{correction}"), icon=_ICONS[correction], color="orange")
