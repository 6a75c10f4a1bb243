"""Figures show the arrays and values they are made of, on a transparent ground, without pyplot's global state."""

import io
import subprocess
import sys

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_hex
from PIL import Image

from cxrmodel.evaluation import metrics
from cxrmodel.evaluation.report import figures

COUNTS = {"tn": 30, "fp": 10, "fn": 5, "tp": 45}


@pytest.fixture
def pair(make_evaluation):
    """Two models, the second weaker."""
    return [make_evaluation(), make_evaluation("cnn", centre=0.4)]


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


def test_roc_figure_draws_the_curve(pair):
    """Each model's line is its ROC curve, named with the AUC and interval that were stored."""
    lines = drawn_lines(figures.roc_figure(pair))
    for evaluation, title in zip(pair, ("DenseNet-121", "Plain CNN"), strict=True):
        label, line = starting(lines, title)
        curve = metrics.roc_points(evaluation.scores["test"].labels, evaluation.scores["test"].probabilities)
        assert line.get_xdata().tolist() == curve.false_positive_rate.tolist()
        assert line.get_ydata().tolist() == curve.true_positive_rate.tolist()
        auc = evaluation.metrics["test"]["auc"]
        assert label == f"{title}: AUC {auc['value']:.3f} ({auc['low']:.3f} to {auc['high']:.3f})"


def test_roc_figure_marks_the_balanced_point(make_evaluation):
    """Without a threshold the point is that of the stored rates at the balanced operating point."""
    evaluation = make_evaluation()
    stored = evaluation.metrics["test"]["at"]["balanced"]
    _, point = starting(drawn_lines(figures.roc_figure([evaluation])), "Balanced threshold 0.5:")
    assert point.get_xdata()[0] == pytest.approx(1 - stored["specificity"]["value"], abs=1e-5)
    assert point.get_ydata()[0] == pytest.approx(stored["recall"]["value"], abs=1e-5)


def test_a_threshold_marks_the_first_model_alone(pair):
    """A slider belongs to one model; the other keeps its own operating point."""
    lines = drawn_lines(figures.roc_figure(pair, threshold=0.9))
    scores = pair[0].scores["test"]
    rates = metrics.rates_at(scores.labels, scores.probabilities, 0.9)
    _, point = starting(lines, "Threshold 0.9:")
    assert (point.get_xdata()[0], point.get_ydata()[0]) == (1 - rates["specificity"], rates["recall"])
    starting(lines, "Balanced threshold 0.5:")


def test_precision_recall_figure(pair):
    """Each model's line is its precision-recall curve; chance is the share of pneumonia."""
    lines = drawn_lines(figures.precision_recall_figure(pair))
    scores = pair[1].scores["test"]
    curve = metrics.precision_recall_points(scores.labels, scores.probabilities)
    _, line = starting(lines, "Plain CNN: average precision")
    assert line.get_xdata().tolist() == curve.recall.tolist()
    assert line.get_ydata().tolist() == curve.precision.tolist()
    assert list(starting(lines, "Chance: 0.500")[1].get_ydata()) == [0.5, 0.5]


def test_no_point_where_precision_is_undefined(make_evaluation):
    """A threshold that calls no image has no place on the curve."""
    lines = drawn_lines(figures.precision_recall_figure([make_evaluation()], threshold=1.0))
    assert not [label for label in lines if label.startswith("Threshold")]


def test_reliability_figure(make_evaluation):
    """The line is that of the bins, named with the stored error."""
    evaluation = make_evaluation()
    scores, ece = evaluation.scores["test"], evaluation.metrics["test"]["ece"]
    bins = metrics.reliability_bins(scores.labels, scores.probabilities)
    _, line = starting(
        drawn_lines(figures.reliability_figure([evaluation])), f"DenseNet-121: calibration error {ece['value']:.3f} ("
    )
    assert line.get_xdata().tolist() == bins.mean_probability.tolist()
    assert line.get_ydata().tolist() == bins.observed.tolist()


def test_the_other_split_can_be_drawn(make_evaluation):
    """The held-out images have curves of their own."""
    evaluation = make_evaluation()
    auc = evaluation.metrics["held_out"]["auc"]["value"]
    assert auc != evaluation.metrics["test"]["auc"]["value"]
    starting(drawn_lines(figures.roc_figure([evaluation], split="held_out")), f"DenseNet-121: AUC {auc:.3f}")


