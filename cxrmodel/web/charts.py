"""Charts of an evaluation."""

from collections.abc import Mapping

import altair as alt

from cxrmodel.evaluation.metrics import roc_points
from cxrmodel.evaluation.results import Evaluation
from cxrmodel.model.spec import MODELS
from cxrmodel.records.wording import OPERATING_POINTS

__all__ = ["roc_chart"]

_COLOURS = dict(zip(MODELS, ("#7cc4d8", "#e8a85c"), strict=True))
_DASHES = dict(zip(MODELS, ([1, 0], [6, 4]), strict=True))
_SHAPES = ("triangle-down", "circle", "triangle-up")
_UNIT = alt.Scale(domain=[0, 1])
_AXIS = alt.Axis(values=[0, 0.2, 0.4, 0.6, 0.8, 1], format=".1f")
_X = alt.X("false_positive_rate:Q", title="1 − specificity", scale=_UNIT, axis=_AXIS)
_Y = alt.Y("sensitivity:Q", title="Sensitivity", scale=_UNIT, axis=_AXIS)


def roc_chart(
    evaluations: Mapping[str, Evaluation], split: str, looked_at: Mapping[str, float | None]
) -> alt.LayerChart:
    """Draw the ROC curves of models over each other, with the operating points of the first.

    Parameters
    ----------
    evaluations : mapping of str to Evaluation
        By the name to show. Each model keeps its colour and its dash, whichever is first.
    split : str
        "test" or "held_out".
    looked_at : mapping of str to float or None
        The first model's ``recall`` and ``specificity`` at the threshold that is looked at.
    """
    first = next(iter(evaluations.values()))
    ring = {"false_positive_rate": 1 - looked_at["specificity"], "sensitivity": looked_at["recall"]}
    return (
        alt.layer(
            _rows([{"false_positive_rate": end, "sensitivity": end} for end in (0, 1)])
            .mark_line(strokeDash=[2, 4], strokeWidth=1, color="#6b7883")
            .encode(_X, _Y),
            _curves(evaluations, split),
            _marks(first, split),
            _rows([ring])
            .mark_point(size=450, shape="circle", filled=False, strokeWidth=2.5, color="#f4d35e")
            .encode(_X, _Y),
        )
        .properties(height=470)
        .configure_legend(orient="bottom", labelLimit=220)
    )


def _rows(rows: list[dict]) -> alt.Chart:
    return alt.Chart(alt.InlineData(values=rows))


def _curves(evaluations: Mapping[str, Evaluation], split: str) -> alt.Chart:
    names = sorted(evaluations, key=lambda name: MODELS.index(evaluations[name].model))
    models = [evaluations[name].model for name in names]
    rows = [row for name, evaluation in evaluations.items() for row in _curve(name, evaluation, split)]
    colour = alt.Scale(domain=names, range=[_COLOURS[model] for model in models])
    dash = alt.Scale(domain=names, range=[_DASHES[model] for model in models])
    return (
        _rows(rows)
        .mark_line(strokeWidth=2.5)
        .encode(
            _X,
            _Y,
            alt.Order("step:Q"),
            alt.Color("model:N", title=None, scale=colour),
            alt.StrokeDash("model:N", title=None, scale=dash),
            tooltip=[
                alt.Tooltip("model:N"),
                alt.Tooltip("sensitivity:Q", format=".3f"),
                alt.Tooltip("specificity:Q", format=".3f"),
            ],
        )
    )


def _curve(name: str, evaluation: Evaluation, split: str) -> list[dict]:
    scores = evaluation.scores[split]
    curve = roc_points(scores.labels, scores.probabilities)
    return [
        {
            "model": name,
            "step": step,
            "false_positive_rate": round(float(false), 5),
            "sensitivity": round(float(true), 5),
            "specificity": round(1 - float(false), 5),
        }
        for step, (false, true) in enumerate(zip(curve.false_positive_rate, curve.true_positive_rate, strict=True))
    ]


def _marks(evaluation: Evaluation, split: str) -> alt.Chart:
    at = evaluation.metrics[split]["at"]
    rows = [
        {
            "point": said,
            "false_positive_rate": 1 - at[name]["specificity"]["value"],
            "sensitivity": at[name]["recall"]["value"],
            "specificity": at[name]["specificity"]["value"],
        }
        for name, said in OPERATING_POINTS.items()
    ]
    shape = alt.Scale(domain=list(OPERATING_POINTS.values()), range=list(_SHAPES))
    return (
        _rows(rows)
        .mark_point(size=130, filled=True, opacity=1, color="#ffffff")
        .encode(
            _X,
            _Y,
            alt.Shape("point:N", scale=shape, legend=None),
            tooltip=[
                alt.Tooltip("point:N", title="operating point"),
                alt.Tooltip("sensitivity:Q", format=".3f"),
                alt.Tooltip("specificity:Q", format=".3f"),
            ],
        )
    )
