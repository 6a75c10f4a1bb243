"""The Heatmap page: the map on its image, the finding, and the test of the map."""

import streamlit as st

from cxrmodel.model.spec import UNCERTAIN
from cxrmodel.prevalence import prevalence_words
from cxrmodel.reading import Attribution, Reader, Reading
from cxrmodel.report.wording import heat_sentence, reason_for_finding
from cxrmodel.web import app, session
from cxrmodel.web.components.viewer import viewer
from cxrmodel.web.heatmap.chooser import choose_image
from cxrmodel.web.heatmap.faithfulness import faithfulness
from cxrmodel.web.heatmap.methods import choose_explanation
from cxrmodel.web.text import named, plain, text


def heatmap(reader: Reader) -> None:
    """Draw the page.

    Parameters
    ----------
    reader : Reader
    """
    readings = session.readings()
    if not readings:
        st.info(text("web.heatmap.empty"))
        app.link("read", text("web.heatmap.empty_link"))
        return
    chosen = choose_image(readings).reading
    if chosen is None:
        return
    explained = choose_explanation(reader, chosen)
    reading = explained.reading
    viewer(reading, overlay=True, legend=explained.legend, range_note=explained.range_note)
    st.caption(text("web.heatmap.image", name=named(reading.name)))
    _words(reading)
    faithfulness(reader, explained)


def _words(reading: Reading) -> None:
    named = {"finding": reading.finding, "positive": reading.labels.positive}
    number = {"probability": reading.shown.probability, "prevalence": prevalence_words(reading.prevalence)}
    st.markdown(text("web.heatmap.finding", **named, **number))
    for warning in dict.fromkeys((*reading.radiograph.notes, *reading.check.warnings)):
        st.warning(plain(warning), icon=":material/priority_high:")
    sentence = str(heat_sentence(reading))
    if reading.attribution in (Attribution.NONE, Attribution.FAINT):
        st.info(sentence, icon=":material/info:")
    elif reading.attribution is Attribution.OUTSIDE:
        st.warning(sentence, icon=":material/priority_high:")
    else:
        st.markdown(sentence)
    if meaning := _meaning(reading):
        reason = reason_for_finding(reading)
        st.info(f"{reason} {meaning}", icon=":material/info:")
    st.caption(text("web.heatmap.note"))


def _meaning(reading: Reading) -> str:
    """What the finding implies for the map; empty for a positive finding."""
    if reading.finding == UNCERTAIN:
        return text("web.viewer.uncertain")
    if reading.finding == reading.labels.negative and reading.heat_in_lungs is not None:
        return text("web.heatmap.negative", positive=reading.labels.positive)
    return ""
