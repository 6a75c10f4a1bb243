"""One reading in words: codes and values; the words themselves are checked on the PDF."""

import numpy as np
import pytest

from cxrmodel.checks.report import WARNING, CheckReport, CheckResult
from cxrmodel.evaluation.nearest import Evidence
from cxrmodel.messages import Message
from cxrmodel.model.calibration import finding
from cxrmodel.model.spec import OperatingPoints
from cxrmodel.report.wording import (
    band,
    evidence_counts,
    evidence_sentence,
    facts,
    figure_caption,
    finding_sentence,
    heat_sentence,
    provenance,
    reason_for_finding,
    shares_sentence,
)
from tests.support.stand_ins import POINTS, SPEC, fake_reading

CROSSED = OperatingPoints(high_sensitivity=0.7, balanced=0.5, high_specificity=0.3)
IMAGE = np.zeros((8, 8))
NOT_HEALTHY = Message("report.not_healthy", positive="pneumonia", negative="normal")


def test_band():
    """Between the outer operating points; there is none where they cross."""
    assert band(POINTS) == (0.2, 0.8)
    assert band(CROSSED) is None


@pytest.mark.parametrize(
    ("probability", "points", "expected"),
    [
        (0.8, POINTS, Message("report.reason.above_band", threshold="80.0\u00a0%")),
        (0.19, POINTS, Message("report.reason.below_band", threshold="20.0\u00a0%", not_healthy=NOT_HEALTHY)),
        (0.2, POINTS, Message("report.reason.in_band", low="20.0\u00a0%", high="80.0\u00a0%")),
        (0.5, CROSSED, Message("report.reason.above_balanced", threshold="50.0\u00a0%")),
        (0.49, CROSSED, Message("report.reason.below_balanced", threshold="50.0\u00a0%", not_healthy=NOT_HEALTHY)),
    ],
)
def test_reason_for_finding(probability, points, expected):
    """It names the threshold that led to the finding."""
    named = finding(probability, points, SPEC.labels)
    reading = fake_reading(IMAGE, probability=probability, operating_points=points, finding=named)
    assert reason_for_finding(reading) == expected


@pytest.mark.parametrize(
    ("positives", "share", "code", "values"),
    [
        (0, 0.0, "none", {}),
        (20, 0.624, "share", {"share": 62}),
        (1, 0.001, "share", {"share": 1}),
        (39, 0.999, "share", {"share": 99}),
        (40, 1.0, "all", {}),
    ],
)
def test_evidence_sentence(positives, share, code, values):
    """A share of 100 images at the prevalence of the number; of one class only, the count."""
    reading = fake_reading(IMAGE, prevalence=0.2)
    values |= {"images": 40, "positive": "pneumonia"}
    if code == "share":
        values["prevalence"] = Message("reading.prevalence", prevalence="20\u00a0%")
    found = Evidence(40, positives, share, 0.6)
    assert evidence_sentence(reading, found) == Message(f"report.evidence.{code}", **values)
    counts = {"images": 40, "positives": positives, "positive": "pneumonia"}
    assert evidence_counts(reading, found) == Message("report.evidence.counts", **counts)


@pytest.mark.parametrize(
    ("share", "peak", "expected"),
    [
        (None, 0.0, Message("report.heat.empty")),
        (0.31, 1.0, Message("report.heat.outside", share="31\u00a0%")),
        (0.4999, 1.0, Message("report.heat.outside", share="49\u00a0%")),
        (0.5, 1.0, Message("report.heat.inside", share="50\u00a0%")),
        (0.31, 0.05, Message("report.heat.outside", share="31\u00a0%")),
        (0.31, 0.03, Message("report.heat.faint", peak="3\u00a0%")),
    ],
)
def test_heat_sentence(share, peak, expected):
    """A map mostly outside the lungs is a warning, unless it is faint."""
    heat = np.full((224, 224), peak, np.float64)
    assert heat_sentence(fake_reading(IMAGE, heat=heat, heat_range=1.0, heat_in_lungs=share)) == expected


@pytest.mark.parametrize(
    ("probability", "named", "said"),
    [(0.87, "pneumonia", "87\u00a0%"), (0.4496, "uncertain", "44.96\u00a0%"), (0.001, "normal", "<\u00a01\u00a0%")],
)
def test_finding_sentence(probability, named, said):
    """Finding, probability and assumed prevalence, never apart."""
    expected = {
        "finding": named,
        "positive": "pneumonia",
        "probability": said,
        "prevalence": Message("reading.even_odds"),
    }
    assert finding_sentence(fake_reading(IMAGE, probability=probability)) == Message("report.finding", **expected)


def test_caption_of_a_saved_heatmap():
    """Finding, warnings, then disclaimer, model and checksum; never the name, which may be a patient's."""
    warning = CheckResult("mirroring", WARNING, Message("checks.mirroring.warning"), 1.0, 0.5)
    reading = fake_reading(IMAGE, "Jane Doe.png", check=CheckReport((warning,)))
    caption = figure_caption(reading)
    assert caption.splitlines() == [
        *map(str, (finding_sentence(reading), *reading.check.warnings, provenance(reading)))
    ]
    assert reading.radiograph.sha256[:12] in caption
    assert "Jane" not in caption


def test_facts():
    """Band, threshold, prevalence, ages, model and checksum accompany every probability."""
    reading = fake_reading(IMAGE)
    assert [(name.code, value) for name, value in facts(reading)] == [
        ("report.fact.band", Message("report.fact.band_value", low="20.0\u00a0%", high="80.0\u00a0%")),
        ("report.fact.threshold", Message("report.fact.threshold_beside_band", threshold="45.0\u00a0%")),
        ("report.fact.prevalence", Message("report.fact.even_odds", prevalence="50\u00a0%")),
        ("report.fact.ages", str(reading.ages)),
        ("report.fact.model", reading.model),
        ("report.fact.checksum", f"{reading.radiograph.sha256[:12]}…"),
    ]


def test_shares_of_the_map():
    """Whole percents by lung and by zone; none of a map whose location has no meaning."""
    heat = np.zeros((224, 224), np.float32)
    heat[60, 50], heat[160, 50], heat[100, 150], heat[0, 0] = 3, 2, 1, 1
    shares = {"right": "71", "left": "14", "upper": "43", "middle": "14", "lower": "28", "outside": "15"}
    stated = shares_sentence(fake_reading(IMAGE, heat=heat))
    assert stated == Message("report.shares", **{name: f"{share}\u00a0%" for name, share in shares.items()})
    assert shares_sentence(fake_reading(IMAGE, heat=heat / 100)) is None
    assert shares_sentence(fake_reading(IMAGE, heat=0 * heat, heat_in_lungs=None)) is None


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"heat_in_lungs": None}, "report.fact.heat_none"),
        ({"heat": np.full((224, 224), 0.1)}, "report.fact.heat_faint"),
    ],
)
def test_facts_without_a_value(changes, code):
    """An empty and a faint heatmap, and a missing band, are stated."""
    stated = {name.code: value for name, value in facts(fake_reading(IMAGE, operating_points=CROSSED, **changes))}
    assert stated["report.fact.heat"] == Message(code)
    assert stated["report.fact.band"] == Message("report.fact.band_none")
    assert stated["report.fact.threshold"] == Message("report.fact.threshold_alone", threshold="50.0\u00a0%")
