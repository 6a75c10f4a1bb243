"""What the evaluation page is made of: charts, forest plot, the browser's figures, words and files."""

import csv
import io
import json
import math
import re
from dataclasses import replace

import numpy as np
import pytest
from cxrmodel.evaluation.report.view import labels_of
from sklearn.metrics import matthews_corrcoef, precision_score, recall_score

from cxrmodel.evaluation.published import published
from cxrmodel.evaluation.report.charts import (
    RandomisationCurve,
    RateCurve,
    TrainingHistory,
    TrainingStart,
    published_marks,
    rate_curve,
)
from cxrmodel.evaluation.report.figures import (
    decision_figure,
    forest_figure,
    history_figure,
    randomisation_figure,
    reliability_figure,
    roc_figure,
)
from cxrmodel.evaluation.report.rows import Row
from cxrmodel.evaluation.report.small_samples import FEWEST, few, image_count
from cxrmodel.evaluation.storage import load_evaluation, save_evaluation
from cxrmodel.evaluation.thresholds import RATES
from cxrmodel.messages import Message
from cxrmodel.metrics.calibration import reliability
from cxrmodel.metrics.curves import curve_bands, decision_curve
from cxrmodel.metrics.estimate import Estimate
from cxrmodel.web.components.downloads import table_csv
from cxrmodel.web.components.forest import forest_html
from cxrmodel.web.components.terms import MEANINGS, with_interval
from cxrmodel.web.evaluation.cache import fingerprint
from cxrmodel.web.evaluation.charts import CORNER, precision_recall_chart, reliability_chart, roc_chart
from cxrmodel.web.evaluation.decision import payload, point_rows, threshold_rows
from cxrmodel.web.evaluation.history_charts import history_charts
from tests.support.stand_ins import POINTS, SPEC, evaluation_document

SUMMARY = Message("training.random_weights")


def history(*starts: TrainingStart) -> TrainingHistory:
    """A training of two epochs."""
    losses = np.array([1.0, 0.5])
    return TrainingHistory(np.array([1, 2]), np.array([96, 96]), losses, 2 * losses, np.array([0.9, 0.9]), starts)


GROUP = Message("documents.group.models")
CAVEAT = few(image_count(3))


@pytest.fixture(scope="module")
def evaluation(tmp_path_factory):
    """A whole evaluation of drawn scores."""
    folder = tmp_path_factory.mktemp("evaluation")
    save_evaluation(evaluation_document(), folder)
    return load_evaluation("densenet121", folder, SPEC)


@pytest.fixture(scope="module")
def bands(evaluation):
    """Of its curves."""
    scores = evaluation.scores["test"]
    return curve_bands(scores.labels, scores.probabilities, scores.patients, 50)


@pytest.mark.parametrize(
    ("figure", "expected"),
    [
        ({"value": 0.98123, "low": 0.97, "high": 0.99049}, "0.981 (0.970 to 0.990)"),
        ({"value": 0.9875, "low": None, "high": None}, "0.9875"),
        ({"value": None, "low": None, "high": None}, "not defined"),
    ],
)
def test_with_interval(figure, expected):
    """A figure is said with its interval, where there is one."""
    assert with_interval(figure) == expected


def layers(chart) -> list[list[dict]]:
    """The rows of each layer of a chart."""
    made = chart.to_dict()
    return [made["datasets"][layer.get("data", made.get("data"))["name"]] for layer in made["layer"]]


