"""Interactive charts, drawn from series that are known."""

import numpy as np
import pytest

from cxrmodel.evaluation.report.charts import (
    RandomisationCurve,
    TrainingHistory,
    TrainingStart,
    reliability_before_after,
)
from cxrmodel.messages import Message
from cxrmodel.web.evaluation import charts


def layers(chart) -> list[list[dict]]:
    """The rows of each layer of a chart."""
    made = chart.to_dict()
    return [made["datasets"][layer.get("data", made.get("data"))["name"]] for layer in made["layer"]]


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
