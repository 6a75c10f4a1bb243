"""What is said of calibration follows from the figures, whichever way they point."""

import re
from dataclasses import replace

import numpy as np
import pytest

from cxrmodel.evaluation.reliability import calibration_change, reliability, uncalibrated
from cxrmodel.evaluation.report.calibration_words import calibration_sentence, calibration_verdict

WORSE = {"value": 0.02, "low": 0.01, "high": 0.03}
BETTER = {"value": -0.02, "low": -0.03, "high": -0.01}
UNSURE = {"value": 0.01, "low": -0.01, "high": 0.03}
UNKNOWN = {"value": 0.01, "low": None, "high": None}


def drawn(images: int = 400, seed: int = 0):
    """Labels, logits that are right of an even prevalence, and a patient for each image."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2, images)
    labels = (rng.random(images) < 1 / (1 + np.exp(-logits))).astype(int)
    return labels, logits, [str(number) for number in range(images)]


@pytest.fixture
def diagram():
    """A reliability diagram."""
    labels, logits, patients = drawn()
    return reliability(labels, uncalibrated(logits), patients, resamples=20)


@pytest.mark.parametrize(
    ("ece", "brier", "said"),
    [
        (WORSE, WORSE, "is worse when held against"),
        (BETTER, BETTER, "is better when held against"),
        (UNSURE, UNKNOWN, "is neither better nor worse beyond chance when held against"),
        (WORSE, BETTER, "is worse by its calibration error, and better by its Brier score when held against"),
        (
            BETTER,
            UNSURE,
            "better by its calibration error, and neither better nor worse beyond chance by its Brier score",
        ),
    ],
)
def test_verdict(diagram, ece, brier, said):
    """By each measure; a change whose interval holds nought is none."""
    assert said in calibration_verdict(diagram, diagram, {"ece": ece, "brier": brier})


def test_figures_of_the_verdict(diagram):
    """Before, after and the change with its interval."""
    after = diagram._replace(ece={"value": 0.5, "low": 0.4, "high": 0.6})
    told = calibration_verdict(diagram, after, {"ece": WORSE, "brier": UNKNOWN})
    assert f"calibration error 0.500 after calibration against {diagram.ece['value']:.3f} before" in told
    assert "a change of +0.020 (+0.010 to +0.030);" in told
    assert "a change of +0.010. Of both, lower is better." in told


@pytest.mark.parametrize("shift", [2.5, -2.5])
def test_a_shift_of_right_probabilities_is_worse(shift):
    """And taking it away is better, by as much."""
    labels, logits, patients = drawn()
    right, moved = uncalibrated(logits), uncalibrated(logits + shift)
    there, back = (
        calibration_change(labels, *pair, patients, resamples=200) for pair in ((right, moved), (moved, right))
    )
    for name in ("ece", "brier"):
        assert there[name]["low"] > 0
        assert back[name]["high"] < 0
        assert there[name]["value"] == pytest.approx(-back[name]["value"])


def test_the_change_is_that_of_the_diagrams():
    """After less before."""
    labels, logits, patients = drawn(150)
    values = uncalibrated(logits), uncalibrated(logits + 1)
    change = calibration_change(labels, *values, patients, resamples=50)
    before, after = (reliability(labels, part, patients, resamples=50) for part in values)
    for name in ("ece", "brier"):
        assert change[name]["value"] == pytest.approx(getattr(after, name)["value"] - getattr(before, name)["value"])


def test_no_change_is_none():
    """The same probabilities, resample by resample."""
    labels, logits, patients = drawn(100)
    change = calibration_change(labels, uncalibrated(logits), uncalibrated(logits), patients, resamples=20)
    assert all(part == {"value": 0.0, "low": 0.0, "high": 0.0} for part in change.values())


def test_sentence_of_a_split(make_evaluation):
    """Its own images and the prevalence that is assumed; the other direction where the figures are exchanged."""
    evaluation = make_evaluation()
    scores = evaluation.scores["test"]
    raw, given = uncalibrated(scores.logits), scores.probabilities
    assert np.allclose(raw, given, atol=1e-5)
    for moved, word in ((uncalibrated(scores.logits + 3), "worse"), (given, "neither better nor worse beyond chance")):
        changed = replace(evaluation, scores={"test": replace(scores, probabilities=moved)}, prevalence=0.25)
        diagrams = (reliability(scores.labels, values, scores.patients) for values in (raw, moved))
        told = calibration_sentence(changed, "test", *diagrams)
        assert re.match(rf"On these images the calibrated probability is {word} when held against", told)
        assert told.endswith("assumes that 25.0 % of images show pneumonia; 50.0 % of these do.")
