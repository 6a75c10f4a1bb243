"""Series of the charts hold the arrays that the metrics give."""

import numpy as np
import pytest

from cxrmodel.evaluation import metrics
from cxrmodel.evaluation.data_flow import training_record
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
from tests.support.made_up_sections import AUDITS, EXPLANATIONS


def test_one_curve_holds_both_views(make_evaluation):
    """ROC and precision-recall points share their thresholds."""
    evaluation = make_evaluation()
    scores = evaluation.scores["test"]
    curve = rate_curve(evaluation, "test")
    roc = metrics.roc_points(scores.labels, scores.probabilities)
    recall = metrics.precision_recall_points(scores.labels, scores.probabilities)
    assert curve.thresholds.tolist() == recall.thresholds[::-1].tolist() == roc.thresholds.tolist()
    assert (1 - curve.specificity).tolist() == pytest.approx(roc.false_positive_rate.tolist())
    assert curve.sensitivity.tolist() == recall.recall[::-1].tolist()
    assert curve.precision.tolist() == recall.precision[::-1].tolist()


def test_operating_points_are_marked(make_evaluation):
    """With the rates of the stored thresholds, and a further one where asked for."""
    evaluation = make_evaluation()
    curve = rate_curve(evaluation, "test", threshold=1.0)
    assert [mark.name for mark in curve.marks] == [*evaluation.operating_points, ""]
    scores, balanced = evaluation.scores["test"], curve.mark("balanced")
    rates = metrics.rates_at(scores.labels, scores.probabilities, balanced.threshold)
    assert (balanced.sensitivity, balanced.specificity) == (rates["recall"], rates["specificity"])
    assert curve.mark("").precision is None


def test_baselines_without_a_curve_are_left_out():
    """A stored curve is false positive rate, sensitivity, precision."""
    (curve,) = baseline_curves(AUDITS["shortcuts"])
    assert (curve.title, curve.position) == ("file size", 0)
    assert curve.sensitivity.tolist() == [0.0, 0.6, 1.0]
    assert curve.specificity.tolist() == [1.0, 0.6, 0.0]
    assert curve.precision.tolist() == [1.0, 0.75, 0.66667]
    assert np.isnan(curve.thresholds).all()


def test_published_points_have_both_rates():
    """Figures without sensitivity and specificity have no place in the ROC chart."""
    marks = published_marks(published())
    assert 0 < len(marks) < len(published())
    assert all(0 < rate < 1 for mark in marks for rate in (mark.sensitivity, mark.specificity))


def test_confusion_matrix_shares():
    """Of each row; an empty row has none."""
    matrix = confusion_matrix({"tn": 0, "fp": 0, "fn": 1, "tp": 3})
    assert matrix.counts.tolist() == [[0, 0], [1, 3]]
    assert np.isnan(matrix.shares[0]).all()
    assert matrix.shares[1].tolist() == [0.25, 0.75]


def test_reliability_of_each_probability(make_evaluation):
    """Before, after, and weighted to another prevalence."""
    evaluation = make_evaluation()
    before, after = reliability_before_after(evaluation, "test")
    assert before.stated == pytest.approx(after.stated, abs=1e-5)
    rare = reliability_at(evaluation, "test", 0.2)
    assert rare.observed.mean() == pytest.approx(0.2)


def test_randomisation_begins_with_the_trained_network():
    """Similarity 1 at the stage without a name."""
    (curve,) = randomisation_curves(EXPLANATIONS)
    assert curve.stages == ("", "output")
    assert curve.similarity == (1.0, 0.1)


def test_history_is_counted_through():
    """Every epoch of every training, with the start of each."""
    record = training_record("densenet121")
    history = training_history(record["history"], record["trainings"])
    assert history.epochs.tolist() == list(range(1, len(history.epochs) + 1))
    assert [start.number for start in history.starts] == [1, 2, 3]
    assert history.starts[0].epoch == 0.5
    assert not np.isnan(history.loss).any()
    assert training_history([{"epoch": 1, "loss": 0.5}], [{"first": 1}]).starts == ()


@pytest.mark.parametrize("palette", [DARK, LIGHT], ids=["dark", "light"])
def test_colours_repeat(palette):
    """Any number of models has colours."""
    assert palette.line(len(palette.lines)) == palette.line(0)
