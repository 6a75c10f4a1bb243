"""How right the stated probability is: before and after calibration, and where pneumonia is rarer."""

import streamlit as st

from cxrmodel.evaluation.report.figures import reliability_figure
from cxrmodel.evaluation.report.small_samples import few_in_bins
from cxrmodel.metrics import formatting
from cxrmodel.metrics.calibration import Reliability
from cxrmodel.metrics.formatting import percent
from cxrmodel.web.components.downloads import download_menu
from cxrmodel.web.components.terms import explain, intervals_sentence
from cxrmodel.web.evaluation.cache import fingerprint, reliability_of, verdict_of
from cxrmodel.web.evaluation.calibration_audit import audited_rows, why
from cxrmodel.web.evaluation.chart_order import draw
from cxrmodel.web.evaluation.charts import reliability_chart
from cxrmodel.web.evaluation.selection import Shown

__all__ = ["calibration"]

_PREVALENCES = (0.05, 0.1, 0.2, 0.3, 0.5)


def calibration(shown: Shown) -> None:
    """Draw reliability diagrams before and after calibration and under a chosen prevalence, with their figures.

    Parameters
    ----------
    shown : Shown
    """
    evaluation = shown.evaluation
    before, after = (reliability_of(evaluation, shown.split, kind) for kind in ("before", "after"))
    assumed = percent(evaluation.prevalence)
    st.markdown(verdict_of(evaluation, shown.split))
    titles = ("Before calibration", "After calibration")
    said = (
        "What the network itself states, of an even prevalence.",
        f"What the program states. It assumes a prevalence of {assumed}.",
    )
    for column, title, words, bins in zip(st.columns(2, gap="large"), titles, said, (before, after), strict=True):
        with column:
            _diagram(shown, title, words, bins)
    st.caption(
        f"Images in order of the probability stated, in 15 groups of {after.images:.3g} images each; an image on an edge is "
        "shared out. Lines: Wilson's 95 % intervals, images taken as independent. Dotted: perfect calibration. "
        f"{few_in_bins(after) or ''}"
    )
    _under_another_prevalence(shown)
    _figures(shown, before, after)
    with st.expander("The groups in numbers", icon=":material/table_rows:"):
        rows = _rows(after)
        st.table([{name: _said(value) for name, value in row.items()} for row in rows], hide_index=True)
    explain("Expected calibration error", "Brier score", "Prevalence", "95 % interval", "Few images")


def _diagram(shown: Shown, title: str, words: str, bins: Reliability) -> None:
    st.subheader(title)
    said = f"{title}: reliability diagram, calibration error {bins.ece.value:.3f}"
    draw(lambda: reliability_chart(bins), said, title, fingerprint(shown.evaluation, shown.split))
    ece, brier = formatting.estimate(bins.ece), formatting.estimate(bins.brier)
    st.caption(f"{words} Calibration error {ece}; Brier score {brier}.")
    name = f"reliability-{title.split()[0].lower()}-{shown.split}"
    download_menu(name, lambda: _rows(bins), lambda: reliability_figure({title: bins}, "pneumonia"))


def _under_another_prevalence(shown: Shown) -> None:
    st.subheader("Under another prevalence")
    own = float(shown.scores.labels.mean())
    choices = sorted({*_PREVALENCES, round(own, 4)})
    wanted = st.segmented_control(
        "Prevalence",
        choices,
        default=0.2,
        required=True,
        format_func=lambda value: f"{percent(value)}{', as on these images' if value == round(own, 4) else ''}",
        key="prevalence of the calibration",
    )
    bins = reliability_of(shown.evaluation, shown.split, "shifted", wanted)
    chart, words = st.columns(2, gap="large")
    with chart:
        said = f"Reliability at a prevalence of {percent(wanted)}"
        draw(lambda: reliability_chart(bins), said, wanted, fingerprint(shown.evaluation, shown.split))
        download_menu(
            f"reliability-shifted-{shown.split}",
            lambda: _rows(bins),
            lambda: reliability_figure({"Shifted": bins}, "pneumonia"),
        )
    with words:
        st.markdown(
            f"The probabilities shifted to a prevalence of {percent(wanted)} by Bayes' rule, as the Read page does it, "
            f"on these images weighed so that {percent(wanted)} of them show pneumonia. Calibration error "
            f"**{formatting.estimate(bins.ece)}**, Brier score **{formatting.estimate(bins.brier)}**."
        )
        st.markdown(
            "This holds where only the share of pneumonia differs, and not the children, the images or the disease. "
            f"Intervals of the groups are wide where few images stand for many. {few_in_bins(bins) or ''}"
        )


def _figures(shown: Shown, before: Reliability, after: Reliability) -> None:
    st.subheader("Calibration in figures")
    rows = [
        {
            "Probability": said,
            "Expected calibration error": formatting.estimate(bins.ece),
            "Brier score": formatting.estimate(bins.brier),
        }
        for said, bins in (("before calibration", before), ("after calibration", after))
    ]
    audited = shown.evaluation.sections.get("audits", {}).get("calibration", {}) if shown.ours else {}
    rows += audited_rows(audited, shown.split)
    st.table(rows, hide_index=True)
    st.caption(intervals_sentence(shown.evaluation))
    download_menu(f"calibration-{shown.split}", lambda: rows)
    if shown.split == "test" and shown.ours:
        st.markdown("Calibration was fitted on held-out training patients, never on these images.")
        why(audited)


def _rows(bins: Reliability) -> list[dict[str, float]]:
    columns = ("mean_probability", "observed", "low", "high")
    values = zip(*(getattr(bins, name) for name in columns), strict=True)
    return [
        {**{name: round(float(v), 6) for name, v in zip(columns, row, strict=True)}, "images": bins.images}
        for row in values
    ]


def _said(value: float) -> str:
    return f"{value:.3f}" if value <= 1 else f"{value:.4g}"
