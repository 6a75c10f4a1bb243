"""Altair charts of an evaluation, drawn from the series of ``evaluation/report/charts.py``.

Lines differ in dash as well as in colour (Okabe and Ito, 2008). Colour and dash of a model follow from its position in
the registry, not from the selected model.
"""

from collections.abc import Sequence
from typing import Any, Literal

import altair as alt
import numpy as np

from cxrmodel.evaluation.report.charts import (
    DARK,
    RandomisationCurve,
    TrainingHistory,
)
from cxrmodel.metrics.calibration import Reliability
from cxrmodel.web.components.chart import Chart
from cxrmodel.web.text import text

Extent = tuple[tuple[float, float], tuple[float, float]]
Rows = list[dict[str, Any]]
_WHOLE: Extent = ((0.0, 1.0), (0.0, 1.0))
_DASHES = ([1, 0], [6, 4], [2, 2], [8, 3, 2, 3])
_CHANCE = "#8a97a3"
_LEGEND = alt.Legend(title=None, orient="bottom", symbolType="stroke", symbolOpacity=1, symbolSize=500)
_BESIDE_THE_END = 0.7
_ROOM = 0.3
"""Share of a chart's height that is kept free for the names of the trainings."""


def reliability_chart(diagram: Reliability, label: str) -> Chart:
    """Draw observed shares over mean probabilities with intervals.

    Parameters
    ----------
    diagram : Reliability
    label : str
        Of the positive class.
    """
    x, y = _axes(text("documents.chart.mean_probability"), text("documents.chart.observed_share", label=label), _WHOLE)
    columns = diagram.mean_probability, diagram.observed, diagram.low, diagram.high
    rows = [
        dict(zip(("x", "y", "low", "high"), (round(float(value), 4) for value in row), strict=True))
        | {"images": round(diagram.images, 1)}
        for row in zip(*columns, strict=True)
    ]
    tips = [
        *(
            alt.Tooltip(f"{key}:Q", title=text(f"web.chart.{name}"), format=".3f")
            for key, name in {"x": "probability", "y": "observed", "low": "low", "high": "high"}.items()
        ),
        alt.Tooltip("images:Q", title=text("web.chart.bin")),
    ]
    colour = DARK.line(0)
    return _finished(
        [
            _chance([_at(end, end) for end in (0, 1)]).encode(x, y),
            _rows(rows).mark_rule(strokeWidth=2, color=colour, opacity=0.7).encode(x, alt.Y("low:Q"), alt.Y2("high:Q")),
            _rows(rows).mark_point(size=70, filled=True, opacity=1, color=colour).encode(x, y, tooltip=tips),
        ]
    )


def loss_chart(history: TrainingHistory) -> Chart:
    """Draw the losses of training and held-out images by epoch, and where each of several trainings begins."""
    lines = {"training_images": history.loss, "held_out_images": history.held_out_loss}
    titles = [text(f"documents.chart.{name}") for name in lines]
    rows: Rows = [
        {"epoch": int(epoch), "size": int(size), "loss": float(loss), "of": title}
        for title, losses in zip(titles, lines.values(), strict=True)
        for epoch, size, loss in zip(history.epochs, history.sizes, losses, strict=True)
        if not np.isnan(loss)
    ]
    highest = max((row["loss"] for row in rows), default=1.0)
    scale = alt.Scale(domain=[0, highest * (1 + _ROOM)], nice=False)
    colours, dashes = ([look(place) for place in range(2)] for look in (DARK.line, _dash))
    line = (
        _rows(rows)
        .mark_line(point=True)
        .encode(
            _epoch(history),
            alt.Y("loss:Q", title=text("documents.chart.loss"), scale=scale),
            alt.Color("of:N", legend=_LEGEND, scale=alt.Scale(domain=titles, range=colours)),
            alt.StrokeDash("of:N", legend=_LEGEND, scale=alt.Scale(domain=titles, range=dashes)),
            tooltip=["epoch:Q", "size:Q", "of:N", "loss:Q"],
        )
    )
    return alt.layer(*_starts(history, 0, 1), line).properties(height=300, width="container")


