"""Further matplotlib figures: decision curve, reliability with intervals, forest plot, history of a training."""

from collections.abc import Mapping, Sequence
from itertools import groupby

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from cxrmodel.evaluation.bands import DecisionCurve
from cxrmodel.evaluation.reliability import Reliability
from cxrmodel.evaluation.report.canvas import LIGHT, MARKERS, FigureStyle, legend, look, square, styled
from cxrmodel.evaluation.report.rows import Row

__all__ = [
    "cascade_figure",
    "decision_figure",
    "forest_figure",
    "history_figure",
    "intervals_figure",
    "training_starts",
]

_LOWEST_BENEFIT = -0.1


def cascade_figure(rows: Sequence[Mapping], style: FigureStyle = LIGHT) -> Figure:
    """Draw how like each method's map stays as more of the network is drawn anew.

    Parameters
    ----------
    rows : sequence of mapping
        ``method``, ``stage`` and ``likeness``, the stages of a method in their order.
    style : FigureStyle
    """
    figure = Figure(figsize=(7, 4.5), layout="constrained", facecolor="none")
    axes = styled(figure.subplots(), style)
    for index, (method, members) in enumerate(groupby(rows, key=lambda item: item["method"])):
        kept = list(members)
        line = look(index, style)["line"] | {"marker": MARKERS[index % len(MARKERS)], "markersize": 5}
        axes.plot([row["stage"] for row in kept], [row["likeness"] for row in kept], label=method, **line)
    axes.set_xlabel("Drawn anew down to", color=style.text)
    axes.set_ylabel("Rank correlation with the trained map", color=style.text)
    legend(axes, "upper right", style)
    return figure


def decision_figure(curves: Mapping[str, DecisionCurve], style: FigureStyle = LIGHT) -> Figure:
    """Draw net benefit over threshold probability, with bands, against calling all images and none.

    Parameters
    ----------
    curves : mapping of str to DecisionCurve
        By the name to show; of the same images.
    style : FigureStyle
    """
    figure, axes = square("Threshold probability", "Net benefit per image", style)
    everybody = next(iter(curves.values()))
    axes.plot(
        everybody.thresholds, everybody.all, color=style.text, linestyle=":", linewidth=1.5, label="Call every image"
    )
    axes.axhline(0, color=style.grid, linewidth=1, label="Call none")
    for index, (name, curve) in enumerate(curves.items()):
        line = look(index, style)["line"]
        axes.fill_between(curve.thresholds, curve.low, curve.high, color=line["color"], alpha=0.15, linewidth=0)
        axes.plot(curve.thresholds, curve.model, label=name, **line)
    axes.set(ylim=(_LOWEST_BENEFIT, float(everybody.all[0]) + 0.1), aspect="auto")
    legend(axes, "lower left", style)
    return figure


def intervals_figure(diagrams: Mapping[str, Reliability], style: FigureStyle = LIGHT) -> Figure:
    """Draw reliability diagrams with the interval of each bin.

    Parameters
    ----------
    diagrams : mapping of str to Reliability
        By the name to show.
    style : FigureStyle
    """
    figure, axes = square("Stated probability, mean of the bin", "Share with pneumonia", style)
    axes.plot([0, 1], [0, 1], color=style.grid, linewidth=1, linestyle=":", label="Perfect calibration")
    for index, (name, bins) in enumerate(diagrams.items()):
        point = look(index, style)["point"] | {"markersize": 5}
        spread = [bins.observed - bins.low, bins.high - bins.observed]
        label = f"{name}: {bins.images:.4g} images a bin, calibration error {bins.ece['value']:.3f}"
        axes.errorbar(bins.stated, bins.observed, yerr=spread, label=label, elinewidth=1, capsize=2, **point)
    legend(axes, "upper left", style)
    return figure


