"""Reliability diagrams: bins by hand, figures as stated, other prevalences, intervals that cover."""

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss

from cxrmodel.evaluation.metrics import evaluate_scores
from cxrmodel.evaluation.reliability import reliability, shifted, uncalibrated, wilson
from cxrmodel.model.calibration import at_prevalence


def drawn(images: int, seed: int = 0):
    """Images whose probability is right."""
    rng = np.random.default_rng(seed)
    probabilities = rng.random(images)
    return (rng.random(images) < probabilities).astype(int), probabilities, [str(i) for i in range(images)]


def test_bins_by_hand():
    """Four images in two bins."""
    bins = reliability([0, 1, 1, 1], [0.1, 0.3, 0.6, 1.0], list("abcd"), resamples=20, bins=2)
    assert bins.images == 2
    np.testing.assert_allclose(bins.stated, [0.2, 0.8])
    np.testing.assert_allclose(bins.observed, [0.5, 1.0])
    assert bins.ece["value"] == pytest.approx((0.3 + 0.2) / 2)
    assert bins.brier["value"] == pytest.approx((0.01 + 0.49 + 0.16 + 0) / 4)


def test_figures_are_those_that_are_stated():
    """Of the same resamples."""
    images = drawn(150)
    stated = evaluate_scores(*images, {}, resamples=200, seed=3)
    found = reliability(*images, resamples=200, seed=3)
    for name in ("ece", "brier"):
        assert getattr(found, name) == pytest.approx(stated[name], rel=1e-5)


def test_another_prevalence_weighs_the_images():
    """Doubling every normal image is what a prevalence of a third makes of an even set."""
    labels, probabilities = np.array([0, 1, 0, 1, 0, 1]), np.array([0.1, 0.2, 0.5, 0.4, 0.3, 0.9])
    weighed = reliability(labels, probabilities, list("abcdef"), 1 / 3, resamples=20, bins=3)
    twice = np.concatenate([labels, labels[labels == 0]])
    doubled = np.concatenate([probabilities, probabilities[labels == 0]])
    plain = reliability(twice, doubled, [str(i) for i in range(9)], resamples=20, bins=3)
    np.testing.assert_allclose(weighed.observed, plain.observed)
    np.testing.assert_allclose(weighed.stated, plain.stated)
    assert weighed.brier["value"] == pytest.approx(brier_score_loss(twice, doubled))


def test_shift_is_the_one_of_the_program():
    """Bayes' rule, image by image."""
    values = np.array([0.0, 0.02, 0.5, 0.97, 1.0])
    expected = [at_prevalence(float(value), 0.74, 0.2) for value in values]
    np.testing.assert_allclose(shifted(values, 0.74, 0.2), expected)
    np.testing.assert_allclose(shifted(values, 0.3, 0.3), values)


def test_before_calibration_is_the_logistic():
    """Of the network's own output."""
    np.testing.assert_allclose(uncalibrated([-1.0, 0.0, 2.0]), 1 / (1 + np.exp([1.0, 0.0, -2.0])))


def test_wilson_by_hand():
    """Known values; never of no width, and never beyond the observed share."""
    low, high = wilson([0.5, 0.0, 1.0], 10)
    np.testing.assert_allclose([low[0], high[0]], [0.2366, 0.7634], atol=1e-4)
    np.testing.assert_allclose([low[1], high[1]], [0.0, 0.2775], atol=1e-4)
    np.testing.assert_allclose([low[2], high[2]], [0.7225, 1.0], atol=1e-4)


def test_intervals_of_the_bins_cover():
    """Where the probability is right, most bins' intervals hold what is stated."""
    held = []
    for seed in range(40):
        bins = reliability(*drawn(300, seed), resamples=20)
        held.append((bins.low <= bins.stated) & (bins.stated <= bins.high))
    assert 0.9 <= np.mean(held) <= 0.99