def test_roc_chart(evaluation, bands):
    """Curves from corner to corner with thresholds, bands, operating points and published points."""
    others = published_marks(published())
    found = {"one": evaluation, "two": replace(evaluation, model="cnn")}
    drawn = layers(roc_chart(found, "test", {"one": bands.roc, "two": bands.roc}, others))
    chance, shaded, lines, dots, marks, diamonds = drawn
    assert [(row["x"], row["y"]) for row in chance] == [(0, 0), (1, 1)]
    assert lines == dots
    for name in found:
        curve = [row for row in lines if row["model"] == name]
        assert (curve[0]["x"], curve[0]["y"], curve[-1]["x"], curve[-1]["y"]) == (0, 0, 1, 1)
        scores = evaluation.scores["test"]
        for row in curve[1::9]:
            called = scores.probabilities >= row["threshold"] - 1e-4
            assert row["sensitivity"] == pytest.approx(recall_score(scores.labels, called), abs=1e-3)
            assert row["specificity"] == pytest.approx(recall_score(scores.labels, called, pos_label=0), abs=1e-3)
        assert len([row for row in shaded if row["model"] == name]) == len(bands.roc.x)
    stated = evaluation.metrics["test"]["at"]
    assert [mark["y"] for mark in marks] == pytest.approx(
        [stated[name]["recall"]["value"] for name in POINTS], abs=1e-4
    )
    assert [(mark["point"], mark["x"], mark["y"]) for mark in diamonds] == [("Kermany 2018", 0.099, 0.932)]


def test_precision_recall_chart(evaluation, bands):
    """Every place has the threshold that makes it, and chance is the share of pneumonia."""
    chance, _, lines, _, _ = layers(
        precision_recall_chart({"one": evaluation}, "test", {"one": bands.precision_recall})
    )
    scores = evaluation.scores["test"]
    assert {row["y"] for row in chance} == {round(float(scores.labels.mean()), 5)}
    for row in lines[:-1:7]:
        called = scores.probabilities >= row["threshold"] - 1e-4
        assert row["precision"] == pytest.approx(precision_score(scores.labels, called), abs=1e-3)
        assert row["specificity"] == pytest.approx(recall_score(scores.labels, called, pos_label=0), abs=1e-3)


def test_shortcuts_stand_in_the_same_charts(evaluation, bands):
    """A line each, with a dash of its own, in a colour that no model has."""
    columns = [np.array(column) for column in ((0.0, 0.5, 1.0), (1.0, 0.75, 0.0), (1.0, 0.8, 0.6))]
    titles = enumerate(("File size", "Grey levels"))
    shortcuts = [RateCurve(title, place, np.full(3, np.nan), *columns) for place, title in titles]
    for chart, band, places in (
        (roc_chart, bands.roc, [(0, 0), (0.25, 0.5), (1, 1)]),
        (precision_recall_chart, bands.precision_recall, [(0, 1), (0.5, 0.8), (1, 0.6)]),
    ):
        made = chart({"one": evaluation}, "test", {"one": band}, shortcuts=shortcuts)
        rows = layers(made)[2]
        for item in shortcuts:
            assert [(row["x"], row["y"]) for row in rows if row["model"] == item.title] == places
        encoding = made.to_dict()["layer"][2]["encoding"]
        colours, dashes = (encoding[channel]["scale"]["range"] for channel in ("color", "strokeDash"))
        assert colours[0] not in colours[1:]
        assert len(set(map(str, dashes))) == 3
    figure = roc_figure([rate_curve(evaluation, "test")], baselines=shortcuts)
    labels = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert sum(label.endswith(("File size", "Grey levels")) for label in labels) == 2


def test_models_keep_their_colour_and_dash(evaluation, bands):
    """Curves differ in colour and dash, and which model is looked at changes neither."""
    found = {"one": evaluation, "two": replace(evaluation, model="cnn")}
    drawn = []
    for names in (("one", "two"), ("two", "one")):
        made = roc_chart({name: found[name] for name in names}, "test", dict.fromkeys(names, bands.roc)).to_dict()
        for channel in ("color", "strokeDash"):
            scale = made["layer"][2]["encoding"][channel]["scale"]
            drawn.append(dict(zip(scale["domain"], map(str, scale["range"]), strict=True)))
            assert len(set(drawn[-1].values())) == 2
        legends = [layer["encoding"]["color"].get("legend") for layer in made["layer"] if "color" in layer["encoding"]]
        assert len(legends) == 3
        assert all(legend == {"orient": "bottom"} | legend and legend["symbolOpacity"] == 1 for legend in legends)
    assert drawn[:2] == drawn[2:]


def test_corner_is_enlarged(evaluation, bands):
    """The axes end where the corner does."""
    made = roc_chart({"one": evaluation}, "test", {"one": bands.roc}, corner=True).to_dict()
    encoding = made["layer"][0]["encoding"]
    assert tuple(tuple(encoding[axis]["scale"]["domain"]) for axis in "xy") == CORNER["roc"]


