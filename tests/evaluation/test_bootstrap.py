"""Weighted metrics agree with scikit-learn's, and resamples are drawn by patient."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from cxrmodel.evaluation import bootstrap

IMAGE = st.tuples(st.integers(0, 1), st.integers(0, 8), st.integers(0, 3))
"""Label, probability in eighths (so that ties abound), weight."""


def unzip(images):
    labels, eighths, weights = (np.array(column) for column in zip(*images, strict=True))
    return labels, eighths / 8, weights.astype(float)


def tally_of(images):
    labels, probabilities, weights = unzip(images)
    return bootstrap.tally(labels, probabilities, weights[None])


@st.composite
def weighted_images(draw):
    """Images with weights, of both classes in some weight."""
    images = draw(st.lists(IMAGE, min_size=1, max_size=40))
    return [*images, (0, draw(st.integers(0, 8)), 1), (1, draw(st.integers(0, 8)), 2)]


@settings(max_examples=40, deadline=None)
@given(weighted_images())
def test_weighted_metrics_equal_those_of_scikit_learn(images):
    """AUC, average precision and Brier score with weights and ties."""
    labels, probabilities, weights = unzip(images)
    tally = tally_of(images)
    assert bootstrap.roc_auc(tally)[0] == pytest.approx(
        reference.roc_auc_score(labels, probabilities, sample_weight=weights)
    )
    assert bootstrap.average_precision(tally)[0] == pytest.approx(
        reference.average_precision_score(labels, probabilities, sample_weight=weights)
    )
    assert bootstrap.brier(tally)[0] == pytest.approx(
        reference.brier_score_loss(labels, probabilities, sample_weight=weights)
    )


@settings(max_examples=40, deadline=None)
@given(weighted_images(), st.integers(0, 9))
def test_weighted_rates_equal_those_of_scikit_learn(images, eighths):
    """Confusion weights, and every rate that follows from them."""
    labels, probabilities, weights = unzip(images)
    threshold = eighths / 8
    counts = bootstrap.confusion(tally_of(images), threshold)
    called = (probabilities >= threshold).astype(int)
    table = reference.confusion_matrix(labels, called, labels=[0, 1], sample_weight=weights)
    assert [counts[name][0] for name in ("tn", "fp", "fn", "tp")] == table.ravel().tolist()
    known = {"sample_weight": weights, "zero_division": np.nan}
    wanted = {
        "accuracy": reference.accuracy_score(labels, called, sample_weight=weights),
        "balanced_accuracy": reference.balanced_accuracy_score(labels, called, sample_weight=weights),
        "precision": reference.precision_score(labels, called, **known),
        "recall": reference.recall_score(labels, called, **known),
        "specificity": reference.recall_score(labels, called, pos_label=0, **known),
        "f1": reference.f1_score(labels, called, **known),
    }
    given_rates = {name: values[0] for name, values in bootstrap.rates(**counts).items()}
    assert given_rates == pytest.approx(wanted, nan_ok=True)


@settings(max_examples=40, deadline=None)
@given(weighted_images(), st.integers(1, 6))
def test_a_weight_is_a_number_of_copies(images, bins):
    """The calibration error of weighted images is that of the images repeated, in any order."""
    repeated = [(label, eighths, 1) for label, eighths, weight in reversed(images) for _ in range(weight)]
    assert bootstrap.calibration_error(tally_of(images), bins) == pytest.approx(
        bootstrap.calibration_error(tally_of(repeated), bins)
    )


def test_samples_are_tallied_one_by_one():
    """Each row of weights is a sample of its own."""
    labels, probabilities = np.array([0, 1, 1]), np.array([0.2, 0.6, 0.1])
    weights = np.array([[1.0, 1.0, 0.0], [1.0, 0.0, 1.0], [1.0, 1.0, 1.0]])
    assert bootstrap.roc_auc(bootstrap.tally(labels, probabilities, weights)).tolist() == [1.0, 0.0, 0.5]


def test_what_is_undefined_is_nan():
    """A sample without one class has no AUC; one without a call has no precision."""
    images = bootstrap.tally(np.array([0, 1]), np.array([0.2, 0.4]), np.array([[1.0, 0.0], [0.0, 1.0]]))
    assert np.isnan(bootstrap.roc_auc(images)).all()
    assert np.isnan(bootstrap.average_precision(images)).tolist() == [True, False]
    rates = bootstrap.rates(**bootstrap.confusion(images, 0.9))
    assert np.isnan(rates["precision"]).all()
    assert np.isnan(rates["recall"]).tolist() == [True, False]


def test_a_patient_brings_all_images():
    """Images of a patient share a weight, and each resample draws as many patients as there are."""
    patients = np.array(["b", "a", "b", "c", "b", "a"])
    weights = bootstrap.patient_weights(patients, resamples=300, seed=1)
    assert (weights[:, 0] == weights[:, 2]).all()
    assert (weights[:, 0] == weights[:, 4]).all()
    assert (weights[:, 1] == weights[:, 5]).all()
    assert (weights[:, [0, 1, 3]].sum(axis=1) == 3).all()
    assert len(np.unique(weights, axis=0)) == 10  # ways to draw 3 from 3 with replacement, order aside


@settings(max_examples=40, deadline=None)
@given(st.permutations(["a", "a", "b", "c", "c", "d"]))
def test_resamples_do_not_depend_on_the_order_of_images(patients):
    """The same patient is drawn as often wherever the images stand in the list."""
    wanted = bootstrap.patient_weights(np.array(["a", "b", "c", "d"]), 20, seed=7)
    column = {"a": 0, "b": 1, "c": 2, "d": 3}
    weights = bootstrap.patient_weights(np.array(patients), 20, seed=7)
    assert (weights == wanted[:, [column[name] for name in patients]]).all()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.arange(101.0), (2.5, 97.5)),
        (np.append(np.arange(101.0), [np.nan] * 101), (2.5, 97.5)),
        (np.append(np.arange(101.0), [np.nan] * 102), None),
        (np.full(4, np.nan), None),
    ],
    ids=["all defined", "half undefined", "more than half undefined", "none defined"],
)
def test_percentile_interval(values, expected):
    """Undefined resamples are left out; more than half of them leave no interval."""
    interval = bootstrap.percentile_interval(values, 0.95)
    assert interval == (None if expected is None else pytest.approx(expected))