def auc_chart(history: TrainingHistory) -> Chart:
    """Draw the held-out AUC by epoch, and where each of several trainings begins."""
    rows: Rows = [
        {"epoch": int(epoch), "size": int(size), "auc": float(auc)}
        for epoch, size, auc in zip(history.epochs, history.sizes, history.held_out_auc, strict=True)
        if not np.isnan(auc)
    ]
    lowest, highest = (edge((row["auc"] for row in rows), default=1.0) for edge in (min, max))
    scale = alt.Scale(domain=[lowest - _ROOM * (highest - lowest or 0.1), highest], nice=False)
    tips = ["epoch:Q", "size:Q", alt.Tooltip("auc:Q", format=".4f")]
    line = (
        _rows(rows)
        .mark_line(point={"color": DARK.line(2)}, color=DARK.line(2))
        .encode(_epoch(history), alt.Y("auc:Q", title=text("documents.chart.held_out_auc"), scale=scale), tooltip=tips)
    )
    return alt.layer(*_starts(history, "height", -1), line).properties(height=260, width="container")


def randomisation_chart(curves: Sequence[RandomisationCurve]) -> Chart:
    """Draw the similarity of each method's map while more and more weights are randomised."""
    stages = [stage or text("documents.chart.trained") for stage in curves[0].stages]
    rows = [
        {"method": curve.title, "stage": stage, "similarity": value}
        for curve in curves
        for stage, value in zip(stages, curve.similarity, strict=True)
    ]
    chart: alt.Chart = (
        _rows(rows)
        .mark_line(point=True, strokeWidth=2)
        .encode(
            alt.X("stage:N", sort=stages, title=text("documents.chart.randomised_to"), axis=alt.Axis(labelAngle=0)),
            alt.Y("similarity:Q", title=text("documents.chart.similarity")),
            alt.Color("method:N", title=None),
            alt.Shape("method:N", title=None),
            tooltip=["method:N", "stage:N", alt.Tooltip("similarity:Q", format=".2f")],
        )
        .properties(height=320)
        .configure_legend(orient="bottom", columns=4, labelLimit=260)
    )
    return chart


def _dash(position: int) -> list[int]:
    """Dash of the model at a position of the registry; with many models dashes repeat."""
    return _DASHES[position % len(_DASHES)]


def _axes(x: str, y: str, extent: Extent) -> tuple[alt.X, alt.Y]:
    axis = alt.Axis(tickCount=5, format=".2~f")
    across, up = (alt.Scale(domain=list(edges), nice=False) for edges in extent)
    return alt.X("x:Q", title=x, scale=across, axis=axis), alt.Y("y:Q", title=y, scale=up, axis=axis)


def _chance(rows: Rows) -> alt.Chart:
    chart: alt.Chart = _rows(rows).mark_line(strokeDash=[2, 4], strokeWidth=1, color=_CHANCE, clip=True)
    return chart


def _at(x: float, y: float) -> dict[str, Any]:
    return {"x": round(float(x), 5), "y": round(float(y), 5)}


def _rows(rows: Rows) -> alt.Chart:
    return alt.Chart({"values": rows})


def _finished(layers: list[alt.Chart]) -> Chart:
    chart: Chart = alt.layer(*layers, height=430).configure_legend(orient="bottom", columns=2, labelLimit=260)
    return chart


def _epoch(history: TrainingHistory) -> alt.X:
    scale, axis = alt.Scale(domain=_epochs(history), nice=False), alt.Axis(tickMinStep=1, format="d")
    return alt.X("epoch:Q", title=text("documents.chart.epoch"), scale=scale, axis=axis)


def _epochs(history: TrainingHistory) -> list[float]:
    return [0.5, float(history.epochs.max()) + 0.5]


def _starts(history: TrainingHistory, edge: int | Literal["height"], down: Literal[1, -1]) -> list[alt.Chart]:
    """A dashed line where each training begins, and its name at an edge of the chart.

    The names are in two rows, so that close ones do not overlap; ``down`` is 1 from the upper edge, -1 from the lower.
    """
    first, last = _epochs(history)
    marks = []
    for place, start in enumerate(history.starts):
        late = (start.epoch - first) / (last - first) > _BESIDE_THE_END
        name = text("documents.training.name", number=start.number)
        base = _rows([{"epoch": start.epoch, "name": name, "summary": str(start.summary)}])
        base = base.encode(_epoch(history), tooltip=["name:N", "summary:N"])
        dx, dy = -4 if late else 4, down * (10 + 14 * (place % 2))
        words = base.mark_text(align="right" if late else "left", color=DARK.text, dx=dx, dy=dy)
        marks += [base.mark_rule(strokeDash=[4, 4], color="#aeb9c2"), words.encode(text="name:N", y=alt.value(edge))]
    return marks
