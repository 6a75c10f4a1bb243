"""Evaluations -> matplotlib figures.

Each function makes a ``Figure`` of its own and sets every colour on it: pyplot's global state and the rc parameters are
shared by all threads of a server. Lines differ in dash and marker as well as in colour.

References
----------
Okabe and Ito, Color Universal Design, 2008 (the colours of the lines).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cxrmodel.evaluation.metrics import precision_recall_points, rates_at, reliability_bins, roc_points
from cxrmodel.evaluation.results import Evaluation, model_title

__all__ = [
    "DARK",
    "LIGHT",
    "FigureStyle",
    "confusion_figure",
    "precision_recall_figure",
    "reliability_figure",
    "roc_figure",
    "write_figures",
]

_DASHES = ("-", "--", "-.", ":")
_MARKERS = ("o", "s", "D", "^")
_SHARE = (-0.03, 1.03)


@dataclass(frozen=True)
class FigureStyle:
    """Colours of a figure; the ground is transparent, so that it shows the page's own.

    Attributes
    ----------
    text, grid : str
        Of letters and axes, and of the grid and the line of chance.
    lines : tuple of str
        Of the models, in order.
    """

    text: str
    grid: str
    lines: tuple[str, ...]


DARK = FigureStyle("#dfe5ea", "#5c6a78", ("#56b4e9", "#e69f00", "#009e73", "#cc79a7"))
LIGHT = FigureStyle("#1a1a1a", "#b0b0b0", ("#0072b2", "#d55e00", "#009e73", "#cc79a7"))


def roc_figure(
    evaluations: Sequence[Evaluation],
    threshold: float | None = None,
    split: str = "test",
    style: FigureStyle = DARK,
) -> Figure:
    """Draw the ROC curves of several models, each with an operating point marked on it.

    Parameters
    ----------
    evaluations : sequence of Evaluation
    threshold : float or None
        Probability at which the first model is marked; None takes its balanced operating point, as for all others.
    split : {"test", "held_out"}
    style : FigureStyle
    """
    figure, axes = _square("1 − specificity", "Sensitivity", style)
    axes.plot([0, 1], [0, 1], color=style.grid, linewidth=1, linestyle=":", label="Chance: AUC 0.500")
    for index, evaluation in enumerate(evaluations):
        scores = evaluation.scores[split]
        curve = roc_points(scores.labels, scores.probabilities)
        label = f"{model_title(evaluation.model)}: {_with_interval('AUC', evaluation.metrics[split]['auc'])}"
        look = _look(index, style)
        axes.plot(curve.false_positive_rate, curve.true_positive_rate, label=label, **look["line"])
        point, rates = _operating_point(evaluation, split, threshold if index == 0 else None)
        place = f"sensitivity {rates['recall']:.3f}, specificity {rates['specificity']:.3f}"
        axes.plot(1 - rates["specificity"], rates["recall"], label=f"{point}: {place}", **look["point"])
    _legend(axes, "lower right", style)
    return figure


def precision_recall_figure(
    evaluations: Sequence[Evaluation],
    threshold: float | None = None,
    split: str = "test",
    style: FigureStyle = DARK,
) -> Figure:
    """Draw the precision-recall curves of several models, with the share of pneumonia as the line of chance.

    Parameters
    ----------
    evaluations, threshold, split, style
        As in :func:`roc_figure`. No point is marked where the precision is undefined.
    """
    figure, axes = _square("Recall (sensitivity)", "Precision (positive predictive value)", style)
    for index, evaluation in enumerate(evaluations):
        scores = evaluation.scores[split]
        curve = precision_recall_points(scores.labels, scores.probabilities)
        figures = evaluation.metrics[split]["average_precision"]
        label = f"{model_title(evaluation.model)}: {_with_interval('average precision', figures)}"
        look = _look(index, style)
        axes.plot(curve.recall, curve.precision, drawstyle="steps-post", label=label, **look["line"])
        point, rates = _operating_point(evaluation, split, threshold if index == 0 else None)
        if rates["precision"] is not None:
            place = f"precision {rates['precision']:.3f}, recall {rates['recall']:.3f}"
            axes.plot(rates["recall"], rates["precision"], label=f"{point}: {place}", **look["point"])
    prevalence = float(np.mean(evaluations[0].scores[split].labels))
    axes.axhline(prevalence, color=style.grid, linewidth=1, linestyle=":", label=f"Chance: {prevalence:.3f}")
    _legend(axes, "lower left", style)
    return figure


def reliability_figure(evaluations: Sequence[Evaluation], split: str = "test", style: FigureStyle = DARK) -> Figure:
    """Draw the share of pneumonia against the probability, over bins of equally many films.

    Parameters
    ----------
    evaluations, split, style
        As in :func:`roc_figure`.
    """
    figure, axes = _square("Mean probability of the bin", "Share of pneumonia in the bin", style)
    axes.plot([0, 1], [0, 1], color=style.grid, linewidth=1, linestyle=":", label="Perfect calibration")
    for index, evaluation in enumerate(evaluations):
        scores = evaluation.scores[split]
        bins = reliability_bins(scores.labels, scores.probabilities)
        figures = evaluation.metrics[split]["ece"]
        label = f"{model_title(evaluation.model)}: {_with_interval('calibration error', figures)}"
        marker = {"marker": _MARKERS[index % len(_MARKERS)], "markersize": 5}
        axes.plot(bins.mean_probability, bins.observed, label=label, **_look(index, style)["line"], **marker)
    _legend(axes, "upper left", style)
    return figure


def confusion_figure(counts: Mapping[str, int], style: FigureStyle = DARK) -> Figure:
    """Draw a confusion matrix: count of films and share of its row in every cell, shaded by that share.

    Parameters
    ----------
    counts : mapping
        ``tn``, ``fp``, ``fn``, ``tp``.
    style : FigureStyle
    """
    table = np.array([[counts["tn"], counts["fp"]], [counts["fn"], counts["tp"]]])
    rows = table.sum(axis=1, keepdims=True)
    shares = table / np.maximum(rows, 1)
    figure = Figure(figsize=(4.6, 4.2), layout="constrained", facecolor="none")
    axes = _styled(figure.subplots(), style)
    axes.grid(visible=False)
    axes.imshow(shares, cmap="cividis", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(table):
        share = f"\n{shares[row, column] * 100:.1f} % of row" if rows[row, 0] else ""
        shade = _readable_on(colormaps["cividis"](shares[row, column]))
        axes.text(column, row, f"{count}{share}", ha="center", va="center", color=shade, fontsize=13)
    axes.set_xticks([0, 1], ["Normal", "Pneumonia"])
    axes.set_yticks([0, 1], ["Normal", "Pneumonia"], rotation=90, va="center")
    axes.set_xlabel("Called by the model", color=style.text)
    axes.set_ylabel("Label of the film", color=style.text)
    return figure


def write_figures(evaluations: Sequence[Evaluation], folder: Path) -> list[Path]:
    """Write every figure of the official test films for print, as SVG.

    Parameters
    ----------
    evaluations : sequence of Evaluation
    folder : Path
        Made where it is missing.

    Returns
    -------
    list of Path
        ROC, precision-recall and reliability of all models, and a confusion matrix at the balanced point of each.
    """
    figures = {
        "roc": roc_figure(evaluations, style=LIGHT),
        "precision-recall": precision_recall_figure(evaluations, style=LIGHT),
        "reliability": reliability_figure(evaluations, style=LIGHT),
    }
    for evaluation in evaluations:
        counts = evaluation.metrics["test"]["at"]["balanced"]["confusion"]
        figures[f"confusion-{evaluation.model}"] = confusion_figure(counts, style=LIGHT)
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, figure in figures.items():
        written.append(folder / f"{name}.svg")
        figure.savefig(written[-1], format="svg")
    return written


def _operating_point(evaluation: Evaluation, split: str, threshold: float | None) -> tuple[str, dict]:
    scores = evaluation.scores[split]
    at = evaluation.operating_points["balanced"] if threshold is None else threshold
    name = "Balanced threshold" if threshold is None else "Threshold"
    return f"{name} {at:.3g}", rates_at(scores.labels, scores.probabilities, at)


def _with_interval(name: str, figures: Mapping[str, float | None]) -> str:
    if figures["low"] is None:
        return f"{name} {figures['value']:.3f}"
    return f"{name} {figures['value']:.3f} ({figures['low']:.3f} to {figures['high']:.3f})"


def _look(index: int, style: FigureStyle) -> dict[str, dict]:
    colour = style.lines[index % len(style.lines)]
    return {
        "line": {"color": colour, "linestyle": _DASHES[index % len(_DASHES)], "linewidth": 1.8},
        "point": {
            "color": colour,
            "linestyle": "none",
            "marker": _MARKERS[index % len(_MARKERS)],
            "markersize": 9,
            "markeredgecolor": style.text,
            "zorder": 5,
        },
    }


def _square(across: str, up: str, style: FigureStyle) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(6, 6), layout="constrained", facecolor="none")
    axes = _styled(figure.subplots(), style)
    axes.set(xlim=_SHARE, ylim=_SHARE, aspect="equal")
    axes.set_xlabel(across, color=style.text)
    axes.set_ylabel(up, color=style.text)
    return figure, axes


def _styled(axes: Axes, style: FigureStyle) -> Axes:
    axes.set_facecolor("none")
    axes.tick_params(colors=style.text)
    axes.spines[:].set_color(style.grid)
    axes.grid(color=style.grid, linewidth=0.5, alpha=0.5)
    return axes


def _legend(axes: Axes, place: str, style: FigureStyle) -> None:
    axes.legend(loc=place, fontsize=8, labelcolor=style.text, facecolor="none", edgecolor=style.grid)


def _readable_on(colour: tuple[float, float, float, float]) -> str:
    """Black or white, whichever contrasts more with an sRGB colour (relative luminance of WCAG 2.2)."""
    channels = np.array(colour[:3])
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return "black" if float(linear @ (0.2126, 0.7152, 0.0722)) > 0.179 else "white"
