"""Decision: what follows from a threshold. A slider moves everything in the browser, without the server."""

import math
from collections.abc import Mapping
from typing import Any

import streamlit as st

from cxrmodel.evaluation.report.figures import decision_figure
from cxrmodel.evaluation.report.small_samples import few_findings
from cxrmodel.evaluation.schema import Evaluation
from cxrmodel.metrics import formatting
from cxrmodel.metrics.curves import DecisionCurve
from cxrmodel.metrics.estimate import significant
from cxrmodel.metrics.rates import Confusion
from cxrmodel.metrics.registry import rates_in_order
from cxrmodel.metrics.thresholds import ThresholdTable
from cxrmodel.model.spec import Labels
from cxrmodel.paths import ASSETS
from cxrmodel.web.components.downloads import download_menu
from cxrmodel.web.components.terms import explain, intervals_text, term_meaning, term_title
from cxrmodel.web.evaluation.cache import fingerprint, net_benefit_curve, threshold_table
from cxrmodel.web.evaluation.selection import Selection
from cxrmodel.web.text import text

__all__ = ["browser_data", "decision", "point_rows", "threshold_rows"]

_FOLDER = ASSETS / "decision"
_html, _css, _js = ((_FOLDER / f"decision.{kind}").read_text(encoding="utf-8") for kind in ("html", "css", "js"))
_mount = st.components.v2.component("cxrmodel_decision", html=_html, css=_css, js=_js)
_COUNTS = ("tp", "fn", "fp", "tn")
_TEXTS = (
    *("benefit_at", "benefit_label", "benefit_note", "cell", "curve", "false_positive_rate", "finding_negative"),
    *("finding_positive", "fn", "fp", "frequency", "matrix", "matrix_note", "metrics", "metrics_note", "net_benefit"),
    *("point", "prevalence", "prevalence_note", "prevalence_slider", "roc", "roc_label", "roc_note", "sensitivity"),
    *("slider", "threshold", "threshold_probability", "tn", "to", "tp"),
)
"""Texts of the browser: keys of the catalogue's table ``web.decision.browser``."""
_FILLED_IN = (
    *("alarms", "benefit", "found", "high", "low", "missed"),
    *("negatives", "positives", "share", "threshold", "title"),
)
Row = dict[str, Any]


def decision(selection: Selection) -> None:
    """Draw the part.

    Parameters
    ----------
    selection : Selection
    """
    evaluation, split = selection.evaluation, selection.split
    data = browser_data(evaluation, split)
    with st.container(key="decision"):
        _mount(data=data, key=f"decision {data['key']}", width="stretch")
    with st.container(horizontal=True, gap="small"):
        every_threshold = text("web.decision.every_threshold")
        download_menu(f"thresholds-{split}", lambda: threshold_rows(evaluation, split), label=every_threshold)
        curves = {title: net_benefit_curve(e, split) for title, e in selection.selected_first.items()}
        download_menu(
            f"decision-curve-{split}",
            lambda: _benefit_rows(curves),
            lambda: decision_figure(curves),
            label=text("web.decision.curve"),
        )
    explain("net_benefit", "prevalence", "operating_point", "interval", "few")
    _points(selection)


def threshold_rows(evaluation: Evaluation, split: str) -> list[Row]:
    """Counts and rates with intervals at every threshold at which a finding changes, one row each."""
    table = threshold_table(evaluation, split)
    rows = []
    for place, threshold in enumerate(table.thresholds):
        row: Row = {"threshold": float(threshold)} | _counts(table.confusion(place))
        for rate in rates_in_order():
            row[rate.name] = _json(table.values[rate.name][place])
            row[f"{rate.name}_low"] = _json(table.lows[rate.name][place])
            row[f"{rate.name}_high"] = _json(table.highs[rate.name][place])
        rows.append(row)
    return rows


def point_rows(evaluations: Mapping[str, Evaluation], split: str, point: str) -> list[Row]:
    """Threshold, rates and counts of every model at an operating point, in words.

    Parameters
    ----------
    evaluations : mapping of str to Evaluation
        By the title of the model.
    split, point : str
    """
    figure = text("web.decision.figure")
    thresholds = {title: evaluation.operating_points[point] for title, evaluation in evaluations.items()}
    tables = {title: threshold_table(evaluation, split) for title, evaluation in evaluations.items()}
    places = {title: table.at(thresholds[title]) for title, table in tables.items()}
    written = {title: formatting.threshold_percent(threshold) for title, threshold in thresholds.items()}
    rows = [{figure: text("web.decision.threshold")} | written]
    for rate in rates_in_order():
        cells = {
            t: formatting.estimate(table.estimate(rate.name, places[t]), rate.digits) for t, table in tables.items()
        }
        rows.append({figure: str(rate.title)} | cells)
    for name in _COUNTS:
        cells = {t: str(getattr(table.confusion(places[t]), name)) for t, table in tables.items()}
        rows.append({figure: text(f"documents.confusion.{name}")} | cells)
    return rows


