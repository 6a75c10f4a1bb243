"""What a threshold makes of the model: one slider moves everything, in the browser, and asks nothing of the server."""

import math
from collections.abc import Mapping

import numpy as np
import streamlit as st

from cxrmodel.evaluation.metrics import significant
from cxrmodel.evaluation.report.figures import decision_figure
from cxrmodel.evaluation.report.small_samples import few_findings
from cxrmodel.evaluation.report.view import labels_of
from cxrmodel.evaluation.storage import Evaluation
from cxrmodel.evaluation.thresholds import RATES, ThresholdTable
from cxrmodel.metrics.curves import DecisionCurve
from cxrmodel.metrics.formatting import threshold_percent
from cxrmodel.metrics.rates import Confusion
from cxrmodel.paths import ASSETS
from cxrmodel.report.wording import operating_point_titles
from cxrmodel.web.components.downloads import download_menu
from cxrmodel.web.components.terms import MEANINGS, explain, intervals_sentence
from cxrmodel.web.evaluation.cache import benefit_of, fingerprint, table_of
from cxrmodel.web.evaluation.selection import Shown

__all__ = ["decision", "payload", "point_rows", "threshold_rows"]

_FOLDER = ASSETS / "decision"
_html, _css, _js = ((_FOLDER / f"decision.{kind}").read_text(encoding="utf-8") for kind in ("html", "css", "js"))
_mount = st.components.v2.component("cxrmodel_decision", html=_html, css=_css, js=_js)
_COUNTS = {"tp": "True positives", "fn": "Missed", "fp": "False alarms", "tn": "True negatives"}


def decision(shown: Shown) -> None:
    """Draw slider, operating points, confusion matrix, figures, curves and predictive values.

    Parameters
    ----------
    shown : Shown
    """
    evaluation, split = shown.evaluation, shown.split
    with st.container(key="decision"):
        _mount(data=payload(evaluation, split), key=f"decision {fingerprint(evaluation, split)}", width="stretch")
    with st.container(horizontal=True, gap="small"):
        download_menu(
            f"thresholds-{split}", lambda: threshold_rows(evaluation, split), label="Figures at every threshold"
        )
        curves = {name: benefit_of(e, split) for name, e in shown.first.items()}
        download_menu(
            f"decision-curve-{split}",
            lambda: _benefit_rows(curves),
            lambda: decision_figure(curves),
            label="Decision curve",
        )
    explain("Net benefit", "Prevalence", "Operating point", "95 % interval", "Few images")
    st.subheader("At the operating points")
    rows = point_rows(shown.models, split)
    chosen = st.segmented_control(
        "All models at the point",
        list(operating_point_titles().values()),
        default=operating_point_titles()["balanced"],
        required=True,
    )
    at_point = [{name: row[name] for name in row if name != "Point"} for row in rows if row["Point"] == chosen]
    st.table(at_point, hide_index=True)
    scarce = [f"{name}: {sentence}" for name, sentence in _few_at(shown.models, split, chosen) if sentence]
    st.caption(" ".join([intervals_sentence(evaluation), *scarce]))
    download_menu(f"operating-points-{split}", lambda: rows)


def threshold_rows(evaluation: Evaluation, split: str) -> list[dict[str, float | str | None]]:
    """Counts and figures with intervals at every threshold at which a call changes, one row each."""
    table = table_of(evaluation, split)
    rows = []
    for i, threshold in enumerate(table.thresholds):
        row = {"threshold": float(threshold), **{name: int(values[i]) for name, values in table.counts.items()}}
        for name in RATES:
            row[name] = _plain(table.values[name][i])
            row |= {f"{name}_low": _plain(table.lows[name][i]), f"{name}_high": _plain(table.highs[name][i])}
        rows.append(row)
    return rows


def point_rows(evaluations: Mapping[str, Evaluation], split: str) -> list[dict[str, str]]:
    """Every figure of every model at each named operating point, in words."""
    rows = []
    for point, said in operating_point_titles().items():
        for name, title in {"threshold": "Threshold", **RATES}.items():
            row = {"Point": said, "Figure": title}
            rows.append(row | {model: _said(e, split, point, name) for model, e in evaluations.items()})
        for name, title in _COUNTS.items():
            row = {"Point": said, "Figure": title}
            rows.append(row | {model: str(_counts(e, split, point)[name]) for model, e in evaluations.items()})
    return rows


