"""Probability, thresholds and finding of a reading never contradict one another, at any prevalence."""

import numpy as np
import pytest

from cxrmodel.model.calibration import finding, probability
from cxrmodel.model.spec import OperatingPoints
from tests.support.stand_ins import SPEC, fake_reading

IMAGE = np.zeros((8, 8))
POINTS = OperatingPoints(high_sensitivity=0.30553753, balanced=0.76984366, high_specificity=0.92908192)
CROSSED = OperatingPoints(high_sensitivity=0.7, balanced=0.5, high_specificity=0.3)
PREVALENCES = (0.001, 0.02, 0.2, 0.5, 0.7409, 0.98, 0.999)


def number(text: str) -> float:
    """A percentage as it is shown: < 1 % stands for a little less than 1, > 99 % for a little more than 99."""
    *sign, value, _ = text.split("\u00a0")
    return float(value) + {"<": -1e-9, ">": 1e-9}.get("".join(sign), 0)


def near_a_threshold(points: OperatingPoints) -> list[float]:
    """Log-odds at each threshold, and around it by ever smaller steps."""
    edges = [float(np.log(edge / (1 - edge))) for edge in points.values()]
    return [edge + sign * step for edge in edges for step in (0, 1e-9, 1e-6, 1e-4, 1e-3, 1e-2) for sign in (-1, 1)]


@pytest.mark.parametrize("points", [POINTS, CROSSED], ids=["band", "crossed"])
def test_nothing_that_is_shown_or_stored_contradicts_the_finding(points):
    """What follows from the written numbers, and from those of a record, is the finding of the logit."""
    logits = [*np.random.default_rng(1).normal(0, 6, 25), *near_a_threshold(points), -36.0, 36.0]
    for logit in logits:
        value = probability(float(logit), 1.0, 0.5)
        named = finding(value, points, SPEC.labels)
        first = fake_reading(IMAGE, probability=value, operating_points=points, finding=named)
        for prevalence in PREVALENCES:
            reading = first.at(prevalence)
            written = {name: number(text) for name, text in reading.shown.thresholds.items()}
            assert finding(number(reading.shown.probability), written, SPEC.labels) == named
            record = reading.as_record("x")
            stored = (record.uncertain_from, record.threshold, record.uncertain_to)
            assert finding(record.probability, dict(zip(points, stored, strict=True)), SPEC.labels) == named
            assert (record.finding, record.prevalence) == (named, prevalence)
            assert 0 < number(reading.shown.probability) < 100


def test_a_reading_at_another_prevalence_by_hand():
    """Odds of 3 at even odds are odds of 1 where 1 in 4 images is positive; there and back is the same."""
    reading = fake_reading(IMAGE, probability=0.75)
    other = reading.at(0.25)
    assert (other.probability, other.prevalence) == (pytest.approx(0.5), 0.25)
    assert tuple(other.operating_points.values()) == pytest.approx((1 / 13, 3 / 14, 4 / 7))
    assert other.threshold == other.operating_points["balanced"]
    assert other.at(0.5).probability == pytest.approx(0.75)
    assert reading.at(0.5) is reading
