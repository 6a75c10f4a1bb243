"""Interactive charts, drawn from series that are known."""

from dataclasses import replace

import numpy as np
import pytest

from cxrmodel.evaluation.report.charts import (
    PublishedMark,
    RandomisationCurve,
    RateCurve,
    TrainingHistory,
    TrainingStart,
    curve_bands,
    rate_curve,
    reliability_before_after,
)
from cxrmodel.messages import Message
from cxrmodel.web.evaluation import charts

FIRST_MARKS = ("high_sensitivity", "balanced", "high_specificity")


@pytest.fixture(scope="module")
def curve(evaluation):
    """Rates of the model."""
    return rate_curve(evaluation, "test")


@pytest.fixture(scope="module")
def bands(evaluation):
    """Bands of both views."""
    return curve_bands(evaluation, "test")


@pytest.fixture
def two(curve, bands):
    """Two models with different positions in the registry."""
    return [curve, replace(curve, title="Another", position=1)], [bands.roc] * 2, [bands.precision_recall] * 2


def layers(chart) -> list[list[dict]]:
    """The rows of each layer of a chart."""
    made = chart.to_dict()
    return [made["datasets"][layer.get("data", made.get("data"))["name"]] for layer in made["layer"]]


def baseline(title: str, position: int) -> RateCurve:
    """A baseline of three corners."""
    columns = [0.0, 0.5, 1.0], [1.0, 0.75, 0.0], [1.0, 0.8, 0.6]
    return RateCurve(title, position, np.full(3, np.nan), *map(np.array, columns))


def test_roc_chart(two, curve):
    """Curves with bands, the operating points of the first model, and published points."""
    curves, bands, _ = two
    drawn = layers(charts.roc_chart(curves, bands, (), [PublishedMark("Kermany 2018", 0.932, 0.901)]))
    chance, shaded, lines, dots, marks, diamonds = drawn
    assert [(row["x"], row["y"]) for row in chance] == [(0, 0), (1, 1)]
    assert lines == dots
    for model in curves:
        rows = [row for row in lines if row["model"] == model.title]
        assert (rows[0]["x"], rows[0]["y"], rows[-1]["x"], rows[-1]["y"]) == (0, 0, 1, 1)
        known = set(zip(curve.sensitivity.round(5), (1 - curve.specificity).round(5), strict=True))
        assert {(row["y"], row["x"]) for row in rows} <= known
        assert len([row for row in shaded if row["model"] == model.title]) == len(bands[0].x)
    assert [mark["y"] for mark in marks] == [round(curve.mark(name).sensitivity, 5) for name in FIRST_MARKS]
    assert [(mark["point"], mark["x"], mark["y"]) for mark in diamonds] == [("Kermany 2018", 0.099, 0.932)]


def test_precision_recall_chart(two, curve):
    """Every corner has its threshold; chance is the prevalence."""
    curves, _, bands = two
    chance, _, lines, _, marks = layers(charts.precision_recall_chart(curves, 0.66, bands))
    assert {row["y"] for row in chance} == {0.66}
    by_threshold = dict(zip(curve.thresholds.round(4), curve.precision, strict=True))
    for row in lines[1::7]:
        assert row["precision"] == pytest.approx(by_threshold.get(row["threshold"], row["precision"]), abs=1e-4)
    assert [mark["x"] for mark in marks] == [round(curve.mark(name).sensitivity, 5) for name in FIRST_MARKS]


@pytest.mark.parametrize("view", ["roc", "precision_recall"])
def test_baselines_have_a_line_each(two, view):
    """With dashes of their own, in a colour that no model has."""
    curves, roc_bands, recall_bands = two
    others = [baseline("File size", 0), baseline("Grey levels", 1)]
    if view == "roc":
        made, corners = charts.roc_chart(curves, roc_bands, others), [(0, 0), (0.25, 0.5), (1, 1)]
    else:
        made = charts.precision_recall_chart(curves, 0.66, recall_bands, others)
        corners = [(0, 1), (0.5, 0.8), (1, 0.6)]
    for other in others:
        assert [(row["x"], row["y"]) for row in layers(made)[2] if row["model"] == other.title] == corners
    encoding = made.to_dict()["layer"][2]["encoding"]
    colours, dashes = (encoding[channel]["scale"]["range"] for channel in ("color", "strokeDash"))
    assert not set(colours[:2]) & set(colours[2:])
    assert len(set(map(str, dashes[2:]))) == 2