def test_reliability_and_history_charts(evaluation):
    """One mark a bin, one a training epoch."""
    scores = evaluation.scores["test"]
    bins = reliability(scores.labels, scores.probabilities, scores.patients, resamples=20)
    _, rules, points = layers(reliability_chart(bins))
    assert rules == points
    assert len(points) == 15
    assert all(row["low"] <= row["y"] <= row["high"] for row in points)
    (losses,), (aucs,) = map(layers, history_charts(history()))
    assert len(losses) == 4
    assert [row["auc"] for row in aucs] == [0.9, 0.9]


@pytest.mark.parametrize("marked", [[], [("Training 1", 0.5), ("Training 2", 1.5)], [("Training 2", 0.5)]])
def test_where_each_of_several_trainings_begins_is_marked(marked):
    """With its name, on both charts and in the drawing for print; a single one needs no mark."""
    kept = history(*(TrainingStart(int(name[-1]), epoch, SUMMARY) for name, epoch in marked))
    for chart in history_charts(kept):
        *marks, _ = layers(chart)
        assert [(row["name"], row["epoch"]) for (row,) in marks[::2]] == marked
        assert marks[::2] == marks[1::2]
        texts = [layer for layer in chart.to_dict()["layer"] if layer["mark"]["type"] == "text"]
        assert [layer["encoding"]["text"]["field"] for layer in texts] == ["name"] * len(marked)
    upper = history_figure(kept).axes[0]
    assert [text.get_text() for text in upper.texts] == [name for name, _ in marked]
    assert [line.get_xdata()[0] for line in upper.get_lines()[2:]] == [place for _, place in marked]


def test_forest():
    """Dot, whisker and words of each row lie where the figure is; a row of its own words is escaped."""
    rows = [
        Row(GROUP, "<i>a</i>", Estimate(0.75, 0.6, 0.9, 60), (Message("documents.note.text", text="n & m"),)),
        Row(GROUP, "b", Estimate(0.9875, None, None, 60)),
        Row(SUMMARY, "c", Estimate.undefined()),
        Row(SUMMARY, "d", Estimate(0.55, 0.5, 0.6, 3), caveat=CAVEAT),
    ]
    html = forest_html(rows, 0.5, 1.0, 0.5)
    assert re.findall(r"<h4>(.+?)</h4>", html) == [str(GROUP), str(SUMMARY)]
    assert 'class="dot" style="left:50.00%"' in html
    assert 'class="whisker" style="left:20.00%;width:60.00%"' in html
    assert 'class="diamond" style="left:97.50%"' in html
    assert "&lt;i&gt;a&lt;/i&gt;" in html
    assert "n &amp; m" in html
    assert "0.750 (0.600 to 0.900)" in html
    assert "not defined" in html
    assert 'class="dot few" style="left:10.00%"' in html
    assert html.count(str(CAVEAT)) == html.count('few"') == 1


def test_payload_follows_from_the_scores(evaluation):
    """At any threshold what the browser looks up is what scikit-learn computes from the images."""
    data, scores = json.loads(json.dumps(payload(evaluation, "test"), allow_nan=False)), evaluation.scores["test"]
    columns = {figure["key"]: figure for figure in data["figures"]}
    assert list(columns) == list(RATES)
    for threshold in (0.0, 0.137, 0.45, 0.5, 0.8, 0.999):
        row = np.searchsorted(data["thresholds"], threshold, side="right") - 1
        called = scores.probabilities >= threshold
        assert data["counts"]["tp"][row] == int((called & (scores.labels == 1)).sum())
        assert data["counts"]["fp"][row] == int((called & (scores.labels == 0)).sum())
        if called.any() and not called.all():
            assert columns["mcc"]["values"][row] == pytest.approx(matthews_corrcoef(scores.labels, called), abs=1e-4)
        else:
            assert columns["mcc"]["values"][row] is None
        labels = labels_of(evaluation)
        for label, count in ((labels.positive, int(called.sum())), (labels.negative, int((~called).sum()))):
            said = str(Message("documents.count.found", n=count, label=label))
            assert (said in data["few"][row]) == (count < FEWEST)
    assert {figure["title"] for figure in data["figures"]} <= set(MEANINGS)
    assert [point["threshold"] for point in data["points"]] == list(POINTS.values())


