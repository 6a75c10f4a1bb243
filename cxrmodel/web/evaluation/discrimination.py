"""How well the model tells images apart, at every threshold."""

from collections.abc import Sequence

import streamlit as st
from matplotlib.figure import Figure

from cxrmodel.errors import EvaluationError
from cxrmodel.evaluation.published import PublishedFigure, published
from cxrmodel.evaluation.report.charts import PublishedMark, RateCurve, baseline_curves, published_marks, rate_curve
from cxrmodel.evaluation.report.context import overall_figure
from cxrmodel.evaluation.report.figures import forest_figure, precision_recall_figure, roc_figure
from cxrmodel.evaluation.report.rows import auc_rows
from cxrmodel.evaluation.report.view import section
from cxrmodel.messages import Message
from cxrmodel.metrics import formatting
from cxrmodel.metrics.estimate import Estimate
from cxrmodel.metrics.registry import score_metrics
from cxrmodel.web.components.downloads import download_menu
from cxrmodel.web.components.forest import forest_html
from cxrmodel.web.components.terms import explain, intervals_sentence
from cxrmodel.web.evaluation.cache import bands_of, fingerprint
from cxrmodel.web.evaluation.chart_order import draw
from cxrmodel.web.evaluation.charts import precision_recall_chart, roc_chart
from cxrmodel.web.evaluation.selection import Shown
from cxrmodel.web.text import plain

__all__ = ["discrimination"]

_NO_SHORTCUTS = (
    "How far one gets without looking at the lungs, by the size of the file or its grey levels alone, has not been "
    "measured for these weights. The command that audits them adds it."
)
_SHORTCUT_LINES = " Thin lines: how far one gets without looking at the lungs."


def discrimination(shown: Shown) -> None:
    """Draw ROC and precision-recall curves, and every area under a curve side by side.

    Parameters
    ----------
    shown : Shown
    """
    others = _published() if shown.ours and shown.split == "test" else []
    corner = st.toggle("Enlarge the corner where the curves lie", key="corner of the curves")
    bands = {name: bands_of(e, shown.split) for name, e in shown.first.items()}
    left, right = st.columns(2, gap="large")
    with left:
        _roc(shown, bands, others, corner)
    with right:
        _precision_recall(shown, bands, corner)
    st.caption(
        f"Bands: {intervals_sentence(shown.evaluation)} Operating points of {shown.looked_at}: ▼ high sensitivity, "
        "● balanced, ▲ high specificity. Dotted: chance. Point at a curve for its threshold, sensitivity and "
        f"specificity.{_SHORTCUT_LINES if _shortcuts(shown) else ''}"
    )
    _areas(shown, others)
    _overall(shown)
    explain(
        "AUC", "Average precision", "Brier score", "Expected calibration error", "Band", "Operating point", "Few images"
    )


def _roc(shown: Shown, bands: dict, others: list[PublishedFigure], corner: bool) -> None:
    st.subheader("ROC curve")
    points = published_marks(others)
    areas = _told(shown, "AUC", "auc")
    roc = {name: curves.roc for name, curves in bands.items()}
    shortcuts = _shortcuts(shown)
    draw(
        lambda: roc_chart(shown.first, shown.split, roc, points, corner, shortcuts),
        f"ROC curves. {areas}.",
        "roc",
        corner,
        points,
        [curve.title for curve in shortcuts],
        *_key(shown),
    )
    diamonds = "".join(f" ◆ published by {plain(mark.title)} on the same images, source below." for mark in points)
    st.caption(f"{areas}.{diamonds}")
    download_menu(f"roc-{shown.split}", lambda: _roc_rows(shown), lambda: _drawn(shown, "roc", points))


def _precision_recall(shown: Shown, bands: dict, corner: bool) -> None:
    st.subheader("Precision and recall")
    areas = _told(shown, "average precision", "average_precision")
    curves = {name: both.precision_recall for name, both in bands.items()}
    shortcuts = _shortcuts(shown)
    draw(
        lambda: precision_recall_chart(shown.first, shown.split, curves, corner, shortcuts),
        f"Precision-recall curves. {areas}.",
        "precision and recall",
        corner,
        [curve.title for curve in shortcuts],
        *_key(shown),
    )
    st.caption(f"{areas}.")
    download_menu(
        f"precision-recall-{shown.split}", lambda: _precision_rows(shown), lambda: _drawn(shown, "precision_recall")
    )


def _told(shown: Shown, said: str, name: str) -> str:
    parts = (
        f"{model} {said} {_written(overall_figure(e, shown.split, name), interval=False)}"
        for model, e in shown.first.items()
    )
    return "; ".join(parts)


