"""Static figures of an evaluation, drawn by matplotlib from the series in ``charts.py``.

Each figure is a ``Figure`` of its own with every colour set on it: pyplot's global state and the rc parameters are
shared by all threads of a server. Lines differ in dash and marker as well as in colour.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, Literal

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from cxrmodel import outputs
from cxrmodel.evaluation.report.charts import (
    LIGHT,
    PRECISION_RECALL,
    ROC,
    ConfusionMatrix,
    OperatingMark,
    Palette,
    PublishedMark,
    RandomisationCurve,
    RateCurve,
    TrainingHistory,
    View,
    confusion_matrix,
    rate_curve,
    reliability_before_after,
)
from cxrmodel.evaluation.report.rows import Row
from cxrmodel.evaluation.report.small_samples import bin_count
from cxrmodel.evaluation.schema import Evaluation
from cxrmodel.messages import Message
from cxrmodel.metrics import formatting
from cxrmodel.metrics.calibration import Reliability
from cxrmodel.metrics.curves import Band, DecisionCurve
from cxrmodel.metrics.estimate import Estimate
from cxrmodel.metrics.registry import METRICS
from cxrmodel.model.spec import Labels
from cxrmodel.models import model_title

_MARKERS = ("o", "s", "D", "^")
_DASHES = ("-", "--", "-.", ":")
_LIMITS = (-0.03, 1.03)
_LOWEST_BENEFIT = -0.1


def roc_figure(
    curves: Sequence[RateCurve],
    bands: Sequence[Band] = (),
    baselines: Sequence[RateCurve] = (),
    published: Sequence[PublishedMark] = (),
    point: str = "balanced",
    palette: Palette = LIGHT,
) -> Figure:
    """Draw ROC curves, each with one operating point.

    Parameters
    ----------
    curves : sequence of RateCurve
        Of the models.
    bands : sequence of Band
        Of each model; none by default.
    baselines : sequence of RateCurve
    published : sequence of PublishedMark
    point : str
        Name of the operating point.
    palette : Palette
    """
    figure, axes = _square(ROC.x, ROC.y, palette)
    axes.plot([0, 1], [0, 1], label=_text("chance_auc"), **_reference(palette))
    _draw_curves(axes, ROC, curves, bands, baselines, point=point, palette=palette)
    for mark in published:
        star: dict[str, Any] = {
            "color": palette.text,
            "linestyle": "none",
            "marker": "*",
            "markersize": 11,
            "fillstyle": "none",
        }
        axes.plot(1 - mark.specificity, mark.sensitivity, label=mark.title, **star)
    _legend(axes, "lower right", palette)
    return figure


def precision_recall_figure(
    curves: Sequence[RateCurve],
    prevalence: float,
    bands: Sequence[Band] = (),
    baselines: Sequence[RateCurve] = (),
    point: str = "balanced",
    palette: Palette = LIGHT,
) -> Figure:
    """Draw precision-recall curves, with the prevalence as the line of chance.

    Parameters
    ----------
    curves, bands, baselines, point, palette
        As of :func:`roc_figure`. No point is marked where the precision is undefined.
    prevalence : float
        Positive share of the images, 0..1.
    """
    figure, axes = _square(PRECISION_RECALL.x, PRECISION_RECALL.y, palette)
    _draw_curves(axes, PRECISION_RECALL, curves, bands, baselines, point=point, palette=palette)
    axes.axhline(
        prevalence, label=_text("chance_precision", share=formatting.number(prevalence)), **_reference(palette)
    )
    _legend(axes, "lower left", palette)
    return figure


def reliability_figure(diagrams: Mapping[str, Reliability], label: str, palette: Palette = LIGHT) -> Figure:
    """Draw reliability diagrams with the interval of each bin.

    Parameters
    ----------
    diagrams : mapping of str to Reliability
        By title.
    label : str
        Of positive images.
    palette : Palette
    """
    figure, axes = _square("mean_probability", "observed_share", palette, label=label)
    axes.plot([0, 1], [0, 1], label=_text("perfect"), **_reference(palette))
    for position, (title, bins) in enumerate(diagrams.items()):
        point = _point(position, palette) | {"markersize": 5}
        spread = [bins.observed - bins.low, bins.high - bins.observed]
        words = _text("diagram", title=title, bins=bin_count(bins.images), ece=formatting.estimate(bins.corrected_ece))
        axes.errorbar(bins.mean_probability, bins.observed, yerr=spread, label=words, elinewidth=1, capsize=2, **point)
    _legend(axes, "upper left", palette)
    return figure


def decision_figure(curves: Mapping[str, DecisionCurve], palette: Palette = LIGHT) -> Figure:
    """Draw net benefit over threshold probability, with bands, against treating all and none.

    Parameters
    ----------
    curves : mapping of str to DecisionCurve
        By title; of the same images.
    palette : Palette
    """
    figure, axes = _square("threshold_probability", "net_benefit", palette)
    treat_all = next(iter(curves.values()))
    dots: dict[str, Any] = {"color": palette.text, "linestyle": ":", "linewidth": 1.5}
    axes.plot(treat_all.thresholds, treat_all.treat_all, label=_text("treat_all"), **dots)
    axes.axhline(0, color=palette.grid, linewidth=1, label=_text("treat_none"))
    for position, (title, curve) in enumerate(curves.items()):
        axes.fill_between(
            curve.thresholds, curve.low, curve.high, color=palette.line(position), alpha=0.15, linewidth=0
        )
        axes.plot(curve.thresholds, curve.model, label=title, **_line(position, palette))
    axes.set(ylim=(_LOWEST_BENEFIT, float(treat_all.treat_all[0]) + 0.1), aspect="auto")
    _legend(axes, "lower left", palette)
    return figure


def confusion_figure(matrix: ConfusionMatrix, labels: Labels, palette: Palette = LIGHT) -> Figure:
    """Draw a confusion matrix: count and share of its row in every cell, shaded by that share.

    Parameters
    ----------
    matrix : ConfusionMatrix
    labels : Labels
    palette : Palette
    """
    figure = Figure(figsize=(4.6, 4.2), layout="constrained", facecolor="none")
    axes = _styled(figure.subplots(), palette)
    axes.grid(visible=False)
    shades = np.nan_to_num(matrix.shares)
    axes.imshow(shades, cmap="cividis", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(matrix.counts):
        share = float(matrix.shares[row, column])
        words = "" if np.isnan(share) else f"\n{_text('share_of_row', share=formatting.share_percent(share, 1))}"
        shade = _readable_on(colormaps["cividis"](float(shades[row, column])))
        axes.text(column, row, f"{count}{words}", ha="center", va="center", color=shade, fontsize=13)
    names = [labels.negative.capitalize(), labels.positive.capitalize()]
    axes.set_xticks([0, 1], names)
    axes.set_yticks([0, 1], names, rotation=90, va="center")
    _name_axes(axes, _text("finding"), _text("label"), palette)
    return figure


def forest_figure(rows: Sequence[Row], across: str, mark: float | None = None, palette: Palette = LIGHT) -> Figure:
    """Draw rows of figures with their intervals, each group under its title.

    Parameters
    ----------
    rows : sequence of Row
        At least one. A row with few images is labelled and has a hollow mark; a withheld one has no mark.
    across : str
        What the figures are.
    mark : float or None
        Where to draw a vertical line, for example at chance.
    palette : Palette
    """
    lines: list[tuple[str, Row | None]] = []
    for group, members in groupby(rows, key=lambda row: str(row.group)):
        lines.append((group, None))
        lines += [(_row_name(row), row) for row in members]
    figure = Figure(figsize=(8, 0.9 + 0.3 * len(lines)), layout="constrained", facecolor="none")
    axes = _styled(figure.subplots(), palette)
    for height, (_, row) in enumerate(lines):
        if row is not None:
            _draw_estimate(axes, height, row.estimate, row.caveat is not None, palette)
    if mark is not None:
        axes.axvline(mark, color=palette.grid, linestyle=":")
    axes.set_yticks(range(len(lines)), [name for name, _ in lines])
    for label, (_, row) in zip(axes.get_yticklabels(), lines, strict=True):
        label.set_fontweight("bold" if row is None else "normal")
    axes.set_ylim(len(lines) - 0.5, -0.5)
    axes.set_xlabel(across, color=palette.text)
    return figure


def history_figure(history: TrainingHistory, palette: Palette = LIGHT) -> Figure:
    """Draw losses and held-out AUC by epoch, and where each of several trainings begins.

    Parameters
    ----------
    history : TrainingHistory
        Of at least one epoch.
    palette : Palette
    """
    figure = Figure(figsize=(7, 5.5), layout="constrained", facecolor="none")
    upper, lower = (_styled(axes, palette) for axes in figure.subplots(2, 1, sharex=True, height_ratios=(3, 2)))
    for position, (code, loss) in enumerate(
        (("training_images", history.loss), ("held_out_images", history.held_out_loss))
    ):
        upper.plot(history.epochs, loss, label=_text(code), **_line(position, palette))
    lower.plot(history.epochs, history.held_out_auc, **_line(2, palette))
    for place, start in enumerate(history.starts):
        for axes in (upper, lower):
            axes.axvline(start.epoch, color=palette.grid, linestyle="--", linewidth=1)
        name = str(Message("documents.training.name", number=start.number))
        words: dict[str, Any] = {
            "xycoords": ("data", "axes fraction"),
            "textcoords": "offset points",
            "color": palette.text,
        }
        upper.annotate(name, (start.epoch, 1), (0, 4 + 12 * (place % 2)), ha="center", fontsize=8, **words)
    upper.set_ylabel(_text("loss"), color=palette.text)
    _name_axes(lower, _text("epoch"), _text("held_out_auc"), palette)
    lower.xaxis.set_major_locator(MaxNLocator(integer=True))
    _legend(upper, "upper right", palette)
    return figure


def randomisation_figure(curves: Iterable[RandomisationCurve], palette: Palette = LIGHT) -> Figure:
    """Draw how similar each method's map stays while more of the network is randomised."""
    figure = Figure(figsize=(7, 4.5), layout="constrained", facecolor="none")
    axes = _styled(figure.subplots(), palette)
    for position, curve in enumerate(curves):
        look = _line(position, palette) | {"marker": _MARKERS[position % len(_MARKERS)], "markersize": 5}
        stages = [stage or _text("trained") for stage in curve.stages]
        axes.plot(stages, curve.similarity, label=curve.title, **look)
    _name_axes(axes, _text("randomised_to"), _text("similarity"), palette)
    _legend(axes, "upper right", palette)
    return figure