def looks(made) -> list[dict[str, str]]:
    """Colour and dash of each model, by its title."""
    encoding = made.to_dict()["layer"][2]["encoding"]
    scales = [encoding[channel]["scale"] for channel in ("color", "strokeDash")]
    return [dict(zip(scale["domain"], map(str, scale["range"]), strict=True)) for scale in scales]


def test_models_keep_their_colour_and_dash(two):
    """They differ in both, and the order in which they are drawn changes neither."""
    curves, bands, _ = two
    first, second = (looks(charts.roc_chart(order, bands)) for order in (curves, curves[::-1]))
    assert first == second
    assert all(len(set(look.values())) == 2 for look in first)


def test_any_number_of_models_has_colours(curve, bands):
    """Colours and dashes follow from the position and are used again beyond the last one."""
    curves = [replace(curve, title=f"Model {position}", position=position) for position in range(6)]
    colours, dashes = looks(charts.roc_chart(curves, [bands.roc] * 6))
    assert len(colours) == len(dashes) == 6
    assert len({(colours[title], dashes[title]) for title in colours}) == 4


@pytest.mark.parametrize("view", ["roc", "precision_recall"])
def test_corner_is_enlarged(curve, bands, view):
    """The axes end where the corner does."""
    if view == "roc":
        made = charts.roc_chart([curve], [bands.roc], corner=True)
    else:
        made = charts.precision_recall_chart([curve], 0.66, [bands.precision_recall], corner=True)
    encoding = made.to_dict()["layer"][0]["encoding"]
    assert tuple(tuple(encoding[axis]["scale"]["domain"]) for axis in "xy") == charts.CORNER[view]


def test_reliability_chart(evaluation):
    """One mark a bin, within its interval."""
    diagram = reliability_before_after(evaluation, "test")[1]
    _, rules, points = layers(charts.reliability_chart(diagram, "effusion"))
    assert rules == points
    assert len(points) == 15
    assert all(row["low"] <= row["y"] <= row["high"] for row in points)
    assert "effusion" in charts.reliability_chart(diagram, "effusion").to_dict()["layer"][0]["encoding"]["y"]["title"]


@pytest.mark.parametrize(("starts", "marked"), [((), []), ((0.5, 1.5), [("Training 1", 0.5), ("Training 2", 1.5)])])
def test_history_charts(starts, marked):
    """A point each epoch, and a named line where each of several trainings begins."""
    begun = tuple(
        TrainingStart(number, epoch, Message("training.random_weights")) for number, epoch in enumerate(starts, start=1)
    )
    loss = np.array([1.0, 0.5])
    history = TrainingHistory(np.array([1, 2]), np.array([96, 96]), loss, 2 * loss, np.array([0.9, 0.9]), begun)
    *_, losses = layers(charts.loss_chart(history))
    assert [row["loss"] for row in losses] == [1.0, 0.5, 2.0, 1.0]
    *_, aucs = layers(charts.auc_chart(history))
    assert [row["auc"] for row in aucs] == [0.9, 0.9]
    for chart in (charts.loss_chart(history), charts.auc_chart(history)):
        *marks, _ = layers(chart)
        assert [(row["name"], row["epoch"]) for (row,) in marks[::2]] == marked
        assert marks[::2] == marks[1::2]


def test_randomisation_chart():
    """A line each method over the stages, the trained network first."""
    curves = [RandomisationCurve(title, ("", "output"), (1.0, 0.2)) for title in ("Grad-CAM", "Saliency")]
    (rows,) = charts.randomisation_chart(curves).to_dict()["datasets"].values()
    assert [(row["method"], row["similarity"]) for row in rows] == [
        ("Grad-CAM", 1.0),
        ("Grad-CAM", 0.2),
        ("Saliency", 1.0),
        ("Saliency", 0.2),
    ]
    assert len({row["stage"] for row in rows}) == 2
