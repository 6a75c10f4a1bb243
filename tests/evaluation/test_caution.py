"""Who rests a figure on few films is told so."""

from dataclasses import replace

import numpy as np
import pytest

from cxrmodel.evaluation.caution import FEWEST, few, few_called, few_in_groups, few_of, few_rows
from cxrmodel.evaluation.summary import readme_table


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ({"films": FEWEST}, ""),
        ({"films": FEWEST - 1}, f"Rests on few (films: {FEWEST - 1}): take the interval with caution."),
        ({"a": 0, "b": 99, "c": 4.5}, "Rests on few (a: 0; c: 4.5): take the interval with caution."),
        ({}, ""),
    ],
)
def test_few(counts, said):
    """Below the bound, every count by name; at it, nothing."""
    assert few(counts) == said


def test_of_a_split(make_evaluation):
    """Classes and patients are counted from the scores themselves."""
    evaluation = make_evaluation()
    assert few_of(evaluation, "test") == ""
    scores = evaluation.scores["test"]
    labels = np.r_[np.ones(50, int), np.zeros(10, int)]
    scarce = replace(evaluation, scores={"test": replace(scores, labels=labels, patients=("a", "b") * 30)})
    assert few_of(scarce, "test") == "Rests on few (normal films: 10; patients: 2): take the interval with caution."
    assert "Rests on few (normal films: 10; patients: 2)" in readme_table([scarce])
    assert "Rests on few" not in readme_table([evaluation])


@pytest.mark.parametrize(
    ("counts", "few_of_these"),
    [
        ({"tn": 30, "fp": 15, "fn": 0, "tp": 15}, {}),
        ({"tn": 30, "fp": 15, "fn": 0, "tp": 14}, {"films called pneumonia": 29}),
        ({"tn": 1, "fp": 99, "fn": 1, "tp": 99}, {"films called normal": 2}),
    ],
)
def test_of_calls(counts, few_of_these):
    """Predictive values rest on the films called so."""
    assert few_called(counts) == few(few_of_these)


def test_of_groups_and_rows():
    """A diagram's groups, and the names of rows."""
    assert few_in_groups(41.6) == ""
    assert "films in each group: 4" in few_in_groups(4.0)
    rows = [{"name": "a", "few": ""}, {"name": "b", "few": "x"}, {"name": "c", "few": "y"}]
    assert few_rows(rows) == "Few films, so an interval to be taken with caution: b; c."
    assert few_rows(rows[:1]) == ""
