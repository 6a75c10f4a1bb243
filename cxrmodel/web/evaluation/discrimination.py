"""How well the model tells images apart, at every threshold."""

from collections.abc import Sequence

import streamlit as st
from matplotlib.figure import Figure

from cxrmodel.errors import EvaluationError
from cxrmodel.evaluation.metrics import precision_recall_points, roc_points
from cxrmodel.evaluation.published import Published, published
from cxrmodel.evaluation.report.canvas import LIGHT
from cxrmodel.evaluation.report.figures import precision_recall_figure, roc_figure
from cxrmodel.evaluation.report.plots import forest_figure
from cxrmodel.evaluation.report.readme import OVERALL, overall
from cxrmodel.evaluation.report.rows import auc_rows
from cxrmodel.web.components.downloads import download_menu
from cxrmodel.web.components.forest import forest_html
from cxrmodel.web.components.terms import explain, intervals_sentence, number, with_interval
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


def _roc(shown: Shown, bands: dict, others: list[Published], corner: bool) -> None:
    st.subheader("ROC curve")
    points = [row for row in others if "sensitivity" in row and "specificity" in row]
    areas = _told(shown, "AUC", "auc")
    roc = {name: curves.roc for name, curves in bands.items()}
    shortcuts = _shortcuts(shown)
    draw(
        lambda: roc_chart(shown.first, shown.split, roc, points, corner, shortcuts),
        f"ROC curves. {areas}.",
        "roc",
        corner,
        points,
        shortcuts,
        *_key(shown),
    )
    diamonds = "".join(
        f" ◆ published by {plain(str(row['short']))} on the same images, source below." for row in points
    )
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
        shortcuts,
        *_key(shown),
    )
    st.caption(f"{areas}.")
    download_menu(
        f"precision-recall-{shown.split}", lambda: _precision_rows(shown), lambda: _drawn(shown, "precision_recall")
    )


def _told(shown: Shown, said: str, name: str) -> str:
    parts = (
        f"{model} {said} {overall(e, shown.split, name, lambda figure: number(figure['value']))}"
        for model, e in shown.first.items()
    )
    return "; ".join(parts)


def _shortcuts(shown: Shown) -> list[dict]:
    """Those whose curves are known, on the images that they were tested on."""
    audits = shown.evaluation.sections.get("audits", {}) if shown.split == "test" else {}
    return [item for item in audits.get("shortcuts", ()) if item.get("curve")]


def _key(shown: Shown) -> list[tuple[str, str]]:
    return [(name, fingerprint(e, shown.split)) for name, e in shown.first.items()]


def _areas(shown: Shown, others: list[Published]) -> None:
    st.subheader("Beside shortcuts and what others published" if shown.ours else "Areas under the ROC curve")
    audits = shown.evaluation.sections.get("audits", {}) if shown.split == "test" else {}
    rows = auc_rows(shown.first, shown.split, audits, others)
    given = [row for row in rows if row["value"] is not None]
    lowest = min((row["low"] if row["low"] is not None else row["value"] for row in given), default=1.0)
    low = 0.9 if lowest > 0.9 else 0.5
    st.html(forest_html(rows, low, 1.0))
    if shown.ours and not audits.get("shortcuts"):
        st.markdown(_NO_SHORTCUTS)
    if others:
        with st.expander("Sources of the published figures", icon=":material/menu_book:"):
            st.markdown("\n".join(_source(row) for row in others))
    download_menu(f"auc-{shown.split}", lambda: rows, lambda: forest_figure(rows, "AUC", 0.5))


def _overall(shown: Shown) -> None:
    st.subheader("Figures that need no threshold")
    rows = [
        {"Figure": said, **{name: overall(e, shown.split, key, with_interval) for name, e in shown.models.items()}}
        for key, said in OVERALL.items()
    ]
    st.table(rows, hide_index=True)
    measured = "; ".join(f"{e.version} on {e.created}" for e in shown.models.values())
    st.caption(f"{intervals_sentence(shown.evaluation)} Measured: {measured}.")
    download_menu(f"figures-{shown.split}", lambda: rows)


def _source(row: Published) -> str:
    return (
        f"- **{row['short']}**: AUC {row['auc']}, accuracy {row['accuracy']}. {row['description']}. {row['citation']} "
        f"[doi:{row['doi']}](https://doi.org/{row['doi']})"
    )


def _published() -> list[Published]:
    try:
        return published()
    except EvaluationError as error:
        st.warning(plain(str(error)), icon=":material/warning:")
        return []


def _roc_rows(shown: Shown) -> list[dict]:
    rows = []
    for name, evaluation in shown.first.items():
        scores = evaluation.scores[shown.split]
        for false, true, threshold in zip(*roc_points(scores.labels, scores.probabilities), strict=True):
            rows.append({"model": name, "threshold": min(float(threshold), 1.0)})
            rows[-1] |= {"sensitivity": float(true), "specificity": 1 - float(false)}
    return rows + [
        {"model": item["name"], "sensitivity": true, "specificity": round(1 - false, 5)}
        for item in _shortcuts(shown)
        for false, true, _ in item["curve"]
    ]


def _precision_rows(shown: Shown) -> list[dict]:
    rows = []
    for name, evaluation in shown.first.items():
        scores = evaluation.scores[shown.split]
        for precision, recall, threshold in zip(
            *precision_recall_points(scores.labels, scores.probabilities), strict=True
        ):
            rows.append({"model": name, "threshold": min(float(threshold), 1.0)})
            rows[-1] |= {"precision": float(precision), "recall": float(recall)}
    return rows + [
        {"model": item["name"], "precision": precision, "recall": recall}
        for item in _shortcuts(shown)
        for _, recall, precision in item["curve"]
    ]


def _drawn(shown: Shown, kind: str, points: Sequence[Published] = ()) -> Figure:
    evaluations = list(shown.first.values())
    bands = [getattr(bands_of(e, shown.split), kind) for e in evaluations]
    given = {"split": shown.split, "style": LIGHT, "bands": bands, "shortcuts": _shortcuts(shown)}
    if kind == "roc":
        return roc_figure(evaluations, published=points, **given)
    return precision_recall_figure(evaluations, **given)