def write_figures(evaluations: Sequence[Evaluation], folder: Path, *, overwrite: bool = False) -> list[Path]:
    """Write every figure of the test images for print, as SVG.

    Parameters
    ----------
    evaluations : sequence of Evaluation
        At least one, of the same images.
    folder : Path
        Created if it is missing.
    overwrite : bool
        Whether earlier figures are replaced.

    Returns
    -------
    list of Path
        ROC, precision-recall and reliability of all models, and a confusion matrix at the balanced point of each.
    """
    curves, labels = [rate_curve(evaluation, "test") for evaluation in evaluations], evaluations[0].labels
    diagrams = {model_title(e.model): reliability_before_after(e, "test")[1] for e in evaluations}
    prevalence = float(evaluations[0].splits["test"].labels.mean())
    figures = {
        "roc": roc_figure(curves),
        "precision-recall": precision_recall_figure(curves, prevalence),
        "reliability": reliability_figure(diagrams, labels.positive),
    }
    for evaluation in evaluations:
        matrix = confusion_matrix(evaluation.splits["test"].performance.at["balanced"].confusion)
        figures[f"confusion-{evaluation.model}"] = confusion_figure(matrix, evaluation.labels)
    written = []
    for name, figure in figures.items():
        written.append(folder / f"{name}.svg")
        with outputs.draft(written[-1], overwrite=overwrite) as part:
            figure.savefig(part, format="svg")
    return written


