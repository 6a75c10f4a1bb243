"""Operating points keep what they promise, and the table of thresholds agrees with scikit-learn and with itself."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import class_likelihood_ratios, confusion_matrix, f1_score, matthews_corrcoef, precision_score

from cxrmodel.errors import DataError
from cxrmodel.metrics.performance import evaluate_scores
from cxrmodel.metrics.registry import rates_in_order
from cxrmodel.metrics.thresholds import choose_operating_points, threshold_table
from tests.support.metric_samples import BOTH_CLASSES

POINTS = {"high_sensitivity": 0.2, "balanced": 0.5, "high_specificity": 0.8}


@pytest.fixture(scope="module")
def images():
    """Labels, probabilities and patients of 200 images, two to a patient."""
    rng = np.random.default_rng(1)
    labels = np.arange(200) % 2
    probabilities = np.round(1 / (1 + np.exp(-rng.normal(2 * labels - 1, 1.2))), 4)
    return labels, probabilities, [f"p{i // 4}-{i % 2}" for i in range(200)]


@pytest.fixture(scope="module")
def table(images):
    """All thresholds of those images."""
    return threshold_table(*images, POINTS.values(), resamples=300, seed=4)


def test_operating_points_by_hand():
    """Ten positive and ten negative images with one overlap each way."""
    positive = [0.30, 0.60, 0.70, 0.72, 0.74, 0.80, 0.85, 0.90, 0.95, 0.97]
    negative = [0.02, 0.05, 0.08, 0.10, 0.15, 0.20, 0.25, 0.28, 0.40, 0.65]
    points = choose_operating_points([1] * 10 + [0] * 10, positive + negative, sensitivity=0.9, specificity=0.9)
    assert all(0.40 < threshold < 0.60 for threshold in points.values())
    strict = choose_operating_points([1] * 10 + [0] * 10, positive + negative, sensitivity=1.0, specificity=1.0)
    assert 0.28 < strict["high_sensitivity"] < 0.30
    assert 0.65 < strict["high_specificity"] < 0.70


@settings(max_examples=200, deadline=None)
@given(BOTH_CLASSES, st.floats(0.5, 1), st.floats(0.5, 1))
def test_operating_points_keep_their_promise(images, sensitivity, specificity):
    """On the images they are fixed on, also where the highest image is negative or the lowest positive."""
    labels, twentieths = (np.array(column) for column in zip(*images, strict=True))
    values = twentieths / 21
    points = choose_operating_points(labels, values, sensitivity, specificity)
    assert (values[labels == 1] >= points["high_sensitivity"]).mean() >= sensitivity
    assert (values[labels == 0] < points["high_specificity"]).mean() >= specificity
    assert min(points.values()) >= 0
    assert max(points.values()) <= 1


def test_a_promise_that_cannot_be_kept_is_an_error():
    """A negative image at 1 is positive at every threshold."""
    with pytest.raises(DataError):
        choose_operating_points([0, 0, 1], [0.1, 1.0, 1.0])


@pytest.mark.parametrize("threshold", [0.05, 0.2, 0.333, 0.5, 0.75, 0.8])
def test_against_scikit_learn(images, table, threshold):
    """Counts and rates in the row of a threshold."""
    labels, probabilities, _ = images
    positive, row = probabilities >= threshold, table.at(threshold)
    confusion = table.confusion(row)
    assert [confusion.tn, confusion.fp, confusion.fn, confusion.tp] == confusion_matrix(
        labels, positive
    ).ravel().tolist()
    lr_positive, lr_negative = class_likelihood_ratios(labels, positive)
    expected = {
        "mcc": matthews_corrcoef(labels, positive),
        "f1": f1_score(labels, positive),
        "ppv": precision_score(labels, positive),
        "npv": precision_score(labels, positive, pos_label=0),
        "lr_positive": lr_positive,
        "lr_negative": lr_negative,
    }
    assert {name: table.values[name][row] for name in expected} == pytest.approx(expected)


def test_operating_points_have_the_stored_estimates(images, table):
    """Two answers for one threshold are impossible."""
    stored = evaluate_scores(*images, POINTS, resamples=300, seed=4).at
    for point, threshold in POINTS.items():
        row = table.at(threshold)
        assert {rate.name: table.estimate(rate.name, row) for rate in rates_in_order()} == stored[point].rates


def test_where_resamples_agree_the_interval_is_the_stored_one():
    """Wilson's over the patients of the denominator."""
    labels, probabilities, patients = [0, 0, 1, 1, 1], [0.1, 0.2, 0.7, 0.8, 0.9], list("aabcd")
    stored = evaluate_scores(labels, probabilities, patients, {"balanced": 0.5}, 50).at["balanced"].rates
    table = threshold_table(labels, probabilities, patients, [0.5], 50)
    for name in ("sensitivity", "specificity", "ppv", "npv", "accuracy"):
        assert table.estimate(name, table.at(0.5)) == stored[name]
        assert stored[name].low < stored[name].high


def test_from_all_positive_to_none_positive(images, table):
    """In the first row every image is positive, in the last none; every change between is there."""
    assert table.thresholds[0] == 0
    assert [int(part[0]) for part in table.counts] == [0, 100, 0, 100]
    assert [int(part[-1]) for part in table.counts] == [100, 0, 100, 0]
    for threshold in np.linspace(0, 1, 1001):
        found = (images[1] >= threshold) & (images[0] == 1)
        assert int(table.counts.tp[table.at(threshold)]) == int(found.sum())


def test_every_value_lies_within_its_interval(table):
    """Where there is one."""
    for rate in rates_in_order():
        value, low, high = (part[rate.name] for part in (table.values, table.lows, table.highs))
        known = ~np.isnan(low) & ~np.isinf(value)
        assert known.any()
        assert (low[known] <= high[known]).all()
        assert ((value >= low) & (value <= high))[known].mean() > 0.95


@pytest.mark.slow
def test_intervals_cover_the_truth():
    """Of 100 samples of 80 patients about 95 % of the intervals of MCC and of the likelihood ratio hold the truth."""
    rng = np.random.default_rng(7)
    sensitivity, specificity, share = 0.85, 0.8, 0.5
    positive = sensitivity * share + (1 - specificity) * (1 - share)
    truth = {
        "lr_positive": sensitivity / (1 - specificity),
        "mcc": (sensitivity + specificity - 1) * np.sqrt(share * (1 - share)) / np.sqrt(positive * (1 - positive)),
    }
    held = dict.fromkeys(truth, 0)
    for _ in range(100):
        # two images a patient, of one label and mostly of one finding
        labels = np.repeat(rng.random(80) < share, 2).astype(int)
        chance = np.where(labels == 1, sensitivity, 1 - specificity)
        shared = np.repeat(rng.random(80), 2)
        alone = rng.random(160)
        found = np.where(rng.random(160) < 0.5, shared, alone) < chance
        made = threshold_table(labels, np.where(found, 0.9, 0.1), np.repeat(np.arange(80), 2), (), 250, 0)
        row = made.at(0.5)
        for name, value in truth.items():
            held[name] += made.lows[name][row] <= value <= made.highs[name][row]
    for count in held.values():
        assert 0.89 <= count / 100 <= 0.99