def test_an_absent_interval_is_not_written(make_evaluation):
    """A figure without an interval stands alone in the legend."""
    evaluation = make_evaluation()
    evaluation.metrics["test"]["auc"].update(value=0.75, low=None, high=None)
    assert "DenseNet-121: AUC 0.750" in drawn_lines(figures.roc_figure([evaluation]))


@pytest.mark.parametrize(
    ("counts", "texts"),
    [
        (COUNTS, ["30\n75.0 % of row", "10\n25.0 % of row", "5\n10.0 % of row", "45\n90.0 % of row"]),
        ({"tn": 0, "fp": 0, "fn": 1, "tp": 3}, ["0", "0", "1\n25.0 % of row", "3\n75.0 % of row"]),
    ],
    ids=["both classes", "no normal image"],
)
def test_confusion_figure(counts, texts):
    """Each cell says its count and its share of the row; an absent class has no share."""
    axes = figures.confusion_figure(counts).axes[0]
    assert [text.get_text() for text in axes.texts] == texts
    assert [text.get_position() for text in axes.texts] == [(0, 0), (1, 0), (0, 1), (1, 1)]


def test_confusion_text_can_be_read():
    """Light letters on dark cells and dark letters on light ones: at least 4.5 to 1 (WCAG 2.2), whatever the share."""
    for share in range(101):
        axes = figures.confusion_figure({"tn": 100 - share, "fp": share, "fn": 0, "tp": 1}).axes[0]
        ground = luminance(mpl.colormaps["cividis"](share / 100)[:3])
        letters = luminance(mpl.colors.to_rgb(axes.texts[1].get_color()))
        assert (max(ground, letters) + 0.05) / (min(ground, letters) + 0.05) >= 4.5


@pytest.mark.parametrize("style", [figures.DARK, figures.LIGHT], ids=["dark", "light"])
def test_style_colours_every_letter(style, pair):
    """Letters have the style's colour and the ground is transparent, so the page's own shows through."""
    for figure in (
        figures.roc_figure(pair, style=style),
        figures.precision_recall_figure(pair, style=style),
        figures.reliability_figure(pair, style=style),
        figures.confusion_figure(COUNTS, style=style),
    ):
        axes = figure.axes[0]
        letters = [axes.xaxis.label, axes.yaxis.label, *axes.get_xticklabels(), *axes.get_yticklabels()]
        if axes.get_legend():
            letters += axes.get_legend().get_texts()
        assert {to_hex(text.get_color()) for text in letters} == {style.text}
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=50)
        pixels = np.asarray(Image.open(buffer).convert("RGBA"))
        assert pixels[0, 0, 3] == 0
        assert pixels[..., 3].max() == 255


def test_models_differ_without_colour(pair):
    """Dash and marker tell the models apart in grey too."""
    for figure in (figures.roc_figure(pair), figures.precision_recall_figure(pair), figures.reliability_figure(pair)):
        lines = [line for line in figure.axes[0].lines if line.get_label().startswith(("DenseNet", "Plain"))]
        assert len({line.get_linestyle() for line in lines}) == 2
    points = [line for line in figures.roc_figure(pair).axes[0].lines if line.get_linestyle() == "None"]
    assert len({point.get_marker() for point in points}) == 2


@pytest.mark.slow
def test_pyplot_is_never_imported():
    """Its state is shared by all threads of a server."""
    program = (
        "import sys, cxrmodel.evaluation.report.figures as f; f.confusion_figure({'tn': 1, 'fp': 1, 'fn': 1, 'tp': 1});"
        "sys.exit('matplotlib.pyplot' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def luminance(colour) -> float:
    """Relative luminance of sRGB, as WCAG 2.2 defines it."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_every_figure_is_written_as_svg(pair, tmp_path):
    """Three for all models together and one for each, in a folder that need not exist."""
    written = figures.write_figures(pair, tmp_path / "new")
    names = ["roc", "precision-recall", "reliability", "confusion-densenet121", "confusion-cnn"]
    assert [path.name for path in written] == [f"{name}.svg" for name in names]
    assert all("</svg>" in path.read_text(encoding="utf-8") for path in written)
