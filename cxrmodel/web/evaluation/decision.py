"""Decision: the consequences of a threshold. A slider moves everything in the browser, without the server."""

import math
from collections.abc import Mapping
from functools import partial
from typing import Any

import streamlit as st

from cxrmodel.evaluation.report import figures, small_samples
from cxrmodel.evaluation.schema import Evaluation
from cxrmodel.metrics import formatting
from cxrmodel.metrics.curves import DecisionCurve
from cxrmodel.metrics.estimate import Estimate, significant
from cxrmodel.metrics.registry import Metric, rates_in_order
from cxrmodel.metrics.thresholds import ThresholdTable
from cxrmodel.model.calibration import at_prevalence, points_at
from cxrmodel.model.spec import Labels
from cxrmodel.paths import ASSETS
from cxrmodel.prevalence import prevalence_words
from cxrmodel.web import session
from cxrmodel.web.components import downloads, terms
from cxrmodel.web.evaluation.cache import fingerprint, net_benefit_curve, three_way, threshold_table
from cxrmodel.web.evaluation.selection import Selection
from cxrmodel.web.text import text

_FOLDER = ASSETS / "decision"
_NUMBERS = ASSETS / "room" / "numbers.js"
_html, _css, _js = ((_FOLDER / f"decision.{kind}").read_text(encoding="utf-8") for kind in ("html", "css", "js"))
_js = f"{_NUMBERS.read_text(encoding='utf-8')}\n{_js}"
_mount = st.components.v2.component("cxrmodel_decision", html=_html, css=_css, js=_js)
_COUNTS = ("tp", "fn", "fp", "tn")
_TEXTS = (
    *("benefit_at", "benefit_label", "benefit_note", "cell", "curve", "false_positive_rate", "finding_negative"),
    *("finding_positive", "fn", "fp", "frequency", "matrix", "matrix_note", "metrics", "metrics_note", "net_benefit"),
    *("point", "prevalence", "prevalence_note", "prevalence_slider", "roc", "roc_label", "roc_note", "sensitivity"),
    *("slider", "three_way", "three_way_note", "threshold", "threshold_probability", "tn", "to", "tp"),
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
    data = browser_data(evaluation, split) | {"prevalence": session.prevalence()}
    key = f"decision {data['key']}"

    def follow() -> None:
        if (chosen := st.session_state[key].get("prevalence")) is not None:
            session.set_prevalence(float(chosen))

    with st.container(key="decision"):
        _mount(data=data, key=key, width="stretch", on_prevalence_change=follow)
    with st.container(horizontal=True, gap="small"):
        every_threshold = text("web.decision.every_threshold")
        thresholds = partial(threshold_rows, evaluation, split, session.prevalence())
        downloads.menu(f"thresholds-{split}", thresholds, label=every_threshold)
        curves = {title: net_benefit_curve(e, split) for title, e in selection.selected_first.items()}
        downloads.menu(
            f"decision-curve-{split}",
            lambda: _benefit_rows(curves),
            lambda: figures.decision_figure(curves),
            label=text("web.decision.curve"),
        )
    terms.explain("net_benefit", "prevalence", "operating_point", "interval", "few")
    _points(selection)


def threshold_rows(evaluation: Evaluation, split: str, prevalence: float) -> list[Row]:
    """Counts and rates with intervals at every threshold at which a finding changes, one row each.

    Parameters
    ----------
    evaluation : Evaluation
    split : str
    prevalence : float
        Of the thresholds.
    """
    found = threshold_table(evaluation, split)
    parts = {"": found.values, "_low": found.lows, "_high": found.highs}
    return [
        {"threshold": at_prevalence(float(threshold), evaluation.prevalence, prevalence), "prevalence": prevalence}
        | {name: getattr(found.confusion(place), name) for name in ("tn", "fp", "fn", "tp")}
        | {
            f"{rate.name}{ending}": _json(part[rate.name][place])
            for rate in rates_in_order()
            for ending, part in parts.items()
        }
        for place, threshold in enumerate(found.thresholds)
    ]


def point_rows(evaluations: Mapping[str, Evaluation], split: str, point: str, prevalence: float) -> list[Row]:
    """Threshold, rates and counts of every model at an operating point, in words.

    Parameters
    ----------
    evaluations : mapping of str to Evaluation
        By the title of the model.
    split, point : str
    prevalence : float
        Of the threshold.
    """
    figure = text("web.decision.figure")
    columns = {title: _figures(evaluation, split, point, prevalence) for title, evaluation in evaluations.items()}
    return [
        {figure: name} | {title: column[name] for title, column in columns.items()}
        for name in next(iter(columns.values()))
    ]


def _figures(evaluation: Evaluation, split: str, point: str, prevalence: float) -> dict[str, str]:
    """Threshold, rates and counts of one model by their titles."""
    found, threshold = threshold_table(evaluation, split), evaluation.operating_points[point]
    place = found.at(threshold)
    rates = {
        str(rate.title): formatting.estimate(found.estimate(rate.name, place), rate.digits) for rate in rates_in_order()
    }
    counts = {text(f"documents.confusion.{name}"): str(getattr(found.confusion(place), name)) for name in _COUNTS}
    shown = points_at(evaluation.operating_points, evaluation.prevalence, prevalence)[point]
    title = text("web.decision.threshold", prevalence=prevalence_words(prevalence))
    return {title: formatting.threshold_percent(shown)} | rates | counts


def browser_data(evaluation: Evaluation, split: str) -> Row:
    """Everything that the browser needs to follow the sliders, as plain JSON, at the prevalence of the evaluation.

    Returns
    -------
    dict
        Among others counts and metrics with intervals at every threshold at which a finding changes: null where a
        metric is not defined, "inf" where it has no bound.
    """
    found, labels = threshold_table(evaluation, split), evaluation.labels
    confusions = [found.confusion(place) for place in range(len(found.thresholds))]
    return {
        "key": f"{split} {fingerprint(evaluation)}",
        "thresholds": found.thresholds.tolist(),
        "counts": {name: [getattr(confusion, name) for confusion in confusions] for name in _COUNTS},
        "metrics": [_metric(found, rate) for rate in rates_in_order()],
        "predictive": [
            {"name": f"{name}_at", "title": terms.term_title(name), "meaning": terms.term_meaning(name)}
            for name in ("ppv", "npv")
        ],
        "points": [
            {"name": name, "title": _point(name), "threshold": threshold}
            for name, threshold in evaluation.operating_points.items()
        ],
        "threeWay": _three_way(evaluation, split),
        "few": [str(small_samples.few_findings(confusion, labels) or "") for confusion in confusions],
        "assumed": evaluation.prevalence,
        "benefit": {
            name: [round(float(value), 5) for value in values]
            for name, values in net_benefit_curve(evaluation, split)._asdict().items()
        },
        "texts": _texts(evaluation, labels),
    }


def _three_way(evaluation: Evaluation, split: str) -> Row:
    """The findings by true label as words: the names of the columns, and the cells of each row."""
    labels, found = evaluation.labels, three_way(evaluation, split)
    kinds = {labels.positive: "positive", labels.negative: "negative"}
    return {
        "columns": [{"name": name.capitalize(), "kind": kinds.get(name, "uncertain")} for name in labels.findings],
        "rows": [
            {
                "name": text("web.decision.browser.three_way_of", group=row.group, images=row.images),
                "right": kinds[labels.positive if row.group.lower() == labels.positive.lower() else labels.negative],
                "cells": [[str(row.counts[name]), *_share(row.shares[name])] for name in labels.findings],
            }
            for row in found
        ],
    }


def _share(share: Estimate) -> tuple[str, str]:
    """A share and its interval in words."""
    if share.value is None:
        return text("metrics.undefined"), ""
    written = formatting.share_percent(share.value, 1)
    if share.interval is None:
        return written, ""
    low, high = (formatting.share_percent(edge, 1) for edge in share.interval)
    return written, text("web.decision.browser.to", low=low, high=high)


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
    split, models, prevalence = selection.split, selection.evaluations, session.prevalence()
    column = text("web.decision.point")
    downloads.table(
        f"operating-points-{split}",
        point_rows(models, split, point or "balanced", prevalence),
        terms.intervals_text(selection.evaluation),
        lambda: [{column: name} | row for name in names for row in point_rows(models, split, name, prevalence)],
    )


def _point(name: str) -> str:
    """Title of an operating point."""
    return text(f"report.operating_point.{name}").capitalize()


def _benefit_rows(curves: Mapping[str, DecisionCurve]) -> list[Row]:
    return [
        {"model": title, "threshold": t, "net_benefit": value, "low": low, "high": high, "treat_all": treat_all}
        for title, curve in curves.items()
        for t, value, low, high, treat_all in zip(*(part.tolist() for part in curve), strict=True)
    ]


def _metric(found: ThresholdTable, rate: Metric) -> Row:
    columns = {name: map(_json, getattr(found, name)[rate.name]) for name in ("values", "lows", "highs")}
    words = {
        "name": rate.name,
        "title": str(rate.title),
        "meaning": terms.term_meaning(rate.name),
        "digits": rate.digits,
    }
    return words | {name: list(values) for name, values in columns.items()}


def _json(value: float) -> float | str | None:
    if math.isnan(value):
        return None
    return "inf" if math.isinf(value) else significant(float(value), 5)


def _texts(evaluation: Evaluation, labels: Labels) -> dict[str, str]:
    """Texts for the browser, which fills in the values that are left in braces."""
    values = {name: f"{{{name}}}" for name in _FILLED_IN}
    values |= {"intervals": terms.intervals_text(evaluation), "meaning": terms.term_meaning("net_benefit")}
    values |= {"positive": labels.positive, "negative": labels.negative}
    texts = {name: text(f"web.decision.browser.{name}", **values) for name in _TEXTS}
    undefined = {"undefined": text("metrics.undefined"), "unbounded": text("metrics.unbounded")}
    return texts | undefined | {"positive": labels.positive.capitalize(), "negative": labels.negative.capitalize()}