def test_operating_points_in_words(evaluation):
    """Those of the table are those that are stored."""
    stated = evaluation.metrics["test"]["at"]
    rows = {(row["Point"], row["Figure"]): row["one"] for row in point_rows({"one": evaluation}, "test")}
    for point, said in (("balanced", "balanced"), ("high_sensitivity", "high sensitivity")):
        for name in ("accuracy", "balanced_accuracy", "recall", "specificity", "precision", "f1"):
            assert rows[(said, RATES[name])] == with_interval(stated[point][name])
        counts = stated[point]["confusion"]
        told = {"tp": "True positives", "fn": "Missed", "fp": "False alarms", "tn": "True negatives"}
        assert {name: int(rows[(said, title)]) for name, title in told.items()} == counts


def test_thresholds_as_a_file(evaluation):
    """One row a change, with every figure and both ends of its interval."""
    rows = threshold_rows(evaluation, "test")
    assert rows[0]["threshold"] == 0
    assert rows[0]["recall"] == 1
    assert set(rows[0]) == {"threshold", "tn", "fp", "fn", "tp"} | {
        f"{name}{end}" for name in RATES for end in ("", "_low", "_high")
    }


def test_csv_has_every_column_and_no_formula():
    """Rows may differ in their columns; text that begins like a formula is quoted."""
    text = table_csv([{"a": 1, "b": "=1+1"}, {"a": 2.5, "c": "x,y"}]).decode()
    assert list(csv.DictReader(io.StringIO(text))) == [
        {"a": "1", "b": "'=1+1", "c": ""},
        {"a": "2.5", "b": "", "c": "x,y"},
    ]
    assert table_csv([]) == b"\n"


def test_fingerprint_tells_scores_apart(evaluation):
    """Kept curves are never those of other images, weights or thresholds."""
    prints = {fingerprint(evaluation, split) for split in ("test", "held_out")}
    prints.add(fingerprint(replace(evaluation, weights_sha256="9" * 64), "test"))
    prints.add(fingerprint(replace(evaluation, operating_points={**POINTS, "balanced": 0.46}), "test"))
    prints.add(fingerprint(replace(evaluation, prevalence=0.5), "test"))
    scores = evaluation.scores["test"]
    other = replace(scores, patients=("x", *scores.patients[1:]))
    prints.add(fingerprint(replace(evaluation, scores={"test": other}), "test"))
    assert len(prints) == 6


def test_drawings_for_print(evaluation):
    """Each holds what it was given."""
    scores = evaluation.scores["test"]
    given = scores.labels, scores.probabilities, scores.patients
    lines = decision_figure({"one": decision_curve(*given, 20)}).axes[0].get_lines()
    assert {line.get_label() for line in lines} == {"Treat all", "Treat none", "one"}
    legend = reliability_figure({"After": reliability(*given, resamples=20)}, "ill").axes[0].get_legend()
    assert any(text.get_text().startswith("After: 4 images") for text in legend.get_texts())
    rows = [
        Row(GROUP, name, Estimate(0.7, 0.6, 0.8, 60), caveat=caveat) for name, caveat in (("a", None), ("b", CAVEAT))
    ]
    labels = [label.get_text() for label in forest_figure(rows, "AUC", 0.5).axes[0].get_yticklabels()]
    assert labels == [str(GROUP), "a", "b (few images)"]
    assert len(history_figure(history()).axes) == 2
    curves = [RandomisationCurve(title, ("", "output"), (1.0, 0.5)) for title in "ab"]
    assert [line.get_label() for line in randomisation_figure(curves).axes[0].get_lines()] == ["a", "b"]


def test_meanings_hold_no_measured_figure():
    """They explain; the figures stand elsewhere."""
    assert all(not re.search(r"0\.\d{3}", text) and math.inf > len(text) > 20 for text in MEANINGS.values())
