"""Values are those of the images; intervals come from whole patients, and say when there are none."""

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, roc_auc_score

from cxrmodel.evaluation import intervals
from cxrmodel.evaluation.metrics import evaluate_scores, expected_calibration_error


@pytest.fixture(scope="module")
def scored():
    """120 images of 60 patients with overlapping scores."""
    rng = np.random.default_rng(0)
    labels = np.arange(120) % 3 % 2
    return labels, rng.normal(labels * 1.5, 1.0), np.array([f"p{i // 2}" for i in range(120)])


def test_auc_is_that_of_the_images(scored):
    """On any scale, here one beyond 0..1; inside its own interval, which agrees with that of the whole evaluation."""
    labels, scores, patients = scored
    found = intervals.auc(labels, scores, patients)
    assert found["value"] == pytest.approx(roc_auc_score(labels, scores), rel=1e-5)
    chances = 1 / (1 + np.exp(-scores))
    assert found == evaluate_scores(labels, chances, patients, {"balanced": 0.5})["auc"]


def test_one_class_has_no_auc():
    """Three times None, and no made-up half."""
    assert intervals.auc(np.ones(4, int), np.arange(4), list("abcd")) == {"value": None, "low": None, "high": None}


def test_change_is_paired(scored):
    """The same scores change nothing, in no resample; turned upside down they lose twice what they had over half."""
    labels, scores, patients = scored
    assert intervals.auc_change(labels, scores, 2 * scores, patients) == {"value": 0.0, "low": 0.0, "high": 0.0}
    turned = intervals.auc_change(labels, scores, -scores, patients)
    assert turned["value"] == pytest.approx(1 - 2 * roc_auc_score(labels, scores), rel=1e-4)
    assert turned["low"] < turned["value"] < turned["high"] < 0


def test_mean_resamples_patients():
    """Eight images of one patient are no more than one patient: the interval spans both patients' values."""
    found = intervals.mean(np.r_[np.zeros(8), np.ones(8)], ["a"] * 8 + ["b"] * 8)
    assert found == {"value": 0.5, "low": 0.0, "high": 1.0}
    assert intervals.mean(np.array([]), []) == {"value": None, "low": None, "high": None}


def test_calibration_at_the_images_own_prevalence(scored):
    """Weighted to what they are, the images are as they are; unweighted figures are those of the evaluation."""
    labels, scores, patients = scored
    chances = 1 / (1 + np.exp(-scores))
    found = intervals.calibration(labels, chances, patients)
    assert found["ece"]["value"] == pytest.approx(expected_calibration_error(labels, chances), rel=1e-5)
    assert found["brier"]["value"] == pytest.approx(brier_score_loss(labels, chances), rel=1e-5)
    assert found == {
        name: evaluate_scores(labels, chances, patients, {"balanced": 0.5})[name] for name in ("ece", "brier")
    }
    again = intervals.calibration(labels, chances, patients, float(labels.mean()))
    assert again["ece"]["value"] == pytest.approx(found["ece"]["value"], rel=1e-5)


def test_calibration_by_hand_at_another_prevalence():
    """All images say one half: right where half are sick, 0.4 off where one in ten is."""
    labels, chances, patients = np.array([0, 1] * 10), np.full(20, 0.5), [f"p{i}" for i in range(20)]
    assert intervals.calibration(labels, chances, patients, 0.5)["ece"]["value"] == pytest.approx(0.0, abs=1e-9)
    assert intervals.calibration(labels, chances, patients, 0.1)["ece"]["value"] == pytest.approx(0.4)
    assert intervals.calibration(labels, chances, patients, 0.1)["brier"]["value"] == pytest.approx(0.25)
