"""Series of the charts hold the arrays that the metrics give."""

from types import SimpleNamespace

import numpy as np
import pytest

from cxrmodel.evaluation.published import published
from cxrmodel.evaluation.report.charts import (
    DARK,
    LIGHT,
    baseline_curves,
    confusion_matrix,
    published_marks,
    randomisation_curves,
    rate_curve,
    reliability_at,
    reliability_before_after,
    training_history,
)
from cxrmodel.metrics.discrimination import precision_recall_points, roc_points
from cxrmodel.metrics.rates import Confusion
from cxrmodel.model.calibration import at_prevalence, points_at
from cxrmodel.training.record import shipped_training_record


def test_one_curve_holds_both_views(make_evaluation):
    """ROC and precision-recall points share their thresholds."""
    evaluation = make_evaluation()
    scores = evaluation.splits["test"]
    curve = rate_curve(evaluation, "test")
    roc = roc_points(scores.labels, scores.probabilities)
    recall = precision_recall_points(scores.labels, scores.probabilities)
    assert curve.thresholds.tolist() == recall.thresholds[::-1].tolist() == roc.thresholds.tolist()
    assert (1 - curve.specificity).tolist() == pytest.approx(roc.false_positive_rate.tolist())
    assert curve.sensitivity.tolist() == recall.recall[::-1].tolist()
    assert curve.precision.tolist() == recall.precision[::-1].tolist()
    overall = evaluation.splits["test"].performance.overall
    assert (curve.auc, curve.average_precision) == (overall["auc"], overall["average_precision"])


def test_thresholds_of_a_curve_move_with_the_prevalence(make_evaluation):
    """As those of a reading do; the rates stay."""
    evaluation = make_evaluation()
    curve = rate_curve(evaluation, "test")
    moved = curve.at_prevalence(evaluation.prevalence, 0.2)
    points = points_at(evaluation.operating_points, evaluation.prevalence, 0.2)
    assert [mark.threshold for mark in moved.marks] == pytest.approx(list(points.values()))
    assert moved.thresholds[0] == 1
    expected = [at_prevalence(float(value), evaluation.prevalence, 0.2) for value in curve.thresholds[1:]]
    assert moved.thresholds[1:] == pytest.approx(expected)
    assert moved.sensitivity is curve.sensitivity


def test_operating_points_are_marked(make_evaluation):
    """With the rates at the stored thresholds."""
    evaluation = make_evaluation()
    curve = rate_curve(evaluation, "test")
    assert [mark.name for mark in curve.marks] == list(evaluation.operating_points)
    rates = evaluation.splits["test"].performance.at["balanced"].rates
    mark = curve.mark("balanced")
    stored = [rates[name].value for name in ("sensitivity", "specificity", "ppv")]
    assert [mark.sensitivity, mark.specificity, mark.precision] == pytest.approx(stored, abs=1e-5)


def test_baselines_without_a_curve_are_left_out():
    """A stored curve holds false positive rate, sensitivity and precision."""
    corners = ((0.0, 0.0, 1.0), (0.4, 0.6, 0.75), (1.0, 1.0, 0.66667))
    shortcuts = [SimpleNamespace(title="none", curve=()), SimpleNamespace(title="file size", curve=corners)]
    (curve,) = baseline_curves(shortcuts)
    assert (curve.title, curve.position) == ("file size", 0)
    assert curve.sensitivity.tolist() == [0.0, 0.6, 1.0]
    assert curve.specificity.tolist() == [1.0, 0.6, 0.0]
    assert curve.precision.tolist() == [1.0, 0.75, 0.66667]
    assert np.isnan(curve.thresholds).all()


def test_published_points_have_both_rates():
    """Figures without sensitivity and specificity are not in the ROC chart."""
    marks = published_marks(published())
    assert 0 < len(marks) < len(published())
    assert all(0 < rate < 1 for mark in marks for rate in (mark.sensitivity, mark.specificity))


def test_confusion_matrix_shares():
    """Of each row; an empty row has none."""
    matrix = confusion_matrix(Confusion(tn=0, fp=0, fn=1, tp=3))
    assert matrix.counts.tolist() == [[0, 0], [1, 3]]
    assert np.isnan(matrix.shares[0]).all()
    assert matrix.shares[1].tolist() == [0.25, 0.75]


def test_reliability_of_each_probability(make_evaluation):
    """Before, after, and weighted to another prevalence."""
    evaluation = make_evaluation()
    before, after = reliability_before_after(evaluation, "test")
    assert before.mean_probability == pytest.approx(after.mean_probability, abs=1e-5)
    assert reliability_at(evaluation, "test", 0.2).observed.mean() == pytest.approx(0.2)


def test_randomisation_begins_with_the_trained_network():
    """The similarity of the trained network is 1."""
    row = SimpleNamespace(name="gradcam", randomisation=SimpleNamespace(spearman=(0.1,)))
    section = SimpleNamespace(settings=SimpleNamespace(stages=("output",)), methods=(row,))
    (curve,) = randomisation_curves(section)
    assert curve.stages == ("", "output")
    assert curve.similarity == (1.0, 0.1)


def test_history_is_counted_through():
    """Every epoch of every training, with the start of each; a single training has no marked start."""
    record = shipped_training_record("densenet121")
    history = training_history(record)
    assert history.epochs.tolist() == list(range(1, len(history.epochs) + 1))
    assert [start.number for start in history.starts] == [1, 2, 3, 4]
    assert history.starts[0].epoch == 0.5
    assert training_history(record.replace(before=())).starts == ()


@pytest.mark.parametrize("palette", [DARK, LIGHT], ids=["dark", "light"])
def test_colours_repeat(palette):
    """Colours repeat where there are many models."""
    assert palette.line(len(palette.lines)) == palette.line(0)
