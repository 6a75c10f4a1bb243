"""Figures of merit as text and tables."""

import re
from dataclasses import replace

import numpy as np
import pytest
from stand_ins import POINTS, SPEC, evaluation_document

from cxrmodel.evaluation.results import Scores, load_evaluation, save_evaluation
from cxrmodel.web.charts import roc_chart
from cxrmodel.web.figures import (
    DEFINITIONS,
    band_sentence,
    confusion_html,
    data_sentence,
    figure_rows,
    finding_rows,
    reliability_rows,
    stratum_rows,
    with_interval,
)


@pytest.fixture(scope="module")
def evaluation(tmp_path_factory):
    """A whole evaluation of drawn scores."""
    folder = tmp_path_factory.mktemp("evaluation")
    save_evaluation(evaluation_document(), folder)
    return load_evaluation("densenet121", folder, SPEC)


@pytest.mark.parametrize(
    ("figure", "expected"),
    [
        ({"value": 0.98123, "low": 0.97, "high": 0.99049}, "0.981 (0.970 to 0.990)"),
        ({"value": 0.5, "low": None, "high": None}, "0.500"),
        ({"value": None, "low": None, "high": None}, "not defined"),
    ],
)
def test_with_interval(figure, expected):
    """A figure is said with its interval, where there is one."""
    assert with_interval(figure) == expected


def test_confusion_names_every_cell():
    """Each count stands with its name, in the row of its truth and the column of its call."""
    html = confusion_html({"tn": 11, "fp": 22, "fn": 33, "tp": 44})
    cells = re.findall(r"<b>(\d+)</b><span>([\w ]+)</span>", html)
    assert cells == [("44", "true positives"), ("33", "missed"), ("22", "false alarms"), ("11", "true negatives")]
    assert re.findall(r'scope="(\w+)">([\w ]+)<', html) == [
        ("col", "Called pneumonia"),
        ("col", "Called normal"),
        ("row", "Pneumonia"),
        ("row", "Normal"),
    ]


def test_strata():
    """Bacterial, viral and normal films are counted apart; a group without films has no row."""
    scores = Scores(
        files=("a", "b", "c", "d", "e"),
        organisms=("", "", "virus", "virus", "virus"),
        patients=("p",) * 5,
        labels=np.array([0, 0, 1, 1, 1]),
        logits=np.zeros(5),
        probabilities=np.array([0.1, 0.6, 0.5, 0.4, 0.9]),
    )
    assert stratum_rows(scores, 0.5) == [
        {"Films": "Normal", "Called rightly": "1 of 2", "Rate": "0.500"},
        {"Films": "Viral pneumonia", "Called rightly": "2 of 3", "Rate": "0.667"},
    ]


@pytest.mark.parametrize(("refused", "expected"), [(0, "None was refused."), (3, "3 of them were refused.")])
def test_data_sentence(refused, expected):
    """Films, patients and classes are counted, and so are refusals."""
    counts = {"films": 9, "patients": 7, "normal": 4, "pneumonia": 5, "bacteria": 2, "virus": 3, "refused": refused}
    assert data_sentence(counts) == (
        f"9 films of 7 patients: 4 normal, 5 with pneumonia (2 bacterial, 3 viral). {expected}"
    )


def test_figures_at_an_operating_point(evaluation):
    """Every figure is stated with its interval, and every one of them is explained."""
    rows = figure_rows({"one": evaluation}, "test", "balanced", "one", {})
    assert [row["Figure"] for row in rows] == list(DEFINITIONS)
    stated = {row["Figure"]: row["one"] for row in rows}
    assert stated["AUC"] == with_interval(evaluation.metrics["test"]["auc"])
    assert stated["Sensitivity (recall)"] == with_interval(evaluation.metrics["test"]["at"]["balanced"]["recall"])


def test_figures_at_a_threshold_of_the_users_own(evaluation):
    """Only the model whose threshold was set has rates, and without intervals."""
    rates = dict.fromkeys(("accuracy", "balanced_accuracy", "recall", "specificity", "f1"), 0.25) | {"precision": None}
    rows = figure_rows({"one": evaluation, "two": evaluation}, "test", None, "two", rates)
    by_name = {row["Figure"]: row for row in rows}
    assert by_name["Accuracy"] == {"Figure": "Accuracy", "one": "", "two": "0.250"}
    assert by_name["Precision (PPV)"]["two"] == "not defined"
    assert by_name["AUC"]["one"] == by_name["AUC"]["two"] != ""


