"""Evaluations -> matplotlib figures.

Each function makes a ``Figure`` of its own. Lines differ in dash and marker as well as in colour.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cxrmodel.evaluation.bands import Band
from cxrmodel.evaluation.metrics import precision_recall_points, rates_at, reliability_bins, roc_points
from cxrmodel.evaluation.report.canvas import DARK, LIGHT, MARKERS, FigureStyle, legend, look, square, styled
from cxrmodel.evaluation.report.small_samples import withheld_of
from cxrmodel.evaluation.storage import Evaluation
from cxrmodel.models import model_title

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


def roc_figure(
    evaluations: Sequence[Evaluation],
    threshold: float | None = None,
    split: str = "test",
    style: FigureStyle = DARK,
    bands: Sequence[Band] = (),
    published: Sequence[Mapping] = (),
    shortcuts: Sequence[Mapping] = (),
) -> Figure:
    """Draw the ROC curves of several models, each with an operating point marked on it.

    Parameters
    ----------
    evaluations : sequence of Evaluation
    threshold : float or None
        Probability at which the first model is marked; None takes its balanced operating point, as for all others.
    split : {"test", "held_out"}
    style : FigureStyle
    bands : sequence of Band
        Of each model; none by default.
    published : sequence of mapping
        ``short``, ``sensitivity`` and ``specificity`` of others' figures on the same images.
    shortcuts : sequence of mapping
        ``name`` and ``curve`` of baselines that see no lung.
    """
    figure, axes = square("1 − specificity", "Sensitivity", style)
    _shade(axes, bands, style)
    axes.plot([0, 1], [0, 1], color=style.grid, linewidth=1, linestyle=":", label="Chance: AUC 0.500")
    _beside(axes, shortcuts, 0, 1, style)
    for index, evaluation in enumerate(evaluations):
        scores = evaluation.scores[split]
        curve = roc_points(scores.labels, scores.probabilities)
        label = f"{model_title(evaluation.model)}: {_ranked('AUC', evaluation, split, 'auc')}"
        drawn = look(index, style)
        axes.plot(curve.false_positive_rate, curve.true_positive_rate, label=label, **drawn["line"])
        point, rates = _operating_point(evaluation, split, threshold if index == 0 else None)
        place = f"sensitivity {rates['recall']:.3f}, specificity {rates['specificity']:.3f}"
        axes.plot(1 - rates["specificity"], rates["recall"], label=f"{point}: {place}", **drawn["point"])
    for row in published:
        mark = {"color": style.text, "linestyle": "none", "marker": "*", "markersize": 11, "fillstyle": "none"}
        axes.plot(1 - row["specificity"], row["sensitivity"], label=row["short"], **mark)
    legend(axes, "lower right", style)
    return figure


def precision_recall_figure(
    evaluations: Sequence[Evaluation],
    threshold: float | None = None,
    split: str = "test",
    style: FigureStyle = DARK,
    bands: Sequence[Band] = (),
    shortcuts: Sequence[Mapping] = (),
) -> Figure:
    """Draw the precision-recall curves of several models, with the share of pneumonia as the line of chance.

    Parameters
    ----------
    evaluations, threshold, split, style, bands, shortcuts
        As in :func:`roc_figure`. No point is marked where the precision is undefined.
    """
    figure, axes = square("Recall (sensitivity)", "Precision (positive predictive value)", style)
    _shade(axes, bands, style)
    _beside(axes, shortcuts, 1, 2, style)
    for index, evaluation in enumerate(evaluations):
        scores = evaluation.scores[split]
        curve = precision_recall_points(scores.labels, scores.probabilities)
        label = (
            f"{model_title(evaluation.model)}: {_ranked('average precision', evaluation, split, 'average_precision')}"
        )
        drawn = look(index, style)
        axes.plot(curve.recall, curve.precision, drawstyle="steps-post", label=label, **drawn["line"])
        point, rates = _operating_point(evaluation, split, threshold if index == 0 else None)
        if rates["precision"] is not None:
            place = f"precision {rates['precision']:.3f}, recall {rates['recall']:.3f}"
            axes.plot(rates["recall"], rates["precision"], label=f"{point}: {place}", **drawn["point"])
    prevalence = float(np.mean(evaluations[0].scores[split].labels))
    axes.axhline(prevalence, color=style.grid, linewidth=1, linestyle=":", label=f"Chance: {prevalence:.3f}")
    legend(axes, "lower left", style)
    return figure


def reliability_figure(evaluations: Sequence[Evaluation], split: str = "test", style: FigureStyle = DARK) -> Figure:
    """Draw the share of pneumonia against the probability, over bins of equally many images.

    Parameters
    ----------
    evaluations, split, style
        As in :func:`roc_figure`.
    """
    figure, axes = square("Mean probability of the bin", "Share of pneumonia in the bin", style)
    axes.plot([0, 1], [0, 1], color=style.grid, linewidth=1, linestyle=":", label="Perfect calibration")
    for index, evaluation in enumerate(evaluations):
        scores = evaluation.scores[split]
        bins = reliability_bins(scores.labels, scores.probabilities)
        figures = evaluation.metrics[split]["ece"]
        label = f"{model_title(evaluation.model)}: {_with_interval('calibration error', figures)}"
        marker = {"marker": MARKERS[index % len(MARKERS)], "markersize": 5}
        axes.plot(bins.mean_probability, bins.observed, label=label, **look(index, style)["line"], **marker)
    legend(axes, "upper left", style)
    return figure


def confusion_figure(counts: Mapping[str, int], style: FigureStyle = DARK) -> Figure:
    """Draw a confusion matrix: count of images and share of its row in every cell, shaded by that share.

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
    axes = styled(figure.subplots(), style)
    axes.grid(visible=False)
    axes.imshow(shares, cmap="cividis", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(table):
        share = f"\n{shares[row, column] * 100:.1f} % of row" if rows[row, 0] else ""
        shade = _readable_on(colormaps["cividis"](shares[row, column]))
        axes.text(column, row, f"{count}{share}", ha="center", va="center", color=shade, fontsize=13)
    axes.set_xticks([0, 1], ["Normal", "Pneumonia"])
    axes.set_yticks([0, 1], ["Normal", "Pneumonia"], rotation=90, va="center")
    axes.set_xlabel("Called by the model", color=style.text)
    axes.set_ylabel("Label of the image", color=style.text)
    return figure


def write_figures(evaluations: Sequence[Evaluation], folder: Path) -> list[Path]:
    """Write every figure of the official test images for print, as SVG.

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


def _beside(axes: Axes, shortcuts: Sequence[Mapping], x: int, y: int, style: FigureStyle) -> None:
    for index, item in enumerate(item for item in shortcuts if item.get("curve")):
        line = look(index, style)["line"] | {"color": style.lines[-1], "linewidth": 1}
        points = np.array(item["curve"])
        axes.plot(points[:, x], points[:, y], label=f"Shortcut, sees no lung: {item['name'].lower()}", **line)


def _shade(axes: Axes, bands: Sequence[Band], style: FigureStyle) -> None:
    for index, band in enumerate(bands):
        axes.fill_between(*band, color=style.lines[index % len(style.lines)], alpha=0.15, linewidth=0)


def _operating_point(evaluation: Evaluation, split: str, threshold: float | None) -> tuple[str, dict]:
    scores = evaluation.scores[split]
    at = evaluation.operating_points["balanced"] if threshold is None else threshold
    name = "Balanced threshold" if threshold is None else "Threshold"
    return f"{name} {at:.3g}", rates_at(scores.labels, scores.probabilities, at)


def _ranked(said: str, evaluation: Evaluation, split: str, name: str) -> str:
    reason = withheld_of(evaluation, split)
    return f"{said} {reason}" if reason else _with_interval(said, evaluation.metrics[split][name])


def _with_interval(name: str, figures: Mapping[str, float | None]) -> str:
    if figures["low"] is None:
        return f"{name} {figures['value']:.3f}"
    return f"{name} {figures['value']:.3f} ({figures['low']:.3f} to {figures['high']:.3f})"


def _readable_on(colour: tuple[float, float, float, float]) -> str:
    """Black or white, whichever contrasts more with an sRGB colour (relative luminance of WCAG 2.2)."""
    channels = np.array(colour[:3])
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return "black" if float(linear @ (0.2126, 0.7152, 0.0722)) > 0.179 else "white"
