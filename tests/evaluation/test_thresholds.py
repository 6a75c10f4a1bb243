"""Figures at every threshold are those of scikit-learn, of a table worked by hand, and of the stated points."""

import numpy as np
import pytest
from sklearn.metrics import class_likelihood_ratios, confusion_matrix, f1_score, matthews_corrcoef, precision_score

from cxrmodel.errors import DataError
from cxrmodel.evaluation.bootstrap import percentile_interval
from cxrmodel.evaluation.metrics import evaluate_scores
from cxrmodel.evaluation.thresholds import (
    RATES,
    column_intervals,
    further_rates,
    predictive_values,
    threshold_table,
)

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


def test_by_hand():
    """90 found of 100 with pneumonia, 20 false alarms of 80 normal images."""
    rates = further_rates(tn=60, fp=20, fn=10, tp=90)
    assert rates["npv"] == pytest.approx(60 / 70)
    assert rates["lr_positive"] == pytest.approx(0.9 / 0.25)
    assert rates["lr_negative"] == pytest.approx(0.1 / 0.75)
    assert rates["mcc"] == pytest.approx((90 * 60 - 20 * 10) / np.sqrt(110 * 100 * 80 * 70))


@pytest.mark.parametrize(
    ("counts", "name", "expected"),
    [
        ({"tn": 5, "fp": 0, "fn": 1, "tp": 4}, "lr_positive", np.inf),
        ({"tn": 5, "fp": 0, "fn": 5, "tp": 0}, "lr_positive", np.nan),
        ({"tn": 5, "fp": 0, "fn": 5, "tp": 0}, "lr_negative", 1.0),
        ({"tn": 5, "fp": 0, "fn": 5, "tp": 0}, "mcc", np.nan),
        ({"tn": 0, "fp": 5, "fn": 0, "tp": 5}, "npv", np.nan),
        ({"tn": 0, "fp": 5, "fn": 0, "tp": 5}, "lr_negative", np.nan),
        ({"tn": 3, "fp": 0, "fn": 0, "tp": 2}, "mcc", 1.0),
        ({"tn": 0, "fp": 3, "fn": 2, "tp": 0}, "mcc", -1.0),
    ],
)
def test_at_the_edges(counts, name, expected):
    """No bound and not defined are told apart."""
    np.testing.assert_equal(float(further_rates(**counts)[name]), expected)


@pytest.mark.parametrize("threshold", [0.05, 0.2, 0.333, 0.5, 0.75, 0.8])
def test_against_scikit_learn(images, table, threshold):
    """Counts and figures in the row of a threshold."""
    labels, probabilities, _ = images
    called, row = probabilities >= threshold, table.at(threshold)
    tn, fp, fn, tp = confusion_matrix(labels, called).ravel()
    assert [int(table.counts[name][row]) for name in ("tn", "fp", "fn", "tp")] == [tn, fp, fn, tp]
    positive, negative = class_likelihood_ratios(labels, called)
    expected = {
        "mcc": matthews_corrcoef(labels, called),
        "f1": f1_score(labels, called),
        "precision": precision_score(labels, called),
        "npv": precision_score(labels, called, pos_label=0),
        "lr_positive": positive,
        "lr_negative": negative,
    }
    for name, value in expected.items():
        assert table.values[name][row] == pytest.approx(value)


def test_operating_points_have_the_intervals_that_are_stated(images, table):
    """The page cannot say two things of one threshold."""
    stated = evaluate_scores(*images, POINTS, resamples=300, seed=4)["at"]
    for point, threshold in POINTS.items():
        row = table.at(threshold)
        for name in ("accuracy", "balanced_accuracy", "precision", "recall", "specificity", "f1"):
            found = (table.values[name][row], table.lows[name][row], table.highs[name][row])
            assert found == pytest.approx([stated[point][name][key] for key in ("value", "low", "high")], rel=1e-5)


def test_from_calling_all_to_calling_none(images, table):
    """The first row calls every image and the last none; every change between is there."""
    assert table.thresholds[0] == 0
    assert [int(table.counts[name][0]) for name in ("tn", "fp", "fn", "tp")] == [0, 100, 0, 100]
    assert [int(table.counts[name][-1]) for name in ("tn", "fp", "fn", "tp")] == [100, 0, 100, 0]
    for threshold in np.linspace(0, 1, 1001):
        called = images[1] >= threshold
        assert int(table.counts["tp"][table.at(threshold)]) == int((called & (images[0] == 1)).sum())


def test_every_value_lies_within_its_interval(table):
    """Where there is one."""
    for name in RATES:
        value, low, high = (part[name] for part in (table.values, table.lows, table.highs))
        known = ~np.isnan(low) & ~np.isinf(value)
        assert known.any()
        assert (low[known] <= high[known]).all()
        assert ((value >= low) & (value <= high))[known].mean() > 0.95


def test_predictive_values_by_hand():
    """Sensitivity 0.9 and specificity 0.8 at a prevalence of 10 %: 90 true of 270 calls, 720 true of 730 clearances."""
    positive, negative = predictive_values(0.9 / 0.2, 0.1 / 0.8, 0.1)
    assert positive == pytest.approx(90 / 270)
    assert negative == pytest.approx(720 / 730)
    assert predictive_values(np.inf, 0.0, 0.3) == (1, 1)


def test_intervals_of_columns_are_those_of_the_bootstrap():
    """Undefined resamples are left out, and too few give none."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=(200, 4))
    values[:30, 1] = np.nan
    values[:150, 2] = np.nan
    values[:20, 3] = np.inf
    low, high = column_intervals(values)
    for column in (0, 1):
        assert (low[column], high[column]) == pytest.approx(percentile_interval(values[:, column], 0.95))
    assert np.isnan(low[2])
    assert np.isnan(high[2])
    assert np.isinf(high[3])
    assert np.isfinite(low[3])


@pytest.mark.slow
def test_intervals_cover_the_truth():
    """Of 100 samples of 80 patients about 95 % of the intervals of MCC and of the likelihood ratio hold the truth."""
    rng = np.random.default_rng(7)
    sensitivity, specificity, share = 0.85, 0.8, 0.5
    truth = {
        "lr_positive": sensitivity / (1 - specificity),
        "mcc": (sensitivity + specificity - 1)
        * np.sqrt(share * (1 - share))
        / np.sqrt((called := sensitivity * share + (1 - specificity) * (1 - share)) * (1 - called)),
    }
    held = dict.fromkeys(truth, 0)
    for _ in range(100):
        # two images a patient, of one label and mostly of one call
        labels = np.repeat(rng.random(80) < share, 2).astype(int)
        chance = np.where(labels == 1, sensitivity, 1 - specificity)
        shared = np.repeat(rng.random(80), 2)
        alone = rng.random(160)
        called_now = np.where(rng.random(160) < 0.5, shared, alone) < chance
        made = threshold_table(labels, np.where(called_now, 0.9, 0.1), np.repeat(np.arange(80), 2), (), 250, 0)
        row = made.at(0.5)
        for name, value in truth.items():
            held[name] += made.lows[name][row] <= value <= made.highs[name][row]
    for count in held.values():
        assert 0.89 <= count / 100 <= 0.99


def test_one_class_is_refused():
    """No curve of nothing."""
    with pytest.raises(DataError, match="one class"):
        threshold_table([1, 1], [0.2, 0.3], ["a", "b"])
