"""Discrimination: ROC and precision-recall curves, areas under the curve, metrics without a threshold."""

from typing import Any

import numpy as np
import streamlit as st

from cxrmodel.errors import EvaluationError
from cxrmodel.evaluation.audits.schema import Shortcut
from cxrmodel.evaluation.published import PublishedFigure, published
from cxrmodel.evaluation.report import figures
from cxrmodel.evaluation.report.charts import RateCurve, baseline_curves, published_marks
from cxrmodel.evaluation.report.context import overall_figure
from cxrmodel.evaluation.report.rows import auc_rows
from cxrmodel.messages import Message
from cxrmodel.metrics import formatting
from cxrmodel.metrics.estimate import Estimate
from cxrmodel.metrics.registry import METRICS, score_metrics
from cxrmodel.web.components.chart import draw
from cxrmodel.web.components.downloads import download_menu, table
from cxrmodel.web.components.forest import forest_html
from cxrmodel.web.components.terms import explain, intervals_text
from cxrmodel.web.evaluation.cache import curve_bands, rate_curve
from cxrmodel.web.evaluation.charts import precision_recall_chart, roc_chart
from cxrmodel.web.evaluation.selection import Selection
from cxrmodel.web.text import plain, text

__all__ = ["discrimination"]


def discrimination(selection: Selection) -> None:
    """Draw the part.

    Parameters
    ----------
    selection : Selection
    """
    others = _published() if selection.is_shipped and selection.split == "test" else []
    corner = st.toggle(text("web.discrimination.corner"), key="corner of the curves")
    evaluations = selection.selected_first.values()
    curves = [rate_curve(evaluation, selection.split) for evaluation in evaluations]
    baselines = baseline_curves(_shortcuts(selection))
    left, right = st.columns(2, gap="large")
    with left:
        _roc(selection, curves, baselines, others, corner)
    with right:
        _precision_recall(selection, curves, baselines, corner)
    bands = text("web.discrimination.bands", intervals=intervals_text(selection.evaluation), title=selection.title)
    st.caption(f"{bands} {text('web.discrimination.baselines')}" if baselines else bands)
    _areas(selection, others)
    _overall(selection)
    explain(*(metric.name for metric in score_metrics()), "band", "operating_point", "few")


def _roc(
    selection: Selection,
    curves: list[RateCurve],
    baselines: list[RateCurve],
    others: list[PublishedFigure],
    corner: bool,
) -> None:
    st.subheader(text("web.discrimination.roc"))
    areas, marks = _areas_of(curves, "auc"), published_marks(others)
    bands = [curve_bands(evaluation, selection.split).roc for evaluation in selection.selected_first.values()]
    series = curves, bands, baselines, marks
    draw(roc_chart, text("web.discrimination.roc_alt", areas=areas), *series, corner=corner)
    st.caption(f"{areas}." + "".join(text("web.discrimination.published", title=plain(mark.title)) for mark in marks))
    columns = {"false_positive_rate": "false_positive_rate", "true_positive_rate": "sensitivity"}
    download_menu(
        f"roc-{selection.split}",
        lambda: _points([*curves, *baselines], columns),
        lambda: figures.roc_figure(*series),
    )


def _precision_recall(selection: Selection, curves: list[RateCurve], baselines: list[RateCurve], corner: bool) -> None:
    st.subheader(text("web.discrimination.precision_recall"))
    areas, prevalence = _areas_of(curves, "average_precision"), float(selection.scores.labels.mean())
    evaluations = selection.selected_first.values()
    bands = [curve_bands(evaluation, selection.split).precision_recall for evaluation in evaluations]
    series = curves, prevalence, bands, baselines
    alt = text("web.discrimination.precision_recall_alt", areas=areas)
    draw(precision_recall_chart, alt, *series, corner=corner)
    st.caption(f"{areas}.")
    download_menu(
        f"precision-recall-{selection.split}",
        lambda: _points([*curves, *baselines], {"precision": "precision", "recall": "sensitivity"}),
        lambda: figures.precision_recall_figure(*series),
    )


def _areas_of(curves: list[RateCurve], metric: str) -> str:
    """The area under each model's curve, in words."""
    parts = []
    for curve in curves:
        area: Estimate | None = getattr(curve, metric)
        figure = str(curve.withheld) if curve.withheld or area is None else formatting.number(area.value)
        name = METRICS[metric].title
        parts.append(text("web.discrimination.area", title=curve.title, metric=name, figure=figure))
    return "; ".join(parts)


def _points(curves: list[RateCurve], columns: dict[str, str]) -> list[dict[str, Any]]:
    """The corners of curves, one a row."""
    rows = []
    for curve in curves:
        values = {"sensitivity": curve.sensitivity, "precision": curve.precision}
        values["false_positive_rate"] = 1 - curve.specificity
        for row, threshold in enumerate(curve.thresholds):
            known = {} if np.isnan(threshold) else {"threshold": min(float(threshold), 1.0)}
            rows.append(
                {"model": curve.title} | known | {name: float(values[key][row]) for name, key in columns.items()}
            )
    return rows


def _areas(selection: Selection, others: list[PublishedFigure]) -> None:
    st.subheader(text("web.discrimination.areas"))
    rows = auc_rows(list(selection.selected_first.values()), selection.split, _shortcuts(selection), others)
    edges = [edge for row in rows for edge in (row.estimate.low, row.estimate.value) if edge is not None]
    st.html(forest_html(rows, 0.9 if min(edges, default=1.0) > 0.9 else 0.5, 1.0))
    if selection.is_shipped and selection.split == "test" and not _shortcuts(selection):
        st.markdown(text("web.evaluation.not_measured"))
    if others:
        with st.expander(text("web.discrimination.sources"), icon=":material/menu_book:"):
            st.markdown("\n".join(_source(figure) for figure in others))
    axis = text("documents.chart.auc")
    download_menu(
        f"auc-{selection.split}", lambda: [row.record for row in rows], lambda: figures.forest_figure(rows, axis, 0.5)
    )


def _overall(selection: Selection) -> None:
    st.subheader(text("web.discrimination.overall"))
    rows = [
        {text("web.discrimination.metric"): str(metric.title)}
        | {
            title: _written(overall_figure(evaluation, selection.split, metric.name), metric.digits)
            for title, evaluation in selection.evaluations.items()
        }
        for metric in score_metrics()
    ]
    versions = "; ".join(
        text("web.discrimination.version", version=evaluation.version, created=evaluation.created)
        for evaluation in selection.evaluations.values()
    )
    measured = text("web.discrimination.measured", versions=versions)
    table(f"figures-{selection.split}", rows, f"{intervals_text(selection.evaluation)} {measured}")


def _written(figure: Estimate | Message, digits: int) -> str:
    return str(figure) if isinstance(figure, Message) else formatting.estimate(figure, digits)


def _shortcuts(selection: Selection) -> tuple[Shortcut, ...]:
    audits = selection.evaluation.audits if selection.split == "test" else None
    return audits.shortcuts if audits else ()


def _source(figure: PublishedFigure) -> str:
    values = {name: getattr(figure, name) for name in ("auc", "accuracy", "description", "reference")}
    return text("web.discrimination.source", title=figure.short, **values)


def _published() -> list[PublishedFigure]:
    try:
        return published()
    except EvaluationError as error:
        st.caption(plain(error))
        return []