def forest_figure(rows: Sequence[Row], across: str, mark: float | None = None, style: FigureStyle = LIGHT) -> Figure:
    """Draw rows of figures with their intervals, each group under its name.

    Parameters
    ----------
    rows : sequence of Row
        At least one. One that rests on few images is named so, and its mark is hollow; one that is withheld for that
        has no mark.
    across : str
        What the figures are.
    mark : float or None
        Where to draw a line down, for example at chance.
    style : FigureStyle
    """
    lines: list[tuple[str, Row | None]] = []
    for group, members in groupby(rows, key=lambda item: item["group"]):
        lines.append((str(group), None))
        lines += [(f"{item['name']}{_scarce(item)}", item) for item in members]
    figure = Figure(figsize=(8, 0.9 + 0.3 * len(lines)), layout="constrained", facecolor="none")
    axes = styled(figure.subplots(), style)
    for height, (_, item) in enumerate(lines):
        if item is None or item["value"] is None:
            continue
        known = item["low"] is not None and item["high"] is not None
        spread = [[item["value"] - item["low"]], [item["high"] - item["value"]]] if known else None
        shape = {"fmt": "o" if known else "D", "color": style.lines[0], "markersize": 5, "capsize": 2}
        if item["few"]:
            shape["markerfacecolor"] = "none"
        axes.errorbar(item["value"], height, xerr=spread, **shape)
    if mark is not None:
        axes.axvline(mark, color=style.grid, linestyle=":")
    axes.set_yticks(range(len(lines)), [name for name, _ in lines])
    for label, (_, item) in zip(axes.get_yticklabels(), lines, strict=True):
        label.set_fontweight("bold" if item is None else "normal")
    axes.set_ylim(len(lines) - 0.5, -0.5)
    axes.set_xlabel(across, color=style.text)
    return figure


def _scarce(item: Row) -> str:
    if not item["few"]:
        return ""
    return " (few images)" if item["value"] is not None else f" ({item['few']})"


def history_figure(history: Sequence[Mapping], trainings: Sequence[Mapping] = (), style: FigureStyle = LIGHT) -> Figure:
    """Draw losses and held-out AUC of a training by epoch, and where each of several trainings begins.

    Parameters
    ----------
    history : sequence of mapping
        ``epoch``, ``loss``, ``held_out_loss`` and ``held_out_auc``.
    trainings : sequence of mapping
        As :func:`cxrmodel.evaluation.data_flow.training_record` gives them; one alone is not marked.
    style : FigureStyle
    """
    figure = Figure(figsize=(7, 5.5), layout="constrained", facecolor="none")
    upper, lower = (styled(axes, style) for axes in figure.subplots(2, 1, sharex=True, height_ratios=(3, 2)))
    epochs = [row["epoch"] for row in history]
    for index, (key, said) in enumerate((("loss", "Training images"), ("held_out_loss", "Held-out images"))):
        upper.plot(epochs, [row[key] for row in history], label=said, **look(index, style)["line"])
    lower.plot(epochs, [row["held_out_auc"] for row in history], **look(2, style)["line"])
    for place, (said, start) in enumerate(training_starts(trainings)):
        for axes in (upper, lower):
            axes.axvline(start, color=style.grid, linestyle="--", linewidth=1)
        words = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points", "color": style.text}
        upper.annotate(said, (start, 1), (0, 4 + 12 * (place % 2)), ha="center", fontsize=8, **words)
    upper.set_ylabel("Loss", color=style.text)
    lower.set_ylabel("Held-out AUC", color=style.text)
    lower.set_xlabel("Epoch", color=style.text)
    lower.xaxis.set_major_locator(MaxNLocator(integer=True))
    legend(upper, "upper right", style)
    return figure


def training_starts(trainings: Sequence[Mapping]) -> list[tuple[str, float]]:
    """Name of each of several trainings and where on the epochs it begins, half an epoch before its first.

    Parameters
    ----------
    trainings : sequence of mapping
        ``first`` epoch, None where it is not known.

    Returns
    -------
    list of (str, float)
        Empty where there was but one.
    """
    if len(trainings) < 2:
        return []
    return [
        (f"Training {place}", part["first"] - 0.5)
        for place, part in enumerate(trainings, start=1)
        if part["first"] is not None
    ]
