"""Figures show the series they are made of, on a transparent ground, without pyplot's global state."""

import io
import subprocess
import sys

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_hex
from PIL import Image

from cxrmodel.evaluation.report import charts, figures
from cxrmodel.metrics.rates import Confusion
from cxrmodel.model.spec import Labels

LABELS = Labels(positive="pneumonia", negative="normal")
MATRIX = charts.confusion_matrix(Confusion(tn=30, fp=10, fn=5, tp=45))
TITLES = ("DenseNet-121", "Plain CNN")


@pytest.fixture
def pair(make_evaluation):
    """Curves of two models, the second weaker."""
    evaluations = [make_evaluation(), make_evaluation("cnn", centre=0.4)]
    return [charts.rate_curve(evaluation, "test") for evaluation in evaluations]


def drawn_lines(figure) -> dict:
    """The lines of a figure by the label that the legend gives them."""
    axes = figure.axes[0]
    shown = [text.get_text() for text in axes.get_legend().get_texts()]
    lines = {line.get_label(): line for line in axes.lines}
    assert shown == list(lines)
    return lines


def starting(lines: dict, words: str):
    """The only line whose label starts so."""
    [label] = [label for label in lines if label.startswith(words)]
    return label, lines[label]


def test_roc_figure_draws_the_curves(pair):
    """Each model's line is its curve, named with AUC and interval, and its balanced point lies on it."""
    lines = drawn_lines(figures.roc_figure(pair))
    for curve, title in zip(pair, TITLES, strict=True):
        label, line = starting(lines, title)
        assert line.get_xdata().tolist() == (1 - curve.specificity).tolist()
        assert line.get_ydata().tolist() == curve.sensitivity.tolist()
        assert f"{curve.auc.value:.3f} ({curve.auc.low:.3f} to {curve.auc.high:.3f})" in label
    places = [
        (line.get_xdata()[0], line.get_ydata()[0])
        for label, line in lines.items()
        if label.startswith("Threshold 0.500")
    ]
    marks = [curve.mark("balanced") for curve in pair]
    assert [(1 - mark.specificity, mark.sensitivity) for mark in marks][-1] in places


def test_precision_recall_figure(pair):
    """Each model's line is its curve; chance is the prevalence."""
    lines = drawn_lines(figures.precision_recall_figure(pair, 0.5))
    _, line = starting(lines, TITLES[1])
    assert line.get_xdata().tolist() == pair[1].sensitivity.tolist()
    assert line.get_ydata().tolist() == pair[1].precision.tolist()
    assert list(starting(lines, "Chance")[1].get_ydata()) == [0.5, 0.5]


def test_no_point_where_precision_is_undefined(pair):
    """A threshold without a positive finding is not marked."""
    curve = pair[0]
    mark = charts.OperatingMark("balanced", 1.0, 0.0, 1.0, None)
    without = charts.RateCurve(**vars(curve) | {"marks": (mark,)})
    assert len(drawn_lines(figures.precision_recall_figure([without], 0.5))) == 2


def test_reliability_figure(make_evaluation):
    """The points are those of the bins, named with the error."""
    _, after = charts.reliability_before_after(make_evaluation(), "test")
    (container,) = figures.reliability_figure({"After": after}, "pneumonia").axes[0].containers
    assert container.lines[0].get_xdata().tolist() == after.mean_probability.tolist()
    assert container.lines[0].get_ydata().tolist() == after.observed.tolist()
    assert f"{after.corrected_ece.value:.3f}" in container.get_label()


@pytest.mark.parametrize(
    ("confusion", "counts", "shares"),
    [
        (Confusion(tn=30, fp=10, fn=5, tp=45), ["30", "10", "5", "45"], ["75.0", "25.0", "10.0", "90.0"]),
        (Confusion(tn=0, fp=0, fn=1, tp=3), ["0", "0", "1", "3"], ["", "", "25.0", "75.0"]),
    ],
    ids=["both classes", "no negative image"],
)
def test_confusion_figure(confusion, counts, shares):
    """Each cell has its count and its share of the row; an absent class has no share."""
    axes = figures.confusion_figure(charts.confusion_matrix(confusion), LABELS).axes[0]
    texts = [text.get_text().partition("\n") for text in axes.texts]
    assert [count for count, _, _ in texts] == counts
    assert [share.partition("\u00a0")[0] for _, _, share in texts] == shares
    assert [text.get_position() for text in axes.texts] == [(0, 0), (1, 0), (0, 1), (1, 1)]


def test_confusion_text_can_be_read():
    """Light text on dark cells and dark text on light ones: at least 4.5 to 1 (WCAG 2.2), whatever the share."""
    for share in range(101):
        matrix = charts.confusion_matrix(Confusion(tn=100 - share, fp=share, fn=0, tp=1))
        axes = figures.confusion_figure(matrix, LABELS).axes[0]
        ground = luminance(mpl.colormaps["cividis"](share / 100)[:3])
        letters = luminance(mpl.colors.to_rgb(axes.texts[1].get_color()))
        assert (max(ground, letters) + 0.05) / (min(ground, letters) + 0.05) >= 4.5


@pytest.mark.parametrize("palette", [charts.DARK, charts.LIGHT], ids=["dark", "light"])
def test_palette_colours_every_letter(palette, pair):
    """The ground is transparent, so the page's own shows through."""
    for figure in (
        figures.roc_figure(pair, palette=palette),
        figures.precision_recall_figure(pair, 0.5, palette=palette),
        figures.confusion_figure(MATRIX, LABELS, palette),
    ):
        axes = figure.axes[0]
        letters = [axes.xaxis.label, axes.yaxis.label, *axes.get_xticklabels(), *axes.get_yticklabels()]
        if axes.get_legend():
            letters += axes.get_legend().get_texts()
        assert {to_hex(text.get_color()) for text in letters} == {palette.text}
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=50)
        pixels = np.asarray(Image.open(buffer).convert("RGBA"))
        assert pixels[0, 0, 3] == 0
        assert pixels[..., 3].max() == 255


def test_models_differ_without_colour(pair):
    """Dash and marker distinguish the models in grey too."""
    for figure in (figures.roc_figure(pair), figures.precision_recall_figure(pair, 0.5)):
        lines = [line for line in figure.axes[0].lines if line.get_label().startswith(TITLES)]
        assert len({line.get_linestyle() for line in lines}) == 2
    points = [line for line in figures.roc_figure(pair).axes[0].lines if line.get_linestyle() == "None"]
    assert len({point.get_marker() for point in points}) == 2


@pytest.mark.slow
def test_pyplot_is_never_imported():
    """All threads of a server share its state."""
    program = "import sys, cxrmodel.evaluation.report.figures; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def luminance(colour) -> float:
    """Relative luminance of sRGB, as WCAG 2.2 defines it."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_every_figure_is_written_as_svg(make_evaluation, tmp_path):
    """Three for all models together and one for each, in a folder that need not exist."""
    written = figures.write_figures([make_evaluation(), make_evaluation("cnn")], tmp_path / "new")
    names = ["roc", "precision-recall", "reliability", "confusion-densenet121", "confusion-cnn"]
    assert [path.name for path in written] == [f"{name}.svg" for name in names]
    assert all("</svg>" in path.read_text(encoding="utf-8") for path in written)
