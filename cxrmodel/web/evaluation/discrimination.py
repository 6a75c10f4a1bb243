"""Discrimination: ROC and precision-recall curves, areas under the curve, metrics without a threshold."""

from collections.abc import Callable
from typing import Any

import numpy as np
import streamlit as st
from matplotlib.figure import Figure

from cxrmodel.errors import EvaluationError
from cxrmodel.evaluation.audits.schema import Shortcut
from cxrmodel.evaluation.published import PublishedFigure, published
from cxrmodel.evaluation.report import charts, context, figures, render, rows
from cxrmodel.evaluation.report.curve_picture import curves_svg
from cxrmodel.metrics import formatting
from cxrmodel.metrics.registry import METRICS, score_metrics
from cxrmodel.web import session
from cxrmodel.web.components import downloads, forest, terms
from cxrmodel.web.evaluation.cache import curve_bands, rate_curve
from cxrmodel.web.evaluation.selection import Selection
from cxrmodel.web.text import plain, text

_VIEWS: dict[charts.View, tuple[Callable[..., Figure], dict[str, str]]] = {
    charts.ROC: (
        figures.roc_figure,
        {"false_positive_rate": "false_positive_rate", "true_positive_rate": "sensitivity"},
    ),
    charts.PRECISION_RECALL: (
        figures.precision_recall_figure,
        {"precision": "precision", "recall": "sensitivity"},
    ),
}
"""Each view of the rate curves: the drawing of its file, and the columns of its table by name of the rate."""
_WIDTH = 540
"""Most pixels of a picture; a narrower screen makes it smaller, and it stays a square."""


def discrimination(selection: Selection) -> None:
    """Draw the part.

    Parameters
    ----------
    selection : Selection
    """
    others = _published() if selection.is_shipped and selection.split == "test" else []
    corner = st.toggle(text("web.discrimination.corner"), key="corner of the curves")
    evaluations = selection.selected_first.values()
    wanted = session.prevalence()
    curves = [rate_curve(item, selection.split).at_prevalence(item.prevalence, wanted) for item in evaluations]
    baselines = charts.baseline_curves(_shortcuts(selection))
    both = [curve_bands(evaluation, selection.split) for evaluation in evaluations]
    marks = charts.published_marks(others)
    prevalence = float(selection.scores.labels.mean())
    titles = [text("web.discrimination.published", title=plain(mark.title)) for mark in marks]
    left, right = st.columns(2, gap="large")
    with left:
        roc: tuple[Any, ...] = curves, [bands.roc for bands in both], baselines, marks
        picture = curves_svg(charts.ROC, *roc, corner=corner)
        _view(selection, charts.ROC, picture, roc, [*curves, *baselines], "".join(titles))
    with right:
        recall = [bands.precision_recall for bands in both]
        picture = curves_svg(charts.PRECISION_RECALL, curves, recall, baselines, prevalence=prevalence, corner=corner)
        series = curves, prevalence, recall, baselines
        _view(selection, charts.PRECISION_RECALL, picture, series, [*curves, *baselines])
    bands = text(
        "web.discrimination.bands", intervals=terms.intervals_text(selection.evaluation), title=selection.title
    )
    st.caption(f"{bands} {text('web.discrimination.baselines')}" if baselines else bands)
    _areas(selection, others)
    _overall(selection)
    terms.explain(*(metric.name for metric in score_metrics()), "band", "operating_point", "few")


def _view(
    selection: Selection,
    view: charts.View,
    picture: str,
    series: tuple[Any, ...],
    lines: list[charts.RateCurve],
    more: str = "",
) -> None:
    """Draw one view of the curves: picture, areas and downloads."""
    static, columns = _VIEWS[view]
    st.subheader(text(f"web.discrimination.{view.name}"))
    areas = _areas_of(series[0], view.metric)
    st.image(picture, width=_WIDTH, alt=text(f"web.discrimination.{view.name}_alt", areas=areas))
    st.caption(f"{areas}.{more}")
    name = f"{view.name.replace('_', '-')}-{selection.split}"
    downloads.menu(name, lambda: _points(lines, columns), lambda: static(*series))


def _areas_of(curves: list[charts.RateCurve], metric: str) -> str:
    """The area under each model's curve, in words."""
    figures_by_title = {
        curve.title: curve.withheld or formatting.number(getattr(curve, metric).value) for curve in curves
    }
    name = METRICS[metric].title
    return "; ".join(
        text("web.discrimination.area", title=title, metric=name, figure=figure)
        for title, figure in figures_by_title.items()
    )


def _points(curves: list[charts.RateCurve], columns: dict[str, str]) -> list[dict[str, Any]]:
    """The corners of curves, one a row."""
    return [
        {"model": curve.title}
        | ({} if np.isnan(threshold) else {"threshold": min(float(threshold), 1.0)})
        | {title: float(getattr(curve, rate)[row]) for title, rate in columns.items()}
        for curve in curves
        for row, threshold in enumerate(curve.thresholds)
    ]


def _areas(selection: Selection, others: list[PublishedFigure]) -> None:
    st.subheader(text("web.discrimination.areas"))
    areas = rows.auc_rows(list(selection.selected_first.values()), selection.split, _shortcuts(selection), others)
    edges = [edge for row in areas for edge in (row.estimate.low, row.estimate.value) if edge is not None]
    st.html(forest.forest_html(areas, 0.9 if min(edges, default=1.0) > 0.9 else 0.5, 1.0))
    if selection.is_shipped and selection.split == "test" and not _shortcuts(selection):
        st.markdown(text("web.evaluation.not_measured"))
    if others:
        sources = [
            text("web.discrimination.source", **vars(figure), title=figure.short, reference=figure.reference)
            for figure in others
        ]
        st.expander(text("web.discrimination.sources"), icon=":material/menu_book:").markdown("\n".join(sources))
    axis = text("documents.chart.auc")
    downloads.menu(
        f"auc-{selection.split}", lambda: [row.record for row in areas], lambda: figures.forest_figure(areas, axis, 0.5)
    )


def _overall(selection: Selection) -> None:
    st.subheader(text("web.discrimination.overall"))
    figures_of_models = [
        {text("web.discrimination.metric"): str(metric.title)}
        | {
            title: render.figure(context.overall_figure(evaluation, selection.split, metric.name), metric.digits)
            for title, evaluation in selection.evaluations.items()
        }
        for metric in score_metrics()
    ]
    versions = "; ".join(
        text("web.discrimination.version", version=evaluation.version, created=evaluation.created)
        for evaluation in selection.evaluations.values()
    )
    measured = text("web.discrimination.measured", versions=versions)
    downloads.table(
        f"figures-{selection.split}", figures_of_models, f"{terms.intervals_text(selection.evaluation)} {measured}"
    )


def _shortcuts(selection: Selection) -> tuple[Shortcut, ...]:
    audits = selection.evaluation.audits if selection.split == "test" else None
    return audits.shortcuts if audits else ()


def _published() -> list[PublishedFigure]:
    try:
        return published()
    except EvaluationError as error:
        st.caption(plain(error))
        return []
