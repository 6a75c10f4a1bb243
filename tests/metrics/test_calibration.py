"""Calibration: bins by hand, one corrected error everywhere, other prevalences, intervals that cover."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss

from cxrmodel.metrics.bootstrap import WeightedSamples, resampled, weighted
from cxrmodel.metrics.calibration import (
    BINS,
    adjusted_to_prevalence,
    brier,
    calibration_bins,
    calibration_change,
    calibration_error,
    corrected_calibration_error,
    log_odds,
    reliability,
)
from cxrmodel.metrics.performance import evaluate_scores
from cxrmodel.model.calibration import at_prevalence
from tests.support.metric_samples import calibrated, samples_of, unzip, weighted_images


def drawn(images: int, seed: int = 0):
    """Images whose probability is right, evenly spread, one for each patient."""
    rng = np.random.default_rng(seed)
    probabilities = rng.random(images)
    return (rng.random(images) < probabilities).astype(int), probabilities, [str(i) for i in range(images)]


def error_of(labels, probabilities, bins=BINS) -> float:
    """Expected calibration error of one sample."""
    whole = weighted(np.array(labels), np.array(probabilities, float), np.ones((1, len(labels))))
    return calibration_error(whole, bins)[0]


@pytest.mark.parametrize(
    ("labels", "probabilities", "bins", "expected"),
    [
        ([0, 1, 1, 1], [0.1, 0.3, 0.6, 0.8], 2, (0.3 + 0.3) / 2),
        ([0, 1, 1, 1], [0.1, 0.3, 0.6, 0.8], 1, 0.3),
        ([0, 1, 1], [0.2, 0.4, 0.9], 2, (0.1 + 0.4) / 3),
        ([0, 1], [0.5, 0.5], 2, 0.0),
        ([1, 0], [0.0, 1.0], 2, 1.0),
    ],
    ids=["two bins", "one bin", "an image shared by two bins", "ties shared out", "always wrong"],
)
def test_calibration_error_by_hand(labels, probabilities, bins, expected):
    """Mean gap of expected and observed share over bins of equal weight."""
    assert error_of(labels, probabilities, bins) == pytest.approx(expected)


@settings(max_examples=40, deadline=None)
@given(weighted_images())
def test_brier_equals_that_of_scikit_learn(images):
    """With weights and ties."""
    labels, scores, weights = unzip(images)
    assert brier(samples_of(images))[0] == pytest.approx(brier_score_loss(labels, scores, sample_weight=weights))


@settings(max_examples=40, deadline=None)
@given(weighted_images(), st.integers(1, 6))
def test_a_weight_is_a_number_of_copies(images, bins):
    """The error of weighted images is that of the images repeated, in any order."""
    repeated = [(label, eighths, 1) for label, eighths, weight in reversed(images) for _ in range(weight)]
    assert calibration_error(samples_of(images), bins) == pytest.approx(calibration_error(samples_of(repeated), bins))


def test_bins_hold_every_image():
    """Weights, probabilities and positive images of the bins sum to those of all images."""
    labels, probabilities = calibrated(3, images=101)
    bins = calibration_bins(weighted(labels, probabilities, np.ones((1, 101))))
    assert bins.weight[0] * BINS == pytest.approx(101)
    assert bins.mean_probability.mean() == pytest.approx(probabilities.mean())
    assert bins.observed.mean() == pytest.approx(labels.mean())
    assert (np.diff(bins.mean_probability[0]) > 0).all()


def test_resamples_are_corrected_for_bias():
    """Their mean excess over the sample is taken off, so that the interval contains the value."""
    labels, probabilities, patients = drawn(200)
    corrected = calibration_error(resampled(labels, probabilities, patients, 300))
    plain = [
        calibration_error(
            weighted(labels, probabilities, np.random.default_rng(i).multinomial(200, [1 / 200] * 200)[None])
        )[0]
        for i in range(300)
    ]
    assert corrected[0] == error_of(labels, probabilities)
    assert np.mean(plain) > corrected[0] + 0.005
    assert corrected[1:].mean() == pytest.approx(corrected[0], abs=0.002)
    assert (corrected >= 0).all()


def test_every_way_to_the_error_gives_the_same_estimate():
    """Evaluation and reliability diagram."""
    images = drawn(150)
    stored = evaluate_scores(*images, {}, resamples=200, seed=3).overall
    diagram = reliability(*images, resamples=200, seed=3)
    assert stored["ece"] == diagram.ece
    assert stored["brier"] == diagram.brier


def test_reliability_by_hand():
    """Four images in two bins."""
    bins = reliability([0, 1, 1, 1], [0.1, 0.3, 0.6, 1.0], list("abcd"), resamples=20, bins=2)
    assert bins.images == 2
    np.testing.assert_allclose(bins.mean_probability, [0.2, 0.8])
    np.testing.assert_allclose(bins.observed, [0.5, 1.0])
    assert bins.ece.value == pytest.approx((0.3 + 0.2) / 2)
    assert bins.brier.value == pytest.approx((0.01 + 0.49 + 0.16 + 0) / 4)
    assert bins.ece.n == 4


def test_another_prevalence_weights_the_images():
    """A prevalence of a third weights an even set like doubling every negative image."""
    labels, probabilities = np.array([0, 1, 0, 1, 0, 1]), np.array([0.1, 0.2, 0.5, 0.4, 0.3, 0.9])
    weighted_bins = reliability(labels, probabilities, list("abcdef"), 1 / 3, resamples=20, bins=3)
    twice = np.concatenate([labels, labels[labels == 0]])
    doubled = np.concatenate([probabilities, probabilities[labels == 0]])
    plain = reliability(twice, doubled, [str(i) for i in range(9)], resamples=20, bins=3)
    np.testing.assert_allclose(weighted_bins.observed, plain.observed)
    np.testing.assert_allclose(weighted_bins.mean_probability, plain.mean_probability)
    assert weighted_bins.brier.value == pytest.approx(brier_score_loss(twice, doubled), rel=1e-5)


@pytest.mark.parametrize(("prevalence", "ece"), [(0.5, 0.0), (0.1, 0.4)])
def test_scores_by_hand_at_another_prevalence(prevalence, ece):
    """Every probability is one half: right at a prevalence of one half, 0.4 off at one in ten."""
    found = reliability(np.array([0, 1] * 10), np.full(20, 0.5), [f"p{i}" for i in range(20)], prevalence)
    assert found.ece.value == pytest.approx(ece, abs=1e-9)
    assert found.brier.value == pytest.approx(0.25)


def test_change_of_calibration():
    """After minus before, paired: the same probabilities change nothing; sharper wrong ones are worse."""
    labels, probabilities, patients = drawn(200)
    same = calibration_change(labels, probabilities, probabilities, patients, 50)
    assert (same.ece.value, same.ece.low, same.ece.high) == (0, 0, 0)
    odds = probabilities / (1 - probabilities)
    worse = calibration_change(labels, probabilities, odds**8 / (1 + odds**8), patients, 100)
    assert worse.ece.low > 0
    assert worse.brier.low > 0


def test_performance_is_measured_at_the_prevalence_of_the_images():
    """Probabilities right at a prevalence of 0.2 are right at that of the images once it is named."""
    labels, right, patients = drawn(300)
    observed = labels.mean()
    assumed = adjusted_to_prevalence(right, observed, 0.2)
    plain = evaluate_scores(labels, right, patients, {"balanced": 0.5}, 50)
    moved = evaluate_scores(labels, assumed, patients, {"balanced": 0.2}, 50, prevalence=0.2)
    for name in ("ece", "brier", "auc"):
        assert moved.overall[name].value == pytest.approx(plain.overall[name].value, rel=1e-5)
    assert evaluate_scores(labels, assumed, patients, {}, 50).overall["ece"].value > 0.1


def test_corrected_error_has_less_bias():
    """Right probabilities have an error above 0 by chance; most of it goes, and what is truly wrong stays."""
    plain, corrected, wrong = [], [], []
    for seed in range(12):
        labels, probabilities, patients = drawn(200, seed)
        found = reliability(labels, probabilities, patients, resamples=100)
        plain.append(found.ece.value)
        corrected.append(found.corrected_ece.value)
        assert found.corrected_ece.low <= found.corrected_ece.value <= found.corrected_ece.high
        wrong.append(reliability(labels, probabilities / 2, patients, resamples=100).corrected_ece.value)
    assert np.mean(corrected) < 0.75 * np.mean(plain)
    assert np.mean(wrong) == pytest.approx(0.25, abs=0.03)


def test_correction_by_hand():
    """The mean excess of the resamples is taken off once from the sample, twice from them, and never below 0."""
    scores = np.array([0.5])
    samples = WeightedSamples(scores, np.array([[6.0], [9.0], [8.0]]), np.array([[4.0], [1.0], [2.0]]))
    np.testing.assert_allclose(corrected_calibration_error(samples, 1), [0.0, 0.0, 0.0])
    samples = WeightedSamples(scores, np.array([[8.0], [9.0], [8.0]]), np.array([[2.0], [1.0], [2.0]]))
    np.testing.assert_allclose(corrected_calibration_error(samples, 1), [0.25, 0.3, 0.2])


def test_adjustment_is_the_one_of_a_reading():
    """Bayes' rule, image by image."""
    values = np.array([0.0, 0.02, 0.5, 0.97, 1.0])
    expected = [at_prevalence(float(value), 0.74, 0.2) for value in values]
    np.testing.assert_allclose(adjusted_to_prevalence(values, 0.74, 0.2), expected)
    np.testing.assert_allclose(adjusted_to_prevalence(values, 0.3, 0.3), values)


def test_log_odds():
    """Infinite at 0 and 1, without a warning."""
    np.testing.assert_allclose(log_odds([0.0, 0.5, 0.9, 1.0]), [-np.inf, 0, np.log(9), np.inf])


def test_intervals_of_the_bins_cover():
    """Where the probability is right, most bins' intervals hold what is stated."""
    held = []
    for seed in range(40):
        bins = reliability(*drawn(300, seed), resamples=20)
        held.append((bins.low <= bins.mean_probability) & (bins.mean_probability <= bins.high))
    assert 0.9 <= np.mean(held) <= 0.99