def _written(figure: Estimate | Message, interval: bool = True) -> str:
    if isinstance(figure, Message):
        return str(figure)
    return formatting.estimate(figure) if interval else formatting.number(figure.value)


def _shortcuts(shown: Shown) -> list[RateCurve]:
    """Those whose curves are known, on the images that they were tested on."""
    audits = section(shown.evaluation, "audits") if shown.split == "test" else None
    return baseline_curves((audits.shortcuts if audits else None) or ())


def _key(shown: Shown) -> list[tuple[str, str]]:
    return [(name, fingerprint(e, shown.split)) for name, e in shown.first.items()]


def _areas(shown: Shown, others: list[PublishedFigure]) -> None:
    st.subheader("Beside shortcuts and what others published" if shown.ours else "Areas under the ROC curve")
    audits = section(shown.evaluation, "audits") if shown.split == "test" else None
    shortcuts = (audits.shortcuts if audits else None) or ()
    rows = auc_rows(list(shown.first.values()), shown.split, shortcuts, others)
    values = [bound for row in rows for bound in (row.estimate.low, row.estimate.value) if bound is not None]
    low = 0.9 if min(values, default=1.0) > 0.9 else 0.5
    st.html(forest_html(rows, low, 1.0))
    if shown.ours and not shortcuts:
        st.markdown(_NO_SHORTCUTS)
    if others:
        with st.expander("Sources of the published figures", icon=":material/menu_book:"):
            st.markdown("\n".join(_source(figure) for figure in others))
    download_menu(f"auc-{shown.split}", lambda: [row.record for row in rows], lambda: forest_figure(rows, "AUC", 0.5))


def _overall(shown: Shown) -> None:
    st.subheader("Figures that need no threshold")
    rows = [
        {
            "Figure": str(metric.title),
            **{name: _written(overall_figure(e, shown.split, metric.name)) for name, e in shown.models.items()},
        }
        for metric in score_metrics()
    ]
    st.table(rows, hide_index=True)
    measured = "; ".join(f"{e.version} on {e.created}" for e in shown.models.values())
    st.caption(f"{intervals_sentence(shown.evaluation)} Measured: {measured}.")
    download_menu(f"figures-{shown.split}", lambda: rows)


def _source(figure: PublishedFigure) -> str:
    return (
        f"- **{figure.short}**: AUC {figure.auc}, accuracy {figure.accuracy}. {figure.description}. {figure.reference}"
    )


def _published() -> list[PublishedFigure]:
    try:
        return published()
    except EvaluationError as error:
        st.warning(plain(str(error)), icon=":material/warning:")
        return []


def _roc_rows(shown: Shown) -> list[dict]:
    rows = []
    for curve in (rate_curve(evaluation, shown.split) for evaluation in shown.first.values()):
        for threshold, true, specificity in zip(
            curve.thresholds.tolist(), curve.sensitivity.tolist(), curve.specificity.tolist(), strict=True
        ):
            rows.append({"model": curve.title, "threshold": min(threshold, 1.0)})
            rows[-1] |= {"sensitivity": true, "specificity": specificity}
    return rows + [
        {"model": curve.title, "sensitivity": true, "specificity": round(specificity, 5)}
        for curve in _shortcuts(shown)
        for true, specificity in zip(curve.sensitivity.tolist(), curve.specificity.tolist(), strict=True)
    ]


def _precision_rows(shown: Shown) -> list[dict]:
    rows = []
    for curve in (rate_curve(evaluation, shown.split) for evaluation in shown.first.values()):
        for threshold, precision, recall in zip(
            curve.thresholds[::-1].tolist(),
            curve.precision[::-1].tolist(),
            curve.sensitivity[::-1].tolist(),
            strict=True,
        ):
            rows.append({"model": curve.title, "threshold": min(threshold, 1.0)})
            rows[-1] |= {"precision": precision, "recall": recall}
    return rows + [
        {"model": curve.title, "precision": precision, "recall": recall}
        for curve in _shortcuts(shown)
        for precision, recall in zip(curve.precision.tolist(), curve.sensitivity.tolist(), strict=True)
    ]


def _drawn(shown: Shown, kind: str, points: Sequence[PublishedMark] = ()) -> Figure:
    evaluations = list(shown.first.values())
    curves = [rate_curve(evaluation, shown.split) for evaluation in evaluations]
    bands = [getattr(bands_of(e, shown.split), kind) for e in evaluations]
    if kind == "roc":
        return roc_figure(curves, bands, _shortcuts(shown), points)
    prevalence = float(shown.scores.labels.mean())
    return precision_recall_figure(curves, prevalence, bands, _shortcuts(shown))
