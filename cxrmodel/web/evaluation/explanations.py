"""Explanations: how the attribution methods did in the faithfulness and randomisation tests."""

from collections.abc import Sequence

import streamlit as st

from cxrmodel.evaluation.explanations.schema import AdultExplanations, ExplanationAudit, MethodResult
from cxrmodel.evaluation.report.charts import randomisation_curves
from cxrmodel.evaluation.report.figures import randomisation_figure
from cxrmodel.evaluation.report.small_samples import few, image_count
from cxrmodel.explain.methods import METHODS
from cxrmodel.messages import Message
from cxrmodel.metrics import formatting
from cxrmodel.metrics.estimate import Estimate
from cxrmodel.web.components.chart import draw
from cxrmodel.web.components.downloads import download_menu
from cxrmodel.web.evaluation.charts import randomisation_chart
from cxrmodel.web.text import text

__all__ = ["explanations"]

_DIGITS = 2


def explanations(section: ExplanationAudit | None, intervals: str) -> None:
    """Draw what was measured of the methods.

    Parameters
    ----------
    section : ExplanationAudit or None
        None where nothing was measured.
    intervals : str
        How the intervals were made.
    """
    st.subheader(text("web.explanations.title"))
    if section is None:
        st.markdown(text("web.evaluation.not_measured"))
        return
    images = section.images
    counts = {"test": images.test, "sample": len(images.sample), "positive": images.positive}
    st.markdown(text("web.explanations.images", default=_title(section.default), **counts))
    _faithfulness(section.methods, intervals)
    _randomisation(section)
    _agreement(section)
    if section.adults:
        _adults(section.adults)


def _faithfulness(methods: Sequence[MethodResult], intervals: str) -> None:
    st.markdown(text("web.explanations.faithfulness"))
    rows = [
        {
            text("web.explanations.method"): _title(row.name),
            text("web.explanations.deletion"): _with_random(row.deletion_auc, row.random_deletion_auc),
            text("web.explanations.insertion"): _with_random(row.insertion_auc, row.random_insertion_auc),
            text("web.explanations.in_lungs"): formatting.estimate(row.in_lungs, _DIGITS),
            text("web.explanations.stability"): formatting.estimate(row.stability, _DIGITS),
            text("web.explanations.counts"): str(row.images),
        }
        for row in methods
    ]
    st.table(rows, hide_index=True)
    note = text("web.explanations.faithfulness_note", intervals=intervals)
    caveat = few(*(_count(row) for row in methods))
    st.caption(f"{note} {caveat}" if caveat else note)
    download_menu("explanations", lambda: rows)


def _count(row: MethodResult) -> Message:
    return image_count(min(row.images, row.deletion_auc.n))


def _randomisation(section: ExplanationAudit) -> None:
    st.markdown(text("web.explanations.randomisation"))
    rows = [_randomised(row) for row in section.methods]
    st.table(rows, hide_index=True)
    curves = randomisation_curves(section)
    draw(randomisation_chart, text("web.explanations.randomisation_alt"), curves)
    st.caption(text("web.explanations.randomisation_note", similar=f"{section.similar_from:g}"))
    download_menu("explanations-randomisation", lambda: rows)
    points = [
        {"method": curve.title, "stage": stage, "similarity": value}
        for curve in curves
        for stage, value in zip(curve.stages, curve.similarity, strict=True)
    ]
    label = text("web.explanations.curves")
    download_menu("explanations-curves", lambda: points, lambda: randomisation_figure(curves), label=label)


def _randomised(row: MethodResult) -> dict[str, str]:
    found = row.randomisation
    return {
        text("web.explanations.method"): _title(row.name),
        text("web.explanations.randomised"): formatting.number(found.spearman[-1], _DIGITS),
        text("web.explanations.shuffled"): formatting.number(found.shuffled_labels, _DIGITS),
        text("web.explanations.depends"): text(f"web.explanations.{'yes' if found.depends_on_model else 'no'}"),
        text("web.explanations.counts"): str(found.images),
    }


def _agreement(section: ExplanationAudit) -> None:
    st.markdown(text("web.explanations.agreement"))
    titles = [_title(row.name) for row in section.methods]
    rows = [
        {text("web.explanations.method"): title}
        | {
            other: "" if value is None else formatting.number(value, _DIGITS)
            for other, value in zip(titles, line, strict=True)
        }
        for title, line in zip(titles, section.agreement, strict=True)
    ]
    st.table(rows, hide_index=True)
    st.caption(text("web.explanations.agreement_note"))
    download_menu("explanations-agreement", lambda: rows)


def _adults(adults: AdultExplanations) -> None:
    st.markdown(text("web.explanations.adults"))
    share = formatting.share_percent(adults.expected_by_area)
    st.markdown(text("web.explanations.adults_note", images=adults.images, share=share))
    rows = [
        {
            text("web.explanations.method"): _title(row.name),
            text("web.explanations.peak"): formatting.estimate(row.peak_in_box, _DIGITS),
            text("web.explanations.share"): formatting.estimate(row.share, _DIGITS),
        }
        for row in adults.methods
    ]
    st.table(rows, hide_index=True)
    if caveat := few(image_count(adults.images)):
        st.caption(str(caveat))
    download_menu("explanations-adults", lambda: rows)


def _with_random(figure: Estimate, random: float) -> str:
    written = formatting.estimate(figure, _DIGITS)
    return text("web.explanations.with_random", figure=written, random=formatting.number(random, _DIGITS))


def _title(name: str) -> str:
    return METHODS[name].title if name in METHODS else name
