"""Charts of an evaluation that answer to the pointer. Lines differ in dash as well as in colour (Okabe and Ito's)."""

from collections.abc import Mapping, Sequence

import altair as alt

from cxrmodel.evaluation.report.charts import PublishedMark, RateCurve
from cxrmodel.evaluation.storage import Evaluation
from cxrmodel.metrics.calibration import Reliability
from cxrmodel.metrics.curves import Band
from cxrmodel.metrics.discrimination import precision_recall_points, roc_points
from cxrmodel.models import DEFAULT_MODEL, MODELS
from cxrmodel.report.wording import operating_point_titles

__all__ = ["COLOURS", "CORNER", "DASHES", "LEGEND", "precision_recall_chart", "reliability_chart", "roc_chart"]

COLOURS = dict(zip(MODELS.names, ("#56b4e9", "#e69f00"), strict=True))
DASHES = dict(zip(MODELS.names, ([1, 0], [6, 4]), strict=True))
_SHAPES = ("triangle-down", "circle", "triangle-up")
_SHORTCUT_COLOUR = "#cc79a7"
_SHORTCUT_DASHES = ([2, 2], [8, 3], [8, 3, 2, 3], [14, 4])
_Scales = tuple[alt.Color, alt.StrokeDash]
_FINEST = 0.003
_WHOLE = (0.0, 1.0)
LEGEND = alt.Legend(title=None, orient="bottom", symbolType="stroke", symbolOpacity=1, symbolSize=500)
_POINT = alt.Tooltip("point:N", title=" ")
CORNER = {"roc": ((0.0, 0.3), (0.7, 1.0)), "precision_recall": ((0.7, 1.0), (0.7, 1.0))}
"""The corner of each chart in which good models lie: extent across and up."""


def roc_chart(
    evaluations: Mapping[str, Evaluation],
    split: str,
    bands: Mapping[str, Band],
    published: Sequence[PublishedMark] = (),
    corner: bool = False,
    shortcuts: Sequence[RateCurve] = (),
) -> alt.LayerChart:
    """Draw ROC curves with bands, the operating points of the first model, published points, and shortcuts' curves.

    Parameters
    ----------
    evaluations : mapping of str to Evaluation
        By the name to show. Each model keeps its colour and its dash, whichever is first.
    split : str
        "test" or "held_out".
    bands : mapping of str to Band
        Of sensitivity over the false positive rate.
    published : sequence of PublishedMark
    corner : bool
        Whether to enlarge the upper left corner.
    shortcuts : sequence of RateCurve
        Of baselines that see no lung.
    """
    extent = CORNER["roc"] if corner else (_WHOLE, _WHOLE)
    across, up = _axes("1 − specificity", "Sensitivity", extent)
    rows = [row for name, e in evaluations.items() for row in _thinned(_roc_rows(name, e, split), extent)]
    scales, first = _scales(evaluations, shortcuts), next(iter(evaluations.values()))
    at = first.metrics[split]["at"]
    marks = [
        _place(1 - at[name]["specificity"]["value"], at[name]["recall"]["value"]) | {"point": f"{said} point"}
        for name, said in operating_point_titles().items()
    ]
    points = [_place(1 - mark.specificity, mark.sensitivity) | {"point": mark.title} for mark in published]
    layers = [
        _rows([_place(end, end) for end in (0, 1)])
        .mark_line(strokeDash=[2, 4], strokeWidth=1, color="#8a97a3", clip=True)
        .encode(across, up),
        *_bands(bands, across, up, scales),
        *_beside(shortcuts, "roc", across, up, scales),
        *_lines(rows, across, up, ["threshold", "sensitivity", "specificity"], scales),
        _marks(_within(marks, extent), across, up),
    ]
    if points:
        layers.append(_diamonds(_within(points, extent), across, up))
    return _finished(layers)


