"""Charts of a training, epoch by epoch; where it went on from an earlier one, each beginning is marked."""

from collections.abc import Sequence

import altair as alt

from cxrmodel.evaluation.report.charts import TrainingHistory, TrainingStart
from cxrmodel.messages import Message
from cxrmodel.web.evaluation.charts import COLOURS, DASHES, LEGEND

__all__ = ["history_charts"]

_NAMES = ("training images", "held-out images")
_AUC_COLOUR = "#009e73"
_BESIDE_THE_END = 0.7
_ROOM = 0.3
"""Share of a chart's height that is kept free for the names of the trainings."""


def history_charts(history: TrainingHistory) -> tuple[alt.LayerChart, alt.LayerChart]:
    """Draw a training: losses and the held-out AUC by epoch, with the size of the images in each.

    Parameters
    ----------
    history : TrainingHistory
        Of at least one epoch.
    """
    epochs, sizes = history.epochs.tolist(), history.sizes.tolist()
    ends = [0.5, max(epochs) + 0.5]
    axis = alt.Axis(tickMinStep=1, format="d")
    epoch = alt.X("epoch:Q", title="Epoch", scale=alt.Scale(domain=ends, nice=False), axis=axis)
    tips = [alt.Tooltip(f"{name}:Q") for name in ("epoch", "size")]
    losses = [
        {"epoch": number, "size": size, "loss": loss, "of": said}
        for values, said in zip((history.loss, history.held_out_loss), _NAMES, strict=True)
        for number, size, loss in zip(epochs, sizes, values.tolist(), strict=True)
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
    aucs = [
        {"epoch": number, "size": size, "auc": auc}
        for number, size, auc in zip(epochs, sizes, history.held_out_auc.tolist(), strict=True)
    ]
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
        alt.layer(*_starts(history.starts, ends, epoch, 0, 1), loss).properties(height=300, width="container"),
        alt.layer(*_starts(history.starts, ends, epoch, "height", -1), auc).properties(height=260, width="container"),
    )


def _starts(
    starts: Sequence[TrainingStart], ends: Sequence[float], epoch: alt.X, edge: int | str, down: int
) -> list[alt.Chart]:
    """A dashed line where each training begins, and its name at an edge of the chart.

    The names are in two rows, so that near ones do not meet; ``down`` is 1 from the upper edge and -1 from the lower.
    """
    marks = []
    for place, start in enumerate(starts):
        late = (start.epoch - ends[0]) / (ends[1] - ends[0]) > _BESIDE_THE_END
        name = str(Message("documents.training.name", number=start.number))
        row = [{"epoch": start.epoch, "name": name, "words": str(start.summary)}]
        base = alt.Chart({"values": row}).encode(epoch, tooltip=["name:N", "words:N"])
        offsets = {"dx": -4 if late else 4, "dy": down * (10 + 14 * (place % 2))}
        words = base.mark_text(align="right" if late else "left", color="#dfe5ea", **offsets)
        marks += [
            base.mark_rule(strokeDash=[4, 4], color="#aeb9c2"),
            words.encode(text="name:N", y=alt.value(edge)),
        ]
    return marks