def _draw_curves(
    axes: Axes,
    view: View,
    curves: Sequence[RateCurve],
    bands: Sequence[Band],
    baselines: Sequence[RateCurve],
    *,
    point: str,
    palette: Palette,
) -> None:
    for curve, band in zip(curves, bands, strict=False):
        axes.fill_between(*band, color=palette.line(curve.position), alpha=0.15, linewidth=0)
    for curve in baselines:
        look = _line(curve.position, palette) | {"color": palette.lines[-1], "linewidth": 1}
        axes.plot(getattr(curve, view.x), getattr(curve, view.y), label=_text("shortcut", title=curve.title), **look)
    for curve in curves:
        figure = curve.withheld or formatting.estimate(getattr(curve, view.metric))
        words = _text("curve", title=curve.title, measure=METRICS[view.metric].title, figure=figure)
        look = _line(curve.position, palette) | {"drawstyle": "default" if view is ROC else "steps-pre"}
        axes.plot(getattr(curve, view.x), getattr(curve, view.y), label=words, **look)
        _draw_mark(axes, view, curve.mark(point), _point(curve.position, palette))


def _draw_mark(axes: Axes, view: View, mark: OperatingMark, look: dict[str, Any]) -> None:
    x, y = getattr(mark, view.x), getattr(mark, view.y)
    if y is None:
        return
    words = _text(
        "roc_point" if view is ROC else "recall_point",
        point=Message(f"report.operating_point.{mark.name}"),
        threshold=formatting.number(mark.threshold),
        sensitivity=formatting.number(mark.sensitivity),
        specificity=formatting.number(mark.specificity),
        precision=formatting.number(mark.precision),
    )
    axes.plot(x, y, label=words, **look)


