"""One image's reading on the page: the number, what it is compared with, and what it rests on."""

from datetime import datetime
from html import escape

import streamlit as st

from cxrmodel.errors import CxrError
from cxrmodel.evaluation.nearest import alike
from cxrmodel.evaluation.storage import load_evaluation
from cxrmodel.model.calibration import at_prevalence
from cxrmodel.reading import Reading
from cxrmodel.report.pdf import pdf_report
from cxrmodel.report.wording import facts, frequency_sentence, percent, probability_percent, reason_for_finding
from cxrmodel.web import app as navigation
from cxrmodel.web.components.badges import badges
from cxrmodel.web.components.downloads import file_title, lazily
from cxrmodel.web.components.scale import scale_html
from cxrmodel.web.components.viewer import viewer
from cxrmodel.web.engine import MODEL
from cxrmodel.web.session import Entry
from cxrmodel.web.text import plain

__all__ = ["result"]

_PREVALENCE = "prevalence set by the user"
_FINDINGS = {
    "pneumonia": (":material/report:", "orange"),
    "uncertain": (":material/help:", "yellow"),
    "normal": (":material/check_circle:", "blue"),
}


def result(entry: Entry) -> None:
    """Draw what became of one file: its reading, or why there is none.

    Parameters
    ----------
    entry : Entry
    """
    if entry.reading is None:
        word, icon = {"refused": ("Refused", ":material/block:")}.get(entry.status, ("Failed", ":material/error:"))
        st.error(
            f"**{word}: {plain(entry.name)}.** {plain(entry.message)} No number is given for this file.", icon=icon
        )
        return
    reading = entry.reading
    image, said = st.columns([6, 5], gap="large")
    with image:
        _image(reading)
    with said:
        _number(reading)
        _reasons(reading)
        _other_prevalence(reading)
        with st.container(horizontal=True, vertical_alignment="center"):
            _pdf(entry)
            navigation.link("heatmap", "Where on the image: the heatmap")


def _image(reading: Reading) -> None:
    radiograph = reading.radiograph
    height, width = radiograph.pixels.shape
    viewer(reading, overlay=False)
    badges(reading)
    st.caption(f"{plain(reading.name)} · {radiograph.file_format}, {width} x {height} pixels, {radiograph.bits} bits")


def _number(reading: Reading) -> None:
    icon, colour = _FINDINGS[reading.finding]
    st.subheader(f":{colour}[{icon}] Finding: {reading.finding}")
    st.metric("Probability of pneumonia", probability_percent(reading.probability, reading.operating_points))
    st.markdown(frequency_sentence(reading.probability, reading.finding, reading.prevalence))
    observed = _observed(reading)
    if observed:
        st.markdown(observed)
    st.html(scale_html(reading.probability, reading.operating_points))
    st.markdown(reason_for_finding(reading.finding, reading.operating_points))
    listed = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts(reading))
    st.html(f'<dl class="facts">{listed}</dl>')


def _observed(reading: Reading) -> str:
    """What the official test showed of such probabilities; nothing where it was not measured with these weights."""
    try:
        evaluation = load_evaluation(MODEL)
    except CxrError:
        return ""
    if evaluation.version != reading.model:
        return ""
    near, labels = alike(evaluation, reading.probability), evaluation.scores["test"].labels
    low, high = percent(near.low), percent(near.high)
    return (
        f"Of the {near.images} images of the official test whose probability was nearest to this one "
        f"({low if low == high else f'{low} to {high}'}), {near.pneumonia} show pneumonia; of all {len(labels)}, "
        f"{int(labels.sum())} do."
    )


def _reasons(reading: Reading) -> None:
    for reason in reading.reasons:
        st.warning(plain(reason), icon=":material/priority_high:")


def _other_prevalence(reading: Reading) -> None:
    assumed = round(100 * reading.prevalence)
    with st.expander("Where pneumonia is rarer or commoner", icon=":material/tune:"):
        st.session_state.setdefault("prevalence slider", st.session_state.get(_PREVALENCE, assumed))
        wanted = st.slider(
            "Share of pneumonia among the images that you read", 1, 99, format="%d %%", key="prevalence slider"
        )
        st.session_state[_PREVALENCE] = wanted
        if wanted == assumed:
            st.markdown(
                f"{percent(reading.prevalence)} is the prevalence that the model's own probability assumes. With it "
                f"the probability is {probability_percent(reading.probability, reading.operating_points)}, as above."
            )
        else:
            shifted = at_prevalence(reading.probability, reading.prevalence, wanted / 100)
            st.markdown(
                f"At a prevalence of {percent(wanted / 100)} the probability of pneumonia is **{percent(shifted)}**."
            )
        st.caption(
            "Only this number moves, by a shift of the log-odds. The model's score, its thresholds and the finding "
            "stay as they are: thresholds compare with the model's own probability."
        )


def _pdf(entry: Entry) -> None:
    reading = entry.reading
    st.download_button(
        "Report as PDF",
        lazily(lambda: pdf_report(reading, entry.read_at, datetime.now().astimezone(), _observed(reading))),
        file_name=file_title(reading, "reading.pdf"),
        mime="application/pdf",
        icon=":material/picture_as_pdf:",
        on_click="ignore",
    )
