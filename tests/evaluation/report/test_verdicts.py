"""Verdicts follow from the figures."""

from types import SimpleNamespace

import numpy as np
import pytest

from cxrmodel.evaluation.report.charts import reliability_before_after, uncalibrated
from cxrmodel.evaluation.report.verdicts import calibration_verdict, compare, masked_lungs_verdict, verdict
from cxrmodel.metrics.calibration import CalibrationScores, reliability
from cxrmodel.metrics.estimate import Estimate

WORSE = Estimate(0.02, 0.01, 0.03, 400)
BETTER = Estimate(-0.02, -0.03, -0.01, 400)
UNSURE = Estimate(0.01, -0.01, 0.03, 400)
UNKNOWN = Estimate(0.01, None, None, 400)


@pytest.fixture
def diagram():
    """A reliability diagram of calibrated probabilities."""
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, 400)
    labels = (rng.random(400) < 1 / (1 + np.exp(-logits))).astype(int)
    return reliability(labels, uncalibrated(logits), [str(number) for number in range(400)], resamples=20)


@pytest.mark.parametrize(
    ("change", "expected"), [(WORSE, "worse"), (BETTER, "better"), (UNSURE, "unclear"), (UNKNOWN, "unclear")]
)
def test_a_change_whose_interval_includes_0_is_none(change, expected):
    assert verdict(change) == expected


def test_each_measure_has_its_own_verdict(diagram):
    """With the figures before and after, and the change."""
    ece, brier = compare(diagram, diagram, CalibrationScores(WORSE, BETTER))
    assert (ece.values["verdict"].code, brier.values["verdict"].code) == (
        "documents.calibration.worse",
        "documents.calibration.better",
    )
    assert ece.values["before"] == ece.values["after"] == f"{diagram.ece.value:.3f}"
    assert ece.values["change"] == "+0.020 (+0.010 to +0.030)"


def test_prevalence_of_a_split(make_evaluation):
    """Named after the verdicts."""
    evaluation = make_evaluation()
    *changes, prevalence = calibration_verdict(evaluation, "test", *reliability_before_after(evaluation, "test"))
    assert [change.values["verdict"].code for change in changes] == ["documents.calibration.unclear"] * 2
    assert prevalence.code == "documents.calibration.prevalence"
    assert prevalence.values["observed"] == "50.0\u00a0%"


def fill(title, value, low, high, seen=True, kind="removed"):
    """An audit of masked lungs."""
    return SimpleNamespace(title=title, kind=kind, seen_in_training=seen, auc=Estimate(value, low, high, 60))


GREY = fill("grey", 0.48, 0.43, 0.5)
HULL = fill("hull", 0.35, 0.3, 0.4)
NEW = fill("new", 0.6, 0.55, 0.65, seen=False)
MIRRORED = fill("mirrored", 0.53, 0.5, 0.58, seen=False)
OTHERS = [fill("only", 0.99, 0.98, 1.0, kind="only"), fill("swapped", 0.02, 0.01, 0.03, kind="exchange")]


@pytest.mark.parametrize("fills", [[], OTHERS, [fill("none", None, None, None)]])
def test_other_interventions_have_no_verdict(fills):
    assert masked_lungs_verdict(fills) == ()


def test_masked_lungs_against_chance():
    """Below chance is as far from it as above, and a bound at 0.5 includes it."""
    chance, farthest, *unseen = masked_lungs_verdict([GREY, HULL, NEW, MIRRORED, *OTHERS])
    assert chance.values == {"included": 2, "fills": 4}
    assert farthest.values == {"title": "hull", "auc": "0.350 (0.300 to 0.400)"}
    assert [(message.code.rpartition("_")[2], message.values["title"]) for message in unseen] == [
        ("excludes", "new"),
        ("includes", "mirrored"),
    ]


def test_all_fills_seen_in_training():
    chance, _, last = masked_lungs_verdict([GREY])
    assert chance.values == {"included": 1, "fills": 1}
    assert last.code == "documents.masked.all_seen"


def test_without_an_interval_chance_is_not_included():
    chance, *_ = masked_lungs_verdict([fill("bare", 0.5, None, None, seen=False)])
    assert chance.values == {"included": 0, "fills": 1}
