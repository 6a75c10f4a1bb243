"""The heatmap on its image, and the words that belong to it."""

import streamlit as st

from cxrmodel.evaluation.explanations.results import FIXED_RANGE
from cxrmodel.explain.overlay import LEGEND
from cxrmodel.reading import Reading
from cxrmodel.reasons import HARDLY, MOSTLY
from cxrmodel.report.wording import heat_peak, heat_sentence, probability_percent, reason_for_finding
from cxrmodel.web.components.badges import badges
from cxrmodel.web.components.viewer import viewer
from cxrmodel.web.text import plain

__all__ = ["heatmap"]

_MEANING = {
    "uncertain": "Finding: uncertain, whatever the map shows.",
    "normal": "Whatever heat the map shows did not suffice for pneumonia.",
}


def heatmap(reading: Reading, legend: str = LEGEND, range_note: str = FIXED_RANGE) -> None:
    """Draw the image with its overlay, and what is to be said of it.

    Parameters
    ----------
    reading : Reading
        With the map to be shown and its range.
    legend, range_note : str
        What the map's values are, and whether its colours can be compared between images.
    """
    viewer(reading, overlay=True, legend=legend, range_note=range_note)
    badges(reading)
    st.caption(f"The image: {plain(reading.name)}")
    _words(reading)


def _words(reading: Reading) -> None:
    said = probability_percent(reading.probability, reading.operating_points)
    st.markdown(f"Finding: **{reading.finding}**. Probability of pneumonia: **{said}**.")
    for warning in dict.fromkeys((*reading.radiograph.notes, *reading.check.warnings)):
        st.warning(plain(warning), icon=":material/priority_high:")
    sentence = heat_sentence(reading)
    if reading.heat_in_lungs is None or heat_peak(reading) < HARDLY:
        st.info(sentence, icon=":material/info:")
    elif reading.heat_in_lungs < MOSTLY:
        st.warning(sentence, icon=":material/priority_high:")
    else:
        st.markdown(sentence)
    meaning = _MEANING.get(reading.finding)
    if meaning and (reading.heat_in_lungs is not None or reading.finding == "uncertain"):
        st.info(f"{reason_for_finding(reading.finding, reading.operating_points)} {meaning}", icon=":material/info:")
    st.caption("A heatmap says where the score comes from, not where disease is. It may be wrong in place and extent.")
