"""Explanations: how the attribution methods did in the faithfulness and randomisation tests."""

from collections.abc import Sequence

import streamlit as st

from cxrmodel.evaluation.explanations.schema import AdultExplanations, ExplanationAudit, MethodResult
from cxrmodel.evaluation.report import charts, figures, small_samples
from cxrmodel.explain.methods import INSTANT, METHODS
from cxrmodel.metrics import formatting
from cxrmodel.metrics.estimate import Estimate
from cxrmodel.web.components import chart, downloads
from cxrmodel.web.evaluation.charts import randomisation_chart
from cxrmodel.web.text import text

_DIGITS = 2


def explanations(section: ExplanationAudit | None, intervals: str) -> None:
    """Draw the test results of the methods.

    Parameters
    ----------
    section : ExplanationAudit or None
        None where nothing was measured.
    intervals : str
        How the intervals were made.
    """
    if section is None:
        st.markdown(text("web.evaluation.not_measured"))
        return
    images = section.images
    counts = {"test": images.test, "sample": len(images.sample), "positive": images.positive}
    st.markdown(text("web.explanations.images", default=_title(INSTANT), **counts))
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
            text("web.explanations.in_lungs_positive"): formatting.estimate(row.in_lungs_positive, _DIGITS),
            text("web.explanations.stability"): formatting.estimate(row.stability, _DIGITS),
            text("web.explanations.counts"): str(row.images),
        }
        for row in methods
    ]
    note = text("web.explanations.faithfulness_note", intervals=intervals)
    caveat = small_samples.few(*(small_samples.image_count(min(row.images, row.deletion_auc.n)) for row in methods))
    downloads.table("explanations", rows, f"{note} {caveat}" if caveat else note)


def _randomisation(section: ExplanationAudit) -> None:
    st.markdown(text("web.explanations.randomisation"))
    rows = [
        {
            text("web.explanations.method"): _title(row.name),
            text("web.explanations.randomised"): formatting.number(row.randomisation.spearman[-1], _DIGITS),
            text("web.explanations.shuffled"): formatting.number(row.randomisation.shuffled_labels, _DIGITS),
            text("web.explanations.depends"): text(
                f"web.explanations.{'yes' if row.randomisation.depends_on_model else 'no'}"
            ),
            text("web.explanations.counts"): str(row.randomisation.images),
        }
        for row in section.methods
    ]
    st.table(rows, hide_index=True)
    curves = charts.randomisation_curves(section)
    chart.draw(randomisation_chart, text("web.explanations.randomisation_alt"), curves)
    st.caption(text("web.explanations.randomisation_note", similar=f"{section.similar_from:g}"))
    downloads.menu("explanations-randomisation", lambda: rows)
    points = [
        {"method": curve.title, "stage": stage, "similarity": value}
        for curve in curves
        for stage, value in zip(curve.stages, curve.similarity, strict=True)
    ]
    label = text("web.explanations.curves")
    downloads.menu("explanations-curves", lambda: points, lambda: figures.randomisation_figure(curves), label=label)


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
    downloads.table("explanations-agreement", rows, text("web.explanations.agreement_note"))


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
    downloads.table("explanations-adults", rows, str(small_samples.few(small_samples.image_count(adults.images)) or ""))


def _with_random(figure: Estimate, random: float) -> str:
    written = formatting.estimate(figure, _DIGITS)
    return text("web.explanations.with_random", figure=written, random=formatting.number(random, _DIGITS))


def _title(name: str) -> str:
    return METHODS[name].title
