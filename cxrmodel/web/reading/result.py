"""The result of one file: finding, probability, thresholds, evidence, or why there is no reading."""

from datetime import datetime
from html import escape

import streamlit as st

from cxrmodel.errors import CxrError
from cxrmodel.evaluation.nearest import nearest_images
from cxrmodel.evaluation.storage import load_evaluation
from cxrmodel.metrics.formatting import percent, probability_percent
from cxrmodel.model.calibration import at_prevalence
from cxrmodel.reading import Reading
from cxrmodel.report.pdf import pdf_report
from cxrmodel.report.wording import facts, frequency_sentence, reason_for_finding
from cxrmodel.web import app
from cxrmodel.web.components.downloads import file_title, lazily
from cxrmodel.web.components.scale import scale_html
from cxrmodel.web.components.viewer import viewer
from cxrmodel.web.engine import MODEL
from cxrmodel.web.kept import Entry
from cxrmodel.web.text import named, plain, text

_PREVALENCE, _SLIDER = "prevalence", "prevalence slider"


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
    with image:
        _image(reading)
    with numbers:
        _number(reading)
        for reason in reading.reasons:
            st.warning(plain(reason), icon=":material/priority_high:")
        _adjust_prevalence(reading)
        with st.container(horizontal=True, vertical_alignment="center"):
            _pdf(entry, reading)
            app.link("heatmap", text("web.result.heatmap"))


def _image(reading: Reading) -> None:
    viewer(reading, overlay=False)
    image = reading.radiograph
    height, width = image.pixels.shape
    facts_of_file = {"file_format": image.file_format, "width": width, "height": height, "bits": image.bits}
    st.caption(text("web.result.image", name=named(reading.name), **facts_of_file))


def _number(reading: Reading) -> None:
    icon, colour = _look(reading)
    probability = probability_percent(reading.probability, reading.operating_points)
    st.subheader(f":{colour}[{icon}] {text('web.result.finding', finding=reading.finding)}")
    st.metric(text("web.result.probability", positive=reading.labels.positive), probability)
    st.markdown(str(frequency_sentence(reading)))
    if evidence := _evidence(reading):
        st.markdown(evidence)
    st.html(scale_html(reading.probability, reading.operating_points, reading.labels))
    st.markdown(str(reason_for_finding(reading)))
    listed = "".join(f"<dt>{escape(str(name))}</dt><dd>{escape(str(value))}</dd>" for name, value in facts(reading))
    st.html(f'<dl class="facts">{listed}</dl>')


def _look(reading: Reading) -> tuple[str, str]:
    """Icon and colour of the finding."""
    looks = {
        reading.labels.positive: (":material/report:", "orange"),
        reading.labels.negative: (":material/check_circle:", "blue"),
    }
    return looks.get(reading.finding, (":material/help:", "yellow"))


def _evidence(reading: Reading) -> str:
    """The test images nearest in probability, in a sentence; empty where these weights were not evaluated."""
    try:
        evaluation = load_evaluation(MODEL)
    except CxrError:
        return ""
    if evaluation.version != reading.model:
        return ""
    near, truths = nearest_images(evaluation, reading.probability), evaluation.splits["test"].labels
    low, high = percent(near.low), percent(near.high)
    return text(
        "web.result.nearest",
        positive=reading.labels.positive,
        positives=near.positives,
        images=near.images,
        between=low if low == high else text("web.result.between", low=low, high=high),
        total=len(truths),
        all_positives=int(truths.sum()),
    )


def _adjust_prevalence(reading: Reading) -> None:
    assumed, positive = round(100 * reading.prevalence), reading.labels.positive
    with st.expander(text("web.result.prevalence"), icon=":material/tune:"):
        st.session_state.setdefault(_SLIDER, st.session_state.get(_PREVALENCE, assumed))
        wanted = st.slider(text("web.result.prevalence_share", positive=positive), 1, 99, format="%d %%", key=_SLIDER)
        st.session_state[_PREVALENCE] = wanted
        if wanted == assumed:
            probability = probability_percent(reading.probability, reading.operating_points)
            prevalence = percent(reading.prevalence)
            st.markdown(text("web.result.prevalence_same", prevalence=prevalence, probability=probability))
        else:
            adjusted = percent(at_prevalence(reading.probability, reading.prevalence, wanted / 100))
            values = {"prevalence": percent(wanted / 100), "positive": positive, "probability": adjusted}
            st.markdown(text("web.result.prevalence_other", **values))
        st.caption(text("web.result.prevalence_note"))


def _pdf(entry: Entry, reading: Reading) -> None:
    st.download_button(
        text("web.result.report"),
        lazily(lambda: pdf_report(reading, entry.read_at, datetime.now().astimezone(), _evidence(reading))),
        file_name=file_title(reading, "reading.pdf"),
        mime="application/pdf",
        icon=":material/picture_as_pdf:",
        on_click="ignore",
    )
