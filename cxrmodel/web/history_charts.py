"""Charts of a training, epoch by epoch; where it went on from an earlier one, each beginning is marked."""

from collections.abc import Mapping, Sequence

import altair as alt

from cxrmodel.evaluation.plots import training_starts

__all__ = ["history_charts"]

_NAMES = ("training films", "held-out films")
_COLOURS, _DASHES = ("#56b4e9", "#e69f00"), ([1, 0], [6, 4])
_AUC_COLOUR = "#009e73"
_LEGEND = alt.Legend(title=None, orient="bottom", symbolType="stroke", symbolOpacity=1, symbolSize=500)
_BESIDE_THE_END = 0.7


def history_charts(
    history: Sequence[Mapping], trainings: Sequence[Mapping] = ()
) -> tuple[alt.LayerChart, alt.LayerChart]:
    """Draw a training: losses and the held-out AUC by epoch, with the size of the films in each.

    Parameters
    ----------
    history : sequence of mapping
        ``epoch``, ``size``, ``loss``, ``held_out_loss`` and ``held_out_auc``.
    trainings : sequence of mapping
        As :func:`cxrmodel.evaluation.origin.training_record` gives them; one alone is not marked.
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
    colour = alt.Color("of:N", legend=_LEGEND, scale=alt.Scale(domain=list(_NAMES), range=list(_COLOURS)))
    dash = alt.StrokeDash("of:N", legend=_LEGEND, scale=alt.Scale(domain=list(_NAMES), range=list(_DASHES)))
    loss = (
        alt.Chart({"values": losses})
        .mark_line(point=True)
        .encode(epoch, alt.Y("loss:Q", title="Loss"), colour, dash, tooltip=[*tips, "of:N", "loss:Q"])
    )
    aucs = [{"epoch": row["epoch"], "size": row["size"], "auc": row["held_out_auc"]} for row in history]
    auc = (
        alt.Chart({"values": aucs})
        .mark_line(point={"color": _AUC_COLOUR}, color=_AUC_COLOUR)
        .encode(
            epoch,
            alt.Y("auc:Q", title="Held-out AUC", scale=alt.Scale(zero=False)),
            tooltip=[*tips, alt.Tooltip("auc:Q", format=".4f")],
        )
    )
    marks = _starts(trainings, ends, epoch)
    return tuple(
        alt.layer(*marks, drawn).properties(height=height, width="container")
        for drawn, height in ((loss, 300), (auc, 240))
    )


def _starts(trainings: Sequence[Mapping], ends: Sequence[float], epoch: alt.X) -> list[alt.Chart]:
    """A dashed line and a name where each training begins, the names in two rows so that near ones do not meet."""
    marks = []
    for place, (said, start) in enumerate(training_starts(trainings)):
        late = (start - ends[0]) / (ends[1] - ends[0]) > _BESIDE_THE_END
        row = [{"epoch": start, "name": said, "words": trainings[place]["words"]}]
        base = alt.Chart({"values": row}).encode(epoch, tooltip=["name:N", "words:N"])
        marks.append(base.mark_rule(strokeDash=[4, 4], color="#aeb9c2"))
        marks.append(
            base.mark_text(
                align="right" if late else "left",
                dx=-4 if late else 4,
                dy=8 + 14 * (place % 2),
                baseline="top",
                color="#dfe5ea",
            ).encode(text="name:N", y=alt.value(0))
        )
    return marks
