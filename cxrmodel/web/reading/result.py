"""The result of one file: finding, probability, thresholds, evidence, or why there is no reading."""

from collections.abc import Iterable
from datetime import datetime
from html import escape

import streamlit as st

from cxrmodel.errors import CxrError
from cxrmodel.evaluation.nearest import Evidence, evidence
from cxrmodel.evaluation.storage import load_evaluation
from cxrmodel.messages import Message
from cxrmodel.prevalence import prevalence_words
from cxrmodel.reading import Reading
from cxrmodel.report.pdf import pdf_report
from cxrmodel.report.wording import (
    evidence_counts,
    evidence_sentence,
    facts,
    other_reasons,
    reason_for_finding,
    shares_sentence,
    unlike_reasons,
)
from cxrmodel.web import app
from cxrmodel.web.components.downloads import file_title, lazily
from cxrmodel.web.components.prevalence import choose_prevalence
from cxrmodel.web.components.scale import scale_html
from cxrmodel.web.components.viewer import viewer
from cxrmodel.web.engine import MODEL
from cxrmodel.web.kept import Entry
from cxrmodel.web.text import named, plain, text


def result(entry: Entry) -> None:
    """Draw the result of one file.

    Parameters
    ----------
    entry : Entry
    """
    if entry.reading is None:
        icon = ":material/block:" if entry.status == "refused" else ":material/error:"
        words = text(f"web.result.{entry.status}", name=named(entry.name), reason=plain(entry.reason))
        st.error(words, icon=icon)
        return
    reading = entry.reading
    image, numbers = st.columns([6, 5], gap="large")
    with numbers:  # first: a number that follows the prevalence does not wait for the image
        _warn(unlike_reasons(reading))
        _number(reading)
        _warn(other_reasons(reading))
        choose_prevalence(reading.labels)
        with st.container(horizontal=True, vertical_alignment="center"):
            _pdf(entry, reading)
            app.link("heatmap", text("web.result.heatmap"))
    with image:
        _image(reading)


def _warn(reasons: Iterable[Message]) -> None:
    for reason in reasons:
        st.warning(plain(reason), icon=":material/priority_high:")


def _image(reading: Reading) -> None:
    viewer(reading, overlay=False)
    image = reading.radiograph
    height, width = image.pixels.shape
    facts_of_file = {"file_format": image.file_format, "width": width, "height": height, "bits": image.bits}
    st.caption(text("web.result.image", name=named(reading.name), **facts_of_file))


def _number(reading: Reading) -> None:
    icon, colour = _look(reading)
    st.subheader(f":{colour}[{icon}] {text('web.result.finding', finding=reading.finding)}")
    assumed = prevalence_words(reading.prevalence)
    title = text("web.result.probability", positive=reading.labels.positive, prevalence=assumed)
    st.metric(title, reading.shown.probability)
    if found := _evidence(reading):
        st.markdown(str(evidence_sentence(reading, found)), help=str(evidence_counts(reading, found)))
    st.html(scale_html(reading.probability, reading.operating_points, reading.labels))
    st.markdown(str(reason_for_finding(reading)))
    listed = "".join(f"<dt>{escape(str(name))}</dt><dd>{escape(str(value))}</dd>" for name, value in facts(reading))
    st.html(f'<dl class="facts">{listed}</dl>')
    if sentence := shares_sentence(reading):
        st.markdown(str(sentence))


def _look(reading: Reading) -> tuple[str, str]:
    """Icon and colour of the finding."""
    looks = {
        reading.labels.positive: (":material/report:", "orange"),
        reading.labels.negative: (":material/check_circle:", "blue"),
    }
    return looks.get(reading.finding, (":material/help:", "yellow"))


def _evidence(reading: Reading) -> Evidence | None:
    """The test images of the most similar scores; None where these weights were not evaluated."""
    try:
        evaluation = load_evaluation(MODEL)
    except CxrError:
        return None
    if evaluation.version != reading.model:
        return None
    scores = evaluation.splits["test"]
    return evidence(scores.labels, scores.logits, reading.logit, reading.prevalence)


def _observed(reading: Reading) -> str:
    """The evidence in words, with its counts."""
    found = _evidence(reading)
    return f"{evidence_sentence(reading, found)} {evidence_counts(reading, found)}" if found else ""


def _pdf(entry: Entry, reading: Reading) -> None:
    st.download_button(
        text("web.result.report"),
        lazily(lambda: pdf_report(reading, entry.read_at, datetime.now().astimezone(), _observed(reading))),
        file_name=file_title(reading, "reading.pdf"),
        mime="application/pdf",
        icon=":material/picture_as_pdf:",
        on_click="ignore",
    )
