"""How a reading is put into words."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrmodel.checks.report import WARNING, CheckReport, CheckResult
from cxrmodel.messages import Message
from cxrmodel.model.calibration import finding
from cxrmodel.reasons import reasons_beside
from cxrmodel.report.wording import (
    band,
    facts,
    figure_caption,
    finding_sentence,
    frequency_sentence,
    heat_sentence,
    in_a_hundred,
    percent,
    probability_percent,
    reason_for_finding,
    threshold_percent,
)
from tests.support.stand_ins import POINTS, fake_reading

CROSSED = {"high_sensitivity": 0.7, "balanced": 0.5, "high_specificity": 0.3}


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        (0.0, "<\u00a01\u00a0%"),
        (0.0099, "<\u00a01\u00a0%"),
        (0.01, "1\u00a0%"),
        (0.734, "73\u00a0%"),
        (0.99, "99\u00a0%"),
        (0.9901, ">\u00a099\u00a0%"),
        (1.0, ">\u00a099\u00a0%"),
    ],
)
def test_percent(share, expected):
    """A probability is a whole percentage, and never a false certainty."""
    assert percent(share) == expected


@given(st.floats(0, 1))
def test_percent_never_says_certain(share):
    """Neither 0 % nor 100 % is ever said of an image."""
    assert percent(share) not in ("0\u00a0%", "100\u00a0%")


@pytest.mark.parametrize(
    ("threshold", "expected"),
    [
        (0.413, "41.3\u00a0%"),
        (0.00042, "0.04\u00a0%"),
        (0.99996, "99.996\u00a0%"),
        (0.0, "0\u00a0%"),
        (1.0, "100\u00a0%"),
    ],
)
def test_threshold_percent(threshold, expected):
    """A threshold keeps one decimal, or as many as tell it from 0 and 100."""
    assert threshold_percent(threshold) == expected


@given(st.floats(1e-9, 1 - 1e-9))
def test_threshold_within_is_said_within(threshold):
    """A threshold between 0 and 1 is never said to be 0 or 100."""
    assert 0 < float(threshold_percent(threshold).split("\u00a0")[0]) < 100


@pytest.mark.parametrize(
    ("share", "expected"),
    [(0.003, "fewer than 1 in 100"), (0.5, "about 50 in 100"), (0.999, "more than 99 in 100")],
)
def test_in_a_hundred(share, expected):
    """A probability is also said as a natural frequency."""
    assert in_a_hundred(share) == expected


def test_band():
    """The band runs between the outer operating points; there is none where they cross."""
    assert band(POINTS) == (0.2, 0.8)
    assert band(CROSSED) is None


@pytest.mark.parametrize(
    ("probability", "points", "expected"),
    [
        (0.8, POINTS, "at or above 80.0\u00a0%, the upper edge"),
        (0.19, POINTS, "below 20.0\u00a0%, the lower edge"),
        (0.2, POINTS, "between 20.0\u00a0% and 80.0\u00a0%"),
        (0.5, CROSSED, "at or above 50.0\u00a0%, the balanced threshold"),
        (0.49, CROSSED, "below 50.0\u00a0%, the balanced threshold"),
    ],
)
def test_reason_for_finding(probability, points, expected):
    """The sentence names the threshold that led to the finding."""
    assert expected in reason_for_finding(finding(probability, points), points)


@pytest.mark.parametrize(
    ("probability", "thresholds", "expected"),
    [
        (0.5451, (0.2, 0.549, 0.8), "54.5"),  # 55 would seem to be above 54.9
        (0.5495, (0.2, 0.549, 0.8), "55"),
        (0.5449, (0.2, 0.549, 0.8), "54"),
        (0.7996, (0.2, 0.45, 0.8), "80.0"),  # 80 would seem to have reached 80.0
        (0.803, (0.2, 0.45, 0.8), "80.3"),
        (0.1751, (0.1754, 0.45, 0.8), "17.5"),
        (0.2049, (0.2046, 0.45, 0.8), "20.5"),  # 20 would seem to be below 20.5
        (0.87, (0.2, 0.45, 0.8), "87"),
        (0.004, (0.0042, 0.45, 0.8), "<\u00a01"),
        (0.995, (0.2, 0.45, 0.9951), ">\u00a099"),
    ],
)
def test_probability_percent(probability, thresholds, expected):
    """A decimal is shown where the whole number would contradict a threshold beside it."""
    points = dict(zip(POINTS, thresholds, strict=True))
    assert probability_percent(probability, points) == f"{expected}\u00a0%"


@given(st.floats(0.01, 0.99), st.floats(0.01, 0.99))
def test_probability_never_shows_on_the_other_side(probability, threshold):
    """Whatever the numbers, what is shown is not beyond a threshold that was not passed."""
    said = float(probability_percent(probability, dict.fromkeys(POINTS, threshold)).split("\u00a0")[0])
    shown = float(threshold_percent(threshold).split("\u00a0")[0])
    assert said >= shown if probability >= threshold else said <= shown


@pytest.mark.parametrize(
    ("finding_said", "expected", "absent"),
    [
        ("pneumonia", "On images like those it was trained on", "least reliable"),
        ("normal", "about 40 in 100 show pneumonia, where about 74 in 100", "least reliable"),
        ("uncertain", "the stated probability is least reliable", "in 100"),
    ],
)
def test_frequency_sentence(finding_said, expected, absent):
    """Outside the band a frequency is stated for images like those of the training; within it none is."""
    said = frequency_sentence(0.4, finding_said, 0.74)
    assert expected in said
    assert absent not in said


@pytest.mark.parametrize(
    ("share", "peak", "expected"),
    [
        (None, 0.0, "The map is zero everywhere"),
        (0.31, 1.0, "Only 31\u00a0%"),
        (0.4999, 1.0, "Only 49\u00a0%"),
        (0.5, 1.0, "50\u00a0% of the heat lies within"),
        (0.31, 0.05, "Only 31\u00a0%"),
        (0.31, 0.03, "There is hardly any heat on this image: its peak is 3\u00a0% of the colour range."),
    ],
)
def test_heat_sentence(share, peak, expected):
    """Heat mostly outside the lungs is a warning, unless there is hardly any."""
    heat = np.full((224, 224), peak, np.float64)
    assert heat_sentence(fake_reading(np.zeros((8, 8)), heat=heat, heat_range=1.0, heat_in_lungs=share)).startswith(
        expected
    )


@pytest.mark.parametrize("share", [0.004, 0.29, 0.4951, 0.4999, 0.5049, 0.7451])
def test_a_share_of_heat_reads_the_same_everywhere(share):
    """In sentence, facts and warning."""
    reading = fake_reading(np.zeros((8, 8)), heat_in_lungs=share)
    stated = dict(facts(reading))["Heat within the lungs"]
    assert stated in heat_sentence(reading)
    for reason in reasons_beside(reading.finding, 1.0, share):
        assert f"({stated} within)".replace("\u00a0", " ") in reason


@pytest.mark.parametrize(
    ("probability", "expected"),
    [
        (0.87, "Finding: pneumonia. Probability of pneumonia 87\u00a0% (assumes a prevalence of 74\u00a0%)."),
        (0.4496, "Finding: uncertain. Probability of pneumonia 45.0\u00a0% (assumes a prevalence of 74\u00a0%)."),
        (0.001, "Finding: normal. Probability of pneumonia <\u00a01\u00a0% (assumes a prevalence of 74\u00a0%)."),
    ],
)
def test_finding_sentence(probability, expected):
    """Finding, number and what the number assumes, never apart."""
    assert finding_sentence(fake_reading(np.zeros((8, 8)), probability=probability)) == expected


def test_caption_of_a_picture_that_is_kept():
    """Finding, warnings, then disclaimer, model and image by checksum; never its name, which may be a patient's."""
    message = Message("checks.mirroring.warning")
    warning = CheckResult("mirroring", WARNING, message, 1.0, 0.5)
    reading = fake_reading(np.zeros((8, 8)), "Jane Doe.png", check=CheckReport((warning,)))
    assert figure_caption(reading).splitlines() == [
        finding_sentence(reading),
        str(message),
        f"Not for diagnosis; research use only. Model densenet121 0123456789ab. Image {reading.radiograph.sha256[:12]}.",
    ]


def test_facts():
    """Band, threshold, heat, prevalence, ages, model and checksum stand beside every probability."""
    reading = fake_reading(np.zeros((8, 8)))
    assert dict(facts(reading)) == {
        "Uncertain band": "20.0\u00a0% to 80.0\u00a0%",
        "Balanced threshold": "45.0\u00a0%, for comparison: the band decides the finding",
        "Heat within the lungs": "83\u00a0%",
        "Prevalence assumed": "74\u00a0%",
        "Trained on ages": "1 to 5 years",
        "Model": "densenet121 0123456789ab",
        "SHA-256 of the file": f"{reading.radiograph.sha256[:12]}…",
    }


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"heat_in_lungs": None}, "no heat on the image"),
        ({"heat": np.full((224, 224), 0.1)}, "hardly any heat on the image"),
    ],
)
def test_facts_say_what_is_not_there(changes, expected):
    """No heat, hardly any, and no band are said in words."""
    stated = dict(facts(fake_reading(np.zeros((8, 8)), operating_points=CROSSED, **changes)))
    assert stated["Heat within the lungs"] == expected
    assert stated["Uncertain band"] == "none, as the thresholds cross"
    assert stated["Balanced threshold"] == "45.0\u00a0%, which decides the finding: there is no band"
