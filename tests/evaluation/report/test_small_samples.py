"""Who rests a figure on few images is told so."""

import json
from dataclasses import replace

import numpy as np
import pytest

from cxrmodel.evaluation.report.figures import precision_recall_figure, roc_figure
from cxrmodel.evaluation.report.plots import forest_figure
from cxrmodel.evaluation.report.readme import readme_table
from cxrmodel.evaluation.report.rows import auc_rows, subgroup_rows
from cxrmodel.evaluation.report.small_samples import (
    FEWEST,
    SCARCEST,
    few,
    few_alike,
    few_at,
    few_called,
    few_in_groups,
    few_of,
    few_rows,
    withheld,
)
from cxrmodel.evaluation.thresholds import threshold_table


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ({"images": FEWEST}, ""),
        ({"images": FEWEST - 1}, f"Rests on few (images: {FEWEST - 1}): take the interval with caution."),
        ({"a": 0, "b": 99, "c": 4.5}, "Rests on few (a: 0; c: 4.5): take the interval with caution."),
        ({}, ""),
    ],
)
def test_few(counts, said):
    """Below the bound, every count by name; at it, nothing."""
    assert few(counts) == said


def test_of_a_split(make_evaluation):
    """Classes and patients are counted from the scores themselves."""
    evaluation = make_evaluation(centre=0.3)
    assert few_of(evaluation, "test") == ""
    scores = evaluation.scores["test"]
    labels = np.r_[np.ones(50, int), np.zeros(10, int)]
    scarce = replace(evaluation, scores={"test": replace(scores, labels=labels, patients=("a", "b") * 30)})
    assert few_of(scarce, "test") == "These are few (normal images: 10; patients: 2): take every interval with caution."
    assert "These are few (normal images: 10; patients: 2)" in readme_table([scarce])
    assert "These are few" not in readme_table([evaluation])


def test_an_interval_without_width_is_no_certainty(make_evaluation):
    """Where all images of a kind are called alike, every resample agrees, however few they are."""
    evaluation = make_evaluation(centre=0.3)
    assert few_of(evaluation, "test") == ""
    sure = json.loads(json.dumps(evaluation.metrics["test"]))
    sure["at"]["balanced"]["recall"] = {"value": 1.0, "low": 1.0, "high": 1.0}
    told = few_of(replace(evaluation, metrics={"test": sure}), "test")
    assert told.startswith("Where an interval has no width, all images of a kind were called alike")


@pytest.mark.parametrize(
    ("figure", "patients", "said"),
    [
        ({"value": 1.0, "low": 1.0, "high": 1.0}, 10, "0.722 to 1.000."),
        ({"value": 0.0, "low": 0.0, "high": 0.0}, 10, "0.000 to 0.278."),
        ({"value": 0.9, "low": 0.8, "high": 1.0}, 10, ""),
        ({"value": 1.0, "low": None, "high": None}, 10, ""),
    ],
)
def test_of_images_called_alike(figure, patients, said):
    """Wilson's interval says what resamples cannot."""
    assert few_alike(figure, patients).endswith(said)
    assert bool(few_alike(figure, patients)) == bool(said)


@pytest.mark.parametrize(
    ("counts", "few_of_these"),
    [
        ({"tn": 30, "fp": 15, "fn": 0, "tp": 15}, {}),
        ({"tn": 30, "fp": 15, "fn": 0, "tp": 14}, {"images called pneumonia": 29}),
        ({"tn": 1, "fp": 99, "fn": 1, "tp": 99}, {"images called normal": 2}),
    ],
)
def test_of_calls(counts, few_of_these):
    """Predictive values rest on the images called so."""
    assert few_called(counts) == few(few_of_these)


def test_of_groups_and_rows():
    """A diagram's groups, and the names of rows."""
    assert few_in_groups(41.6) == ""
    assert "images in each group: 4" in few_in_groups(4.0)
    rows = [{"name": name, "few": said, "value": 0.9} for name, said in (("a", ""), ("b", "x"), ("c", "y"))]
    assert few_rows(rows) == "Few images, so an interval to be taken with caution: b; c."
    gone = {"name": "d", "few": "not given: 1 normal image", "value": None}
    assert few_rows([gone]) == "d, not given: 1 normal image."
    assert few_rows(rows[:1]) == ""


@pytest.mark.parametrize(
    ("normal", "said"),
    [
        (0, "not given: 0 normal images"),
        (1, "not given: 1 normal image"),
        (SCARCEST - 1, f"not given: {SCARCEST - 1} normal images"),
        (SCARCEST, ""),
    ],
)
def test_an_area_of_a_handful_is_withheld(normal, said):
    """Value and interval both, with the count that is too small; its mark is drawn nowhere."""
    assert withheld({"normal images": normal, "images with pneumonia": 155}) == said
    figure = {"value": 0.948, "low": 0.906, "high": 0.98}
    item = {"name": "smallest", "images": 155 + normal, "positives": 155, "auc": figure}
    (row,) = subgroup_rows({"subgroups": [item]})
    assert [row[key] for key in figure] == ([None] * 3 if said else list(figure.values()))
    (axes,) = forest_figure([row], "AUC").axes
    assert bool(axes.containers) != bool(said)
    assert (f"({said})" in axes.get_yticklabels()[1].get_text()) == bool(said)


def test_areas_of_a_handful_are_withheld_for_own_images(make_evaluation):
    """In rows, curves and the table, wherever the area of the whole split would stand."""
    evaluation = make_evaluation(centre=0.3)
    labels = np.r_[np.ones(51, int), np.zeros(9, int)]
    scarce = replace(evaluation, scores={"test": replace(evaluation.scores["test"], labels=labels)})
    said = "not given: 9 normal images"
    (row,) = auc_rows({"one": scarce}, "test", {})
    assert (row["value"], row["few"]) == (None, said)
    for drawn in (roc_figure([scarce]), precision_recall_figure([scarce])):
        assert said in " ".join(text.get_text() for text in drawn.findobj(lambda part: hasattr(part, "get_text")))
    table = readme_table([scarce])
    assert f"| AUC | {said} |" in table
    assert f"| Average precision | {said} |" in table
    assert said not in readme_table([evaluation])


def test_an_interval_of_no_width_at_a_threshold(make_evaluation):
    """Wilson's stands beside it, over the patients whose images the share is of; shares with a width have none."""
    evaluation = make_evaluation(centre=0.3)
    scores = evaluation.scores["test"]
    table = threshold_table(scores.labels, scores.probabilities, scores.patients)
    everybody = few_at(evaluation, "test", table, 0)
    assert "Sensitivity (recall): every resample agrees" in everybody
    assert "over 15 patients is 0.796 to 1.000." in everybody
    assert "Specificity: every resample agrees" in everybody
    assert "is 0.000 to 0.204." in everybody
    assert "Precision (PPV): every" not in everybody
    assert "resample" not in few_at(evaluation, "test", table, table.at(0.5))