def _counts(evaluation: Evaluation, split: str, point: str) -> dict[str, int]:
    table = table_of(evaluation, split)
    i = table.at(evaluation.operating_points[point])
    return {name: int(values[i]) for name, values in table.counts.items()}


def _few_at(evaluations: Mapping[str, Evaluation], split: str, said: str) -> list[tuple[str, str]]:
    point = next(name for name, title in operating_point_titles().items() if title == said)
    tables = {name: table_of(e, split) for name, e in evaluations.items()}
    return [
        (name, _few(e, tables[name], tables[name].at(e.operating_points[point]))) for name, e in evaluations.items()
    ]


def _few(evaluation: Evaluation, table: ThresholdTable, place: int) -> str:
    confusion = Confusion(**{name: int(values[place]) for name, values in table.counts.items()})
    return str(few_findings(confusion, labels_of(evaluation)) or "")


def _said(evaluation: Evaluation, split: str, point: str, name: str) -> str:
    threshold = evaluation.operating_points[point]
    if name == "threshold":
        return threshold_percent(threshold)
    table = table_of(evaluation, split)
    i = table.at(threshold)
    form = ".3g" if name.startswith("lr_") else ".3f"
    value, low, high = (_words(part[name][i], form) for part in (table.values, table.lows, table.highs))
    return f"{value} ({low} to {high})" if math.isfinite(table.lows[name][i]) else value


def _words(value: float, form: str) -> str:
    if math.isnan(value):
        return "not defined"
    return "no upper bound" if math.isinf(value) else f"{value:{form}}"


def _benefit_rows(curves: Mapping[str, DecisionCurve]) -> list[dict[str, float | str]]:
    return [
        {"model": name, "threshold": t, "net_benefit": value, "low": low, "high": high, "calling_all": everybody}
        for name, curve in curves.items()
        for t, value, low, high, everybody in zip(*(part.tolist() for part in curve), strict=True)
    ]


def payload(evaluation: Evaluation, split: str) -> dict:
    """Everything that the browser needs to follow the slider.

    Parameters
    ----------
    evaluation : Evaluation
    split : str

    Returns
    -------
    dict
        Plain JSON: counts and figures with intervals at every threshold at which a call changes; null where a figure
        is not defined, "inf" where it has no bound.
    """
    table, benefit = table_of(evaluation, split), benefit_of(evaluation, split)
    return {
        "key": fingerprint(evaluation, split),
        "thresholds": table.thresholds.tolist(),
        "counts": {name: values.tolist() for name, values in table.counts.items()},
        "figures": [_figure(table, name, title) for name, title in RATES.items()],
        "points": [
            {
                "name": name,
                "title": f"{said.capitalize()} ({threshold_percent(evaluation.operating_points[name])})",
                "threshold": evaluation.operating_points[name],
            }
            for name, said in operating_point_titles().items()
        ],
        "few": [_few(evaluation, table, place) for place in range(len(table.thresholds))],
        "prevalence": evaluation.prevalence,
        "benefit": _benefit(benefit),
        "interval": f"{intervals_sentence(evaluation)} Press a name for its meaning.",
        "meanings": {
            "ppv": MEANINGS["Precision (PPV)"],
            "npv": MEANINGS["Negative predictive value"],
            "benefit": MEANINGS["Net benefit"] + " Line: the model, with its band. Dashes: calling every image. "
            "Dots: calling none.",
            "prevalence": "From the likelihood ratios by Bayes' rule. It holds where sensitivity and specificity are "
            "the same as on these images, with the threshold on the model's own probability left where it is.",
        },
    }


def _figure(table: ThresholdTable, name: str, title: str) -> dict:
    columns = {"values": table.values[name], "lows": table.lows[name], "highs": table.highs[name]}
    return {
        "key": name,
        "title": title,
        "meaning": MEANINGS[title],
        **{column: [_plain(value) for value in values] for column, values in columns.items()},
    }


def _benefit(curve: DecisionCurve) -> dict[str, list[float]]:
    columns = {"all" if name == "treat_all" else name: values for name, values in curve._asdict().items()}
    return {name: np.round(values, 5).tolist() for name, values in columns.items()}


def _plain(value: float) -> float | str | None:
    if math.isnan(value):
        return None
    return "inf" if math.isinf(value) else significant(float(value), 5)