def _draw_estimate(axes: Axes, height: int, estimate: Estimate, few: bool, palette: Palette) -> None:
    if estimate.value is None:
        return
    look: dict[str, Any] = {"fmt": "D", "color": palette.lines[0], "markersize": 5, "capsize": 2}
    if few:
        look["markerfacecolor"] = "none"
    if estimate.interval is not None:
        low, high = estimate.interval
        look |= {"fmt": "o", "xerr": [[estimate.value - low], [high - estimate.value]]}
    axes.errorbar(estimate.value, height, **look)


def _row_name(row: Row) -> str:
    if row.withheld:
        return _text("withheld", name=row.name, reason=row.withheld)
    return _text("few", name=row.name) if row.caveat else row.name


def _text(code: str, **values: Any) -> str:
    return str(Message(f"documents.chart.{code}", **values))


def _line(position: int, palette: Palette) -> dict[str, Any]:
    return {"color": palette.line(position), "linestyle": _DASHES[position % len(_DASHES)], "linewidth": 1.8}


def _point(position: int, palette: Palette) -> dict[str, Any]:
    return {
        "color": palette.line(position),
        "linestyle": "none",
        "marker": _MARKERS[position % len(_MARKERS)],
        "markersize": 9,
        "markeredgecolor": palette.text,
        "zorder": 5,
    }


def _reference(palette: Palette) -> dict[str, Any]:
    return {"color": palette.grid, "linewidth": 1, "linestyle": ":"}


def _square(x: str, y: str, palette: Palette, **values: Any) -> tuple[Figure, Axes]:
    """Make a figure of one square, shares along both axes, which are named by the codes of their titles."""
    figure = Figure(figsize=(6, 6), layout="constrained", facecolor="none")
    axes = _styled(figure.subplots(), palette)
    axes.set(xlim=_LIMITS, ylim=_LIMITS, aspect="equal")
    _name_axes(axes, _text(x), _text(y, **values), palette)
    return figure, axes


def _name_axes(axes: Axes, x: str, y: str, palette: Palette) -> None:
    axes.set_xlabel(x, color=palette.text)
    axes.set_ylabel(y, color=palette.text)


def _styled(axes: Axes, palette: Palette) -> Axes:
    axes.set_facecolor("none")
    axes.tick_params(colors=palette.text)
    axes.spines[:].set_color(palette.grid)
    axes.grid(color=palette.grid, linewidth=0.5, alpha=0.5)
    return axes


def _legend(
    axes: Axes, place: Literal["lower right", "lower left", "upper right", "upper left"], palette: Palette
) -> None:
    axes.legend(loc=place, fontsize=8, labelcolor=palette.text, facecolor="none", edgecolor=palette.grid)


def _readable_on(colour: tuple[float, float, float, float]) -> str:
    """Black or white, whichever contrasts more with an sRGB colour (relative luminance of WCAG 2.2)."""
    channels = np.array(colour[:3])
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return "black" if float(linear @ (0.2126, 0.7152, 0.0722)) > 0.179 else "white"