def precision_recall_chart(
    evaluations: Mapping[str, Evaluation],
    split: str,
    bands: Mapping[str, Band],
    corner: bool = False,
    shortcuts: Sequence[RateCurve] = (),
) -> alt.LayerChart:
    """Draw precision-recall curves with bands, the first model's operating points, and shortcuts' curves.

    Parameters
    ----------
    evaluations, split, corner, shortcuts
        As in :func:`roc_chart`.
    bands : mapping of str to Band
        Of precision over recall.
    """
    extent = CORNER["precision_recall"] if corner else (_WHOLE, _WHOLE)
    across, up = _axes("Recall (sensitivity)", "Precision", extent)
    rows = [row for name, e in evaluations.items() for row in _thinned(_precision_rows(name, e, split), extent)]
    scales, first = _scales(evaluations, shortcuts), next(iter(evaluations.values()))
    at = first.metrics[split]["at"]
    marks = [
        _place(at[name]["recall"]["value"], at[name]["precision"]["value"]) | {"point": f"{said} point"}
        for name, said in operating_point_titles().items()
        if at[name]["precision"]["value"] is not None
    ]
    share = float(first.scores[split].labels.mean())
    chance = _rows([_place(end, share) for end in (0, 1)])
    return _finished(
        [
            chance.mark_line(strokeDash=[2, 4], strokeWidth=1, color="#8a97a3", clip=True).encode(across, up),
            *_bands(bands, across, up, scales),
            *_beside(shortcuts, "precision_recall", across, up, scales),
            *_lines(rows, across, up, ["threshold", "precision", "sensitivity", "specificity"], scales),
            _marks(_within(marks, extent), across, up),
        ]
    )


def reliability_chart(bins: Reliability, colour: str = COLOURS[DEFAULT_MODEL]) -> alt.LayerChart:
    """Draw observed against stated shares with intervals, over a histogram of where the bins lie.

    Parameters
    ----------
    bins : Reliability
    colour : str
    """
    across, up = _axes("Stated probability, mean of the bin", "Share with pneumonia", (_WHOLE, _WHOLE))
    rows = [
        {"x": round(float(s), 4), "y": round(float(o), 4), "low": round(float(a), 4), "high": round(float(b), 4)}
        | {"images": round(bins.images, 1)}
        for s, o, a, b in zip(bins.mean_probability, bins.observed, bins.low, bins.high, strict=True)
    ]
    tips = [
        alt.Tooltip("x:Q", title="stated", format=".3f"),
        alt.Tooltip("y:Q", title="observed", format=".3f"),
        alt.Tooltip("low:Q", title="from", format=".3f"),
        alt.Tooltip("high:Q", title="to", format=".3f"),
        alt.Tooltip("images:Q", title="images in the bin"),
    ]
    layers = [
        _rows([_place(end, end) for end in (0, 1)])
        .mark_line(strokeDash=[2, 4], strokeWidth=1, color="#8a97a3")
        .encode(across, up),
        _rows(rows)
        .mark_rule(strokeWidth=2, color=colour, opacity=0.7)
        .encode(across, alt.Y("low:Q"), alt.Y2("high:Q")),
        _rows(rows).mark_point(size=70, filled=True, opacity=1, color=colour).encode(across, up, tooltip=tips),
    ]
    return _finished(layers)


def _axes(across: str, up: str, extent: tuple[tuple[float, float], tuple[float, float]]) -> tuple[alt.X, alt.Y]:
    axis = alt.Axis(tickCount=5, format=".2~f")
    return (
        alt.X("x:Q", title=across, scale=alt.Scale(domain=list(extent[0]), nice=False), axis=axis),
        alt.Y("y:Q", title=up, scale=alt.Scale(domain=list(extent[1]), nice=False), axis=axis),
    )


def _place(x: float, y: float) -> dict[str, float]:
    return {"x": round(float(x), 5), "y": round(float(y), 5)}


def _rows(rows: list[dict]) -> alt.Chart:
    return alt.Chart({"values": rows})


def _scales(evaluations: Mapping[str, Evaluation], shortcuts: Sequence[RateCurve]) -> _Scales:
    names = sorted(evaluations, key=lambda name: MODELS.names.index(evaluations[name].model))
    models = [evaluations[name].model for name in names]
    colours = [COLOURS[model] for model in models] + [_SHORTCUT_COLOUR] * len(shortcuts)
    dashes = [DASHES[model] for model in models] + list(_SHORTCUT_DASHES[: len(shortcuts)])
    names += [curve.title for curve in shortcuts]
    return (
        alt.Color("model:N", legend=LEGEND, scale=alt.Scale(domain=names, range=colours)),
        alt.StrokeDash("model:N", legend=LEGEND, scale=alt.Scale(domain=names, range=dashes)),
    )


def _bands(bands: Mapping[str, Band], across: alt.X, up: alt.Y, scales: _Scales) -> list:
    colour, _ = scales
    rows = [
        _place(x, low) | {"high": round(float(high), 5), "model": name}
        for name, band in bands.items()
        for x, low, high in zip(*band, strict=True)
    ]
    return [_rows(rows).mark_area(opacity=0.18, clip=True).encode(across, up, alt.Y2("high:Q"), colour)]


