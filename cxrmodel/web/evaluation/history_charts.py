"""Charts of a training, epoch by epoch; where it went on from an earlier one, each beginning is marked."""

from collections.abc import Mapping, Sequence

import altair as alt

from cxrmodel.evaluation.report.plots import training_starts
from cxrmodel.web.evaluation.charts import COLOURS, DASHES, LEGEND

__all__ = ["history_charts"]

_NAMES = ("training images", "held-out images")
_AUC_COLOUR = "#009e73"
_BESIDE_THE_END = 0.7
_ROOM = 0.3
"""Share of a chart's height that is kept free for the names of the trainings."""


def history_charts(
    history: Sequence[Mapping], trainings: Sequence[Mapping] = ()
) -> tuple[alt.LayerChart, alt.LayerChart]:
    """Draw a training: losses and the held-out AUC by epoch, with the size of the images in each.

    Parameters
    ----------
    history : sequence of mapping
        ``epoch``, ``size``, ``loss``, ``held_out_loss`` and ``held_out_auc``.
    trainings : sequence of mapping
        As :func:`cxrmodel.evaluation.data_flow.training_record` gives them; one alone is not marked.
    """
    epochs = [row["epoch"] for row in history]
    ends = [0.5, max(epochs) + 0.5]
    axis = alt.Axis(tickMinStep=1, format="d")
    epoch = alt.X("epoch:Q", title="Epoch", scale=alt.Scale(domain=ends, nice=False), axis=axis)
    tips = [alt.Tooltip(f"{name}:Q") for name in ("epoch", "size")]
    losses = [
        {"epoch": row["epoch"], "size": row["size"], "loss": row[key], "of": said}
        for row in history
        for key, said in zip(("loss", "held_out_loss"), _NAMES, strict=True)
        if row.get(key) is not None
    ]
    highest = max((row["loss"] for row in losses), default=1.0)
    scale = alt.Scale(domain=[0, highest * (1 + _ROOM)], nice=False)
    colour = alt.Color("of:N", legend=LEGEND, scale=alt.Scale(domain=list(_NAMES), range=list(COLOURS.values())))
    dash = alt.StrokeDash("of:N", legend=LEGEND, scale=alt.Scale(domain=list(_NAMES), range=list(DASHES.values())))
    loss = (
        alt.Chart({"values": losses})
        .mark_line(point=True)
        .encode(epoch, alt.Y("loss:Q", title="Loss", scale=scale), colour, dash, tooltip=[*tips, "of:N", "loss:Q"])
    )
    aucs = [{"epoch": row["epoch"], "size": row["size"], "auc": row["held_out_auc"]} for row in history]
    least, most = (function(row["auc"] for row in aucs) for function in (min, max))
    scale = alt.Scale(domain=[least - _ROOM * (most - least or 0.1), most], nice=False)
    auc = (
        alt.Chart({"values": aucs})
        .mark_line(point={"color": _AUC_COLOUR}, color=_AUC_COLOUR)
        .encode(
            epoch,
            alt.Y("auc:Q", title="Held-out AUC", scale=scale),
            tooltip=[*tips, alt.Tooltip("auc:Q", format=".4f")],
        )
    )
    return (
        alt.layer(*_starts(trainings, ends, epoch, 0, 1), loss).properties(height=300, width="container"),
        alt.layer(*_starts(trainings, ends, epoch, "height", -1), auc).properties(height=260, width="container"),
    )


def _starts(
    trainings: Sequence[Mapping], ends: Sequence[float], epoch: alt.X, edge: int | str, down: int
) -> list[alt.Chart]:
    """A dashed line where each training begins, and its name at an edge of the chart.

    The names are in two rows, so that near ones do not meet; ``down`` is 1 from the upper edge and -1 from the lower.
    """
    marks = []
    for place, (said, start) in enumerate(training_starts(trainings)):
        late = (start - ends[0]) / (ends[1] - ends[0]) > _BESIDE_THE_END
        row = [{"epoch": start, "name": said, "words": trainings[place]["words"]}]
        base = alt.Chart({"values": row}).encode(epoch, tooltip=["name:N", "words:N"])
        offsets = {"dx": -4 if late else 4, "dy": down * (10 + 14 * (place % 2))}
        words = base.mark_text(align="right" if late else "left", color="#dfe5ea", **offsets)
        marks += [
            base.mark_rule(strokeDash=[4, 4], color="#aeb9c2"),
            words.encode(text="name:N", y=alt.value(edge)),
        ]
    return marks
