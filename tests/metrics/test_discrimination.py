"""Ranking metrics: worked by hand, equal to scikit-learn's, and true of all inputs."""

import numpy as np
import pytest
from hypothesis import given, settings
from sklearn import metrics as reference

from cxrmodel.metrics.bootstrap import weighted
from cxrmodel.metrics.discrimination import (
    auc,
    auc_change,
    average_precision,
    precision_recall_points,
    roc_auc,
    roc_points,
)
from cxrmodel.metrics.estimate import Estimate
from tests.support.metric_samples import BOTH_CLASSES, samples_of, unzip, weighted_images


def areas(labels, twentieths):
    """AUC of a sample whose scores are twentieths."""
    return auc(labels, np.array(twentieths) / 20, [str(i) for i in range(len(labels))])


@settings(max_examples=40, deadline=None)
@given(weighted_images())
def test_weighted_metrics_equal_those_of_scikit_learn(images):
    """AUC and average precision with weights and ties."""
    labels, scores, weights = unzip(images)
    samples = samples_of(images)
    assert roc_auc(samples)[0] == pytest.approx(reference.roc_auc_score(labels, scores, sample_weight=weights))
    assert average_precision(samples)[0] == pytest.approx(
        reference.average_precision_score(labels, scores, sample_weight=weights)
    )


def test_by_hand():
    """Six of nine pairs in order; precision 1, 2/3 and 3/5 at the three positive images."""
    samples = samples_of(zip([0, 0, 1, 0, 1, 1], [1, 3, 2, 5, 4, 6], [1] * 6, strict=True))
    assert roc_auc(samples)[0] == pytest.approx(6 / 9)
    assert average_precision(samples)[0] == pytest.approx((1 + 2 / 3 + 3 / 5) / 3)


def test_what_is_undefined_is_nan():
    """A sample of one class has no AUC; without a positive image it has no average precision either."""
    samples = weighted(np.array([0, 1]), np.array([0.2, 0.4]), np.array([[1.0, 0.0], [0.0, 1.0]]))
    assert np.isnan(roc_auc(samples)).all()
    assert np.isnan(average_precision(samples)).tolist() == [True, False]


def test_roc_points_by_hand():
    """One step an image, from nothing positive to everything positive."""
    curve = roc_points([0, 1, 1], [0.2, 0.2, 0.7])
    assert curve.false_positive_rate.tolist() == [0.0, 0.0, 1.0]
    assert curve.true_positive_rate.tolist() == [0.0, 0.5, 1.0]
    assert curve.thresholds.tolist() == [np.inf, 0.7, 0.2]


def test_precision_recall_points_by_hand():
    """The curve ends at recall 0 and precision 1, where no image is positive."""
    curve = precision_recall_points([0, 1, 1], [0.4, 0.2, 0.7])
    assert curve.precision.tolist() == pytest.approx([2 / 3, 1 / 2, 1.0, 1.0])
    assert curve.recall.tolist() == [1.0, 0.5, 0.5, 0.0]
    assert curve.thresholds.tolist() == [0.2, 0.4, 0.7, np.inf]


@settings(max_examples=20, deadline=None)
@given(BOTH_CLASSES)
def test_area_under_the_roc_points_is_the_auc(images):
    """The curve that is drawn and the figure beside it are one."""
    labels, twentieths = zip(*images, strict=True)
    curve = roc_points(labels, np.array(twentieths) / 20)
    area = np.trapezoid(curve.true_positive_rate, curve.false_positive_rate)
    assert area == pytest.approx(areas(labels, twentieths).value, abs=1e-5)


@settings(max_examples=20, deadline=None)
@given(BOTH_CLASSES)
def test_auc_knows_only_the_order(images):
    """A strictly rising transform changes neither the AUC nor its interval."""
    labels, twentieths = zip(*images, strict=True)
    assert areas(labels, twentieths) == areas(labels, np.array(twentieths) ** 3 + 1)


@settings(max_examples=20, deadline=None)
@given(BOTH_CLASSES)
def test_swapped_labels_give_one_minus_the_auc(images):
    """Naming the other class positive mirrors the AUC."""
    labels, twentieths = zip(*images, strict=True)
    value, swapped = (areas(y, twentieths).value for y in (labels, 1 - np.array(labels)))
    assert swapped == pytest.approx(1 - value, abs=1e-5)


def test_one_class_has_no_auc():
    """No made-up half."""
    assert auc(np.ones(4, int), np.arange(4), list("abcd")) == Estimate.undefined(4)


def test_change_is_paired():
    """Equal scores change nothing in any resample; negated scores lose twice their excess over one half."""
    rng = np.random.default_rng(0)
    labels = np.arange(120) % 3 % 2
    scores, patients = rng.normal(labels * 1.5, 1.0), [f"p{i // 2}" for i in range(120)]
    assert auc_change(labels, scores, 2 * scores, patients) == Estimate(0.0, 0.0, 0.0, 120)
    negated = auc_change(labels, scores, -scores, patients)
    assert negated.value == pytest.approx(1 - 2 * reference.roc_auc_score(labels, scores), rel=1e-4)
    assert negated.low < negated.value < negated.high < 0


@settings(max_examples=40, deadline=None)
@given(BOTH_CLASSES)
def test_curves_equal_those_of_scikit_learn(images):
    """Point by point."""
    labels, twentieths = zip(*images, strict=True)
    scores = np.array(twentieths) / 20
    for point, wanted in zip(
        roc_points(labels, scores), reference.roc_curve(labels, scores, drop_intermediate=False), strict=True
    ):
        np.testing.assert_array_equal(point, wanted)
    precision, recall, thresholds = reference.precision_recall_curve(labels, scores)
    found = precision_recall_points(labels, scores)
    np.testing.assert_array_equal(found.precision, precision)
    np.testing.assert_array_equal(found.recall, recall)
    np.testing.assert_array_equal(found.thresholds, np.append(thresholds, np.inf))
