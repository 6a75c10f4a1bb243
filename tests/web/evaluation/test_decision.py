"""What the Decision part gives to the browser, tables and files."""

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import matthews_corrcoef

from cxrmodel.metrics import formatting
from cxrmodel.metrics.registry import rates_in_order
from cxrmodel.metrics.thresholds import threshold_table
from cxrmodel.model.calibration import at_prevalence
from cxrmodel.web.evaluation.decision import browser_data, point_rows, threshold_rows
from tests.support.stand_ins import POINTS, fake_reading

RATES = [rate.name for rate in rates_in_order()]


def test_browser_data_follow_from_the_scores(evaluation):
    """At any threshold what the browser looks up is what scikit-learn computes from the images."""
    data, scores = json.loads(json.dumps(browser_data(evaluation, "test"), allow_nan=False)), evaluation.splits["test"]
    metrics = {metric["name"]: metric for metric in data["metrics"]}
    assert list(metrics) == RATES
    for threshold in (0.0, 0.137, 0.45, 0.5, 0.8, 0.999):
        row = np.searchsorted(data["thresholds"], threshold, side="right") - 1
        found = scores.probabilities >= threshold
        assert data["counts"]["tp"][row] == int((found & (scores.labels == 1)).sum())
        assert data["counts"]["fp"][row] == int((found & (scores.labels == 0)).sum())
        if found.any() and not found.all():
            assert metrics["mcc"]["values"][row] == pytest.approx(matthews_corrcoef(scores.labels, found), abs=1e-4)
        else:
            assert metrics["mcc"]["values"][row] is None
        few = min(found.sum(), len(found) - found.sum()) < 30
        assert bool(data["few"][row]) == few
    assert [point["threshold"] for point in data["points"]] == list(POINTS.values())


def test_every_text_that_the_script_shows_is_sent(evaluation, project):
    """And the script uses every text that is sent."""
    script = (project / "assets" / "decision" / "decision.js").read_text()
    texts = browser_data(evaluation, "test")["texts"]
    used = {name for name in texts if f"texts.{name}" in script}
    assert set(texts) - used == {"tp", "fn", "fp", "tn"}  # looked up by the name of their count
    assert "texts[name]" in script


def test_operating_points_in_words(evaluation):
    """Counts and estimates at each point, for every model."""
    scores, thresholds = evaluation.splits["test"], list(POINTS.values())
    table = threshold_table(scores.labels, scores.probabilities, scores.patients, thresholds, **evaluation.resampling)
    for point, threshold in POINTS.items():
        cells = [row["one"] for row in point_rows({"one": evaluation}, "test", point, evaluation.prevalence)]
        place = table.at(threshold)
        assert cells[0] == formatting.threshold_percent(threshold)
        expected = [formatting.estimate(table.estimate(rate.name, place), rate.digits) for rate in rates_in_order()]
        assert cells[1 : 1 + len(RATES)] == expected
        confusion = table.confusion(place)
        assert list(map(int, cells[1 + len(RATES) :])) == [confusion.tp, confusion.fn, confusion.fp, confusion.tn]


def test_thresholds_as_a_file(evaluation):
    """One row a change, with every rate and both ends of its interval."""
    rows = threshold_rows(evaluation, "test", evaluation.prevalence)
    assert rows[0]["threshold"] == 0
    assert rows[0]["sensitivity"] == 1
    for row, other in zip(rows, threshold_rows(evaluation, "test", 0.2), strict=True):
        expected = at_prevalence(row["threshold"], evaluation.prevalence, 0.2)
        assert other["threshold"] == pytest.approx(expected)
        assert (other["tp"], other["prevalence"]) == (row["tp"], 0.2)
    ends = {f"{name}{end}" for name in RATES for end in ("", "_low", "_high")}
    assert set(rows[0]) == {"threshold", "prevalence", "tn", "fp", "fn", "tp"} | ends


def test_the_script_names_no_class(project: Path):
    """Labels come from the model's specification."""
    script = (project / "assets" / "decision" / "decision.js").read_text().lower()
    assert "pneumonia" not in script
    assert '"normal"' not in script


def test_thresholds_are_those_of_a_reading(evaluation):
    """At any prevalence the table has the thresholds that a reading shows."""
    for prevalence in (0.01, 0.2, 0.9):
        reading = fake_reading(np.zeros((8, 8))).at(prevalence)
        for point, threshold in reading.operating_points.items():
            first = point_rows({"one": evaluation}, "test", point, prevalence)[0]
            assert first["one"] == formatting.threshold_percent(threshold)
