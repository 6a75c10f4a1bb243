"""Rates at a threshold: worked by hand, equal to scikit-learn's, undefined without a warning."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from cxrmodel.errors import DataError
from cxrmodel.metrics import rates
from cxrmodel.metrics.rates import Confusion, confusion_at, counts_at, predictive_values
from cxrmodel.metrics.registry import rates_in_order
from tests.support.metric_samples import samples_of, unzip, weighted_images

LABELS = [0, 0, 1, 0, 1, 1]
PROBABILITIES = [0.1, 0.4, 0.35, 0.8, 0.65, 0.9]
SHARES = ("accuracy", "balanced_accuracy", "ppv", "sensitivity", "specificity", "f1")
NAN = float("nan")


def rates_of(confusion: Confusion) -> dict[str, float]:
    """Every rate of some counts."""
    return {rate.name: float(rate.measure(confusion.counts)) for rate in rates_in_order()}


@pytest.mark.parametrize(
    ("threshold", "counts", "expected"),
    [
        (0.5, (2, 1, 1, 2), (4 / 6, 2 / 3, 2 / 3, 2 / 3, 2 / 3, 2 / 3)),
        (0.35, (1, 2, 0, 3), (4 / 6, 2 / 3, 3 / 5, 1.0, 1 / 3, 6 / 8)),
        (0.9, (3, 0, 2, 1), (4 / 6, 2 / 3, 1.0, 1 / 3, 1.0, 2 / 4)),
        (0.0, (0, 3, 0, 3), (1 / 2, 1 / 2, 1 / 2, 1.0, 0.0, 6 / 9)),
        (0.95, (3, 0, 3, 0), (1 / 2, 1 / 2, NAN, 0.0, 1.0, 0.0)),
    ],
    ids=["middle", "at a positive image", "at the highest image", "all positive", "none positive"],
)
def test_by_hand(threshold, counts, expected):
    """An image at the threshold is positive; a rate without a denominator is NaN, without a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        confusion = confusion_at(LABELS, PROBABILITIES, threshold)
        found = rates_of(confusion)
    assert confusion == Confusion(*counts)
    assert [found[name] for name in SHARES] == pytest.approx(expected, nan_ok=True)


def test_further_rates_by_hand():
    """90 found of 100 positive images, 20 false alarms of 80 negative ones."""
    found = rates_of(Confusion(tn=60, fp=20, fn=10, tp=90))
    assert found["npv"] == pytest.approx(60 / 70)
    assert found["lr_positive"] == pytest.approx(0.9 / 0.25)
    assert found["lr_negative"] == pytest.approx(0.1 / 0.75)
    assert found["mcc"] == pytest.approx((90 * 60 - 20 * 10) / np.sqrt(110 * 100 * 80 * 70))


@pytest.mark.parametrize(
    ("counts", "name", "expected"),
    [
        ((5, 0, 1, 4), "lr_positive", np.inf),
        ((5, 0, 5, 0), "lr_positive", np.nan),
        ((5, 0, 5, 0), "lr_negative", 1.0),
        ((5, 0, 5, 0), "mcc", np.nan),
        ((0, 5, 0, 5), "npv", np.nan),
        ((0, 5, 0, 5), "lr_negative", np.nan),
        ((3, 0, 0, 2), "mcc", 1.0),
        ((0, 3, 2, 0), "mcc", -1.0),
        ((2, 0, 0, 0), "sensitivity", np.nan),
        ((0, 0, 1, 1), "specificity", np.nan),
    ],
)
def test_at_the_edges(counts, name, expected):
    """Unbounded and undefined are different."""
    np.testing.assert_equal(rates_of(Confusion(*counts))[name], expected)


@settings(max_examples=40, deadline=None)
@given(weighted_images(), st.integers(0, 9))
def test_weighted_rates_equal_those_of_scikit_learn(images, eighths):
    """Confusion weights, and every rate that scikit-learn has."""
    labels, scores, weights = unzip(images)
    counts = counts_at(samples_of(images), [eighths / 8])
    positive = (scores >= eighths / 8).astype(int)
    table = reference.confusion_matrix(labels, positive, labels=[0, 1], sample_weight=weights)
    assert [float(part[0, 0]) for part in counts] == table.ravel().tolist()
    known = {"sample_weight": weights, "zero_division": np.nan}
    wanted = {
        "accuracy": reference.accuracy_score(labels, positive, sample_weight=weights),
        "balanced_accuracy": reference.balanced_accuracy_score(labels, positive, sample_weight=weights),
        "ppv": reference.precision_score(labels, positive, **known),
        "npv": reference.precision_score(labels, positive, pos_label=0, **known),
        "sensitivity": reference.recall_score(labels, positive, **known),
        "specificity": reference.recall_score(labels, positive, pos_label=0, **known),
        "f1": reference.f1_score(labels, positive, **known),
    }
    assert {name: getattr(rates, name)(counts)[0, 0] for name in wanted} == pytest.approx(wanted, nan_ok=True)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 1), st.floats(0, 1)), min_size=1), st.floats(0, 1))
def test_confusion_counts_every_image(images, threshold):
    """Counts sum to the images, and rows to the images of each class."""
    labels, probabilities = zip(*images, strict=True)
    counts = confusion_at(labels, probabilities, threshold)
    assert counts.fn + counts.tp == sum(labels)
    assert counts.tn + counts.fp + counts.fn + counts.tp == len(labels)


def test_a_threshold_that_is_no_number_is_refused():
    """At a NaN threshold nothing would be positive."""
    with pytest.raises(DataError):
        confusion_at(LABELS, PROBABILITIES, NAN)


def test_predictive_values_by_hand():
    """Sensitivity 0.9 and specificity 0.8 at a prevalence of 10 %: 90 of 270 positive, 720 of 730 negative."""
    positive, negative = predictive_values(0.9 / 0.2, 0.1 / 0.8, 0.1)
    assert positive == pytest.approx(90 / 270)
    assert negative == pytest.approx(720 / 730)
    assert predictive_values(np.inf, 0.0, 0.3) == (1, 1)