def browser_data(evaluation: Evaluation, split: str) -> Row:
    """Everything that the browser needs to follow the slider, as plain JSON.

    Returns
    -------
    dict
        Among others counts and metrics with intervals at every threshold at which a finding changes: null where a
        metric is not defined, "inf" where it has no bound.
    """
    table, labels = threshold_table(evaluation, split), evaluation.labels
    confusions = [table.confusion(place) for place in range(len(table.thresholds))]
    return {
        "key": f"{split} {fingerprint(evaluation)}",
        "thresholds": table.thresholds.tolist(),
        "counts": {name: [getattr(confusion, name) for confusion in confusions] for name in _COUNTS},
        "metrics": [_metric(table, rate.name, str(rate.title), rate.digits) for rate in rates_in_order()],
        "predictive": [
            {"name": f"{name}_at", "title": term_title(name), "meaning": term_meaning(name)} for name in ("ppv", "npv")
        ],
        "points": [
            {
                "name": name,
                "title": f"{_point(name)} ({formatting.threshold_percent(threshold)})",
                "threshold": threshold,
            }
            for name, threshold in evaluation.operating_points.items()
        ],
        "few": [str(few_findings(confusion, labels) or "") for confusion in confusions],
        "prevalence": evaluation.prevalence,
        "benefit": _benefit(net_benefit_curve(evaluation, split)),
        "texts": _texts(evaluation, labels),
    }


def _points(selection: Selection) -> None:
    """A table of all models at a chosen operating point."""
    st.subheader(text("web.decision.points"))
    names = list(selection.evaluation.operating_points)
    point = st.segmented_control(
        text("web.decision.point"),
        names,
        default="balanced",
        required=True,
        format_func=_point,
        key="operating point",
    )
    split, models = selection.split, selection.evaluations
    st.table(point_rows(models, split, point or "balanced"), hide_index=True)
    st.caption(intervals_text(selection.evaluation))
    column = text("web.decision.point")
    download_menu(
        f"operating-points-{split}",
        lambda: [{column: name} | row for name in names for row in point_rows(models, split, name)],
    )


def _point(name: str) -> str:
    """Title of an operating point."""
    return text(f"report.operating_point.{name}").capitalize()


def _counts(confusion: Confusion) -> dict[str, int]:
    return {name: getattr(confusion, name) for name in ("tn", "fp", "fn", "tp")}


def _benefit_rows(curves: Mapping[str, DecisionCurve]) -> list[Row]:
    return [
        {"model": title, "threshold": t, "net_benefit": value, "low": low, "high": high, "treat_all": treat_all}
        for title, curve in curves.items()
        for t, value, low, high, treat_all in zip(*(part.tolist() for part in curve), strict=True)
    ]


def _metric(table: ThresholdTable, name: str, title: str, digits: int) -> Row:
    columns = {"values": table.values[name], "lows": table.lows[name], "highs": table.highs[name]}
    written = {column: [_json(value) for value in values] for column, values in columns.items()}
    return {"name": name, "title": title, "meaning": term_meaning(name), "digits": digits} | written


def _benefit(curve: DecisionCurve) -> dict[str, list[float]]:
    return {name: [round(float(value), 5) for value in values] for name, values in curve._asdict().items()}


def _json(value: float) -> float | str | None:
    if math.isnan(value):
        return None
    return "inf" if math.isinf(value) else significant(float(value), 5)


def _texts(evaluation: Evaluation, labels: Labels) -> dict[str, str]:
    """Texts for the browser, which fills in the values that are left in braces."""
    values = {name: f"{{{name}}}" for name in _FILLED_IN}
    values |= {"intervals": intervals_text(evaluation), "meaning": term_meaning("net_benefit")}
    values |= {"positive": labels.positive, "negative": labels.negative}
    texts = {name: text(f"web.decision.browser.{name}", **values) for name in _TEXTS}
    undefined = {"undefined": text("metrics.undefined"), "unbounded": text("metrics.unbounded")}
    return texts | undefined | {"positive": labels.positive.capitalize(), "negative": labels.negative.capitalize()}