def _lines(rows: list[dict], across: alt.X, up: alt.Y, told: list[str], scales: _Scales) -> list:
    colour, dash = scales
    near = alt.selection_point(nearest=True, on="pointerover", clear="pointerout", empty=False)
    tips = ["model:N", *(alt.Tooltip(f"{name}:Q", format=".3f") for name in told)]
    line = _rows(rows).mark_line(strokeWidth=2.5, clip=True).encode(across, up, alt.Order("step:Q"), colour, dash)
    dots = _rows(rows).mark_circle(size=90, clip=True).encode(across, up, colour, tooltip=tips)
    return [line, dots.encode(opacity=alt.condition(near, alt.value(1), alt.value(0))).add_params(near)]


def _beside(shortcuts: Sequence[RateCurve], view: str, across: alt.X, up: alt.Y, scales: _Scales) -> list:
    """Thin lines of baselines in one quiet colour, told apart by their dashes and the pointer."""
    rows = [
        (_place(1 - specificity, sensitivity) if view == "roc" else _place(sensitivity, precision))
        | {"model": curve.title, "step": step}
        | {"sensitivity": sensitivity, "specificity": round(specificity, 5), "precision": precision}
        for curve in shortcuts
        for step, (sensitivity, specificity, precision) in enumerate(
            zip(curve.sensitivity.tolist(), curve.specificity.tolist(), curve.precision.tolist(), strict=True)
        )
    ]
    if not rows:
        return []
    tips = [
        "model:N",
        *(alt.Tooltip(f"{name}:Q", format=".3f") for name in ("sensitivity", "specificity", "precision")),
    ]
    line = _rows(rows).mark_line(strokeWidth=1.5, clip=True)
    return [line.encode(across, up, alt.Order("step:Q"), *scales, tooltip=tips)]


def _thinned(rows: list[dict], extent: tuple[tuple[float, float], tuple[float, float]]) -> list[dict]:
    """Leave out places that lie within a pixel or so of the one before, which nobody could see or point at."""
    (left, right), (bottom, top) = extent
    kept = rows[:1]
    for row, following in zip(rows[1:], [*rows[2:], None], strict=True):
        steps = abs(row["x"] - kept[-1]["x"]) / (right - left), abs(row["y"] - kept[-1]["y"]) / (top - bottom)
        if following is None or max(steps) >= _FINEST:
            kept.append(row)
    return kept


def _within(rows: list[dict], extent: tuple[tuple[float, float], tuple[float, float]]) -> list[dict]:
    (left, right), (bottom, top) = extent
    return [row for row in rows if left <= row["x"] <= right and bottom <= row["y"] <= top]


def _marks(rows: list[dict], across: alt.X, up: alt.Y) -> alt.Chart:
    shape = alt.Scale(domain=[f"{said} point" for said in operating_point_titles().values()], range=list(_SHAPES))
    mark = _rows(rows).mark_point(size=130, filled=True, opacity=1, color="#ffffff", stroke="#0e1217")
    return mark.encode(across, up, alt.Shape("point:N", scale=shape, legend=None), tooltip=[_POINT])


def _diamonds(rows: list[dict], across: alt.X, up: alt.Y) -> alt.Chart:
    look = {"shape": "diamond", "size": 130, "color": "#f0e442", "stroke": "#0e1217"}
    return _rows(rows).mark_point(filled=True, opacity=1, **look).encode(across, up, tooltip=[_POINT])


def _roc_rows(name: str, evaluation: Evaluation, split: str) -> list[dict]:
    scores = evaluation.scores[split]
    curve = roc_points(scores.labels, scores.probabilities)
    return [
        _place(false, true)
        | {"model": name, "step": step, "threshold": round(min(float(threshold), 1.0), 4)}
        | {"sensitivity": round(float(true), 4), "specificity": round(1 - float(false), 4)}
        for step, (false, true, threshold) in enumerate(zip(*curve, strict=True))
    ]


def _precision_rows(name: str, evaluation: Evaluation, split: str) -> list[dict]:
    scores = evaluation.scores[split]
    curve = precision_recall_points(scores.labels, scores.probabilities)
    roc = roc_points(scores.labels, scores.probabilities)
    specificity = dict(zip(roc.thresholds.tolist(), 1 - roc.false_positive_rate, strict=True))
    return [
        _place(recall, precision)
        | {"model": name, "step": step, "threshold": round(min(float(threshold), 1.0), 4)}
        | {"precision": round(float(precision), 4), "sensitivity": round(float(recall), 4)}
        | {"specificity": round(float(specificity[float(threshold)]), 4)}
        for step, (precision, recall, threshold) in enumerate(zip(*curve, strict=True))
    ]


def _finished(layers: list) -> alt.LayerChart:
    return alt.layer(*layers).properties(height=430).configure_legend(orient="bottom", columns=2, labelLimit=260)