def test_chart_holds_curves_marks_and_ring(evaluation):
    """The ROC curve runs from corner to corner, and the marks are the operating points' own figures."""
    chart = roc_chart({"one": evaluation, "two": evaluation}, "test", {"recall": 0.9, "specificity": 0.75}).to_dict()
    chance, curves, marks, ring = (chart["datasets"][layer["data"]["name"]] for layer in chart["layer"])
    assert chance == [{"false_positive_rate": 0, "sensitivity": 0}, {"false_positive_rate": 1, "sensitivity": 1}]
    for name in ("one", "two"):
        curve = [(row["false_positive_rate"], row["sensitivity"]) for row in curves if row["model"] == name]
        assert curve[0] == (0, 0)
        assert curve[-1] == (1, 1)
        assert curve == sorted(curve)
    assert [mark["point"] for mark in marks] == ["high sensitivity", "balanced", "high specificity"]
    stated = evaluation.metrics["test"]["at"]
    assert [mark["sensitivity"] for mark in marks] == [stated[name]["recall"]["value"] for name in POINTS]
    assert ring == [{"false_positive_rate": 0.25, "sensitivity": 0.9}]


def test_models_keep_their_colour_and_dash(evaluation):
    """Curves differ in colour and dash, and which model is looked at changes neither."""
    found = {"one": evaluation, "two": replace(evaluation, model="cnn")}
    drawn = []
    for names in (("one", "two"), ("two", "one")):
        ordered = {name: found[name] for name in names}
        encoding = roc_chart(ordered, "test", {"recall": 1, "specificity": 1}).to_dict()["layer"][1]["encoding"]
        for channel in ("color", "strokeDash"):
            scale = encoding[channel]["scale"]
            drawn.append(dict(zip(scale["domain"], map(str, scale["range"]), strict=True)))
            assert len(set(drawn[-1].values())) == 2
    assert drawn[:2] == drawn[2:]


def drawn_scores(probabilities, labels, organisms) -> Scores:
    """Scores of films of one patient."""
    names = tuple(map(str, range(len(labels))))
    return Scores(names, organisms, names, np.array(labels), np.zeros(len(labels)), np.array(probabilities))


def test_findings_are_counted_by_the_band():
    """On the lower edge a film is uncertain, on the upper one pneumonia; rows say counts and shares."""
    scores = drawn_scores(
        (0.8, 0.79, 0.2, 0.9, 0.19, 0.2), (1, 1, 1, 1, 0, 0), ("bacteria", "bacteria", "virus", "virus", "", "")
    )
    assert [list(row.values()) for row in finding_rows(scores, POINTS)] == [
        ["Pneumonia (4)", "2 (50.0 %)", "2 (50.0 %)", "0 (0.0 %)"],
        ["of these bacterial (2)", "1 (50.0 %)", "1 (50.0 %)", "0 (0.0 %)"],
        ["of these viral (2)", "1 (50.0 %)", "1 (50.0 %)", "0 (0.0 %)"],
        ["Normal (2)", "0 (0.0 %)", "1 (50.0 %)", "1 (50.0 %)"],
    ]
    assert list(finding_rows(scores, POINTS)[0]) == [
        "Films",
        "Finding: pneumonia",
        "Finding: uncertain",
        "Finding: normal",
    ]
    assert band_sentence(scores, POINTS) == "Of the 3 films in the uncertain band, 2 had pneumonia (66.7 %)."


def test_no_film_in_the_band():
    """Where no film is uncertain, that is said."""
    scores = drawn_scores((0.1, 0.9), (0, 1), ("", "virus"))
    assert band_sentence(scores, POINTS) == "No film lies in the uncertain band."


def test_reliability_rows():
    """Stated and observed share stand side by side, bin by bin, with films to the bin."""
    scores = drawn_scores([0.2] * 15 + [0.6] * 15, [0] * 15 + [1] * 15, ("",) * 15 + ("virus",) * 15)
    rows = reliability_rows(scores)
    assert len(rows) == 15
    assert list(rows[0].values()) == ["20.0 %", "0.0 %", "-20.0 points", "2"]
    assert list(rows[-1].values()) == ["60.0 %", "100.0 %", "+40.0 points", "2"]
