"""Evaluation, in all its states."""

import json
import re
from dataclasses import replace

import pytest
from stand_ins import SPEC, FakeReader

pytestmark = pytest.mark.usefixtures("reader")


def stated(app) -> dict[str, list[str]]:
    """The table of all figures: name -> one figure for each model."""
    table = app.table[-1].value
    return {row[0]: list(row[1:]) for row in table.itertuples(index=False)}


def cells(say, app) -> tuple[str, ...]:
    """The four counts of the confusion matrix, as drawn."""
    return tuple(re.findall(r"<b>(\d+)</b>", say(app)))


def test_done(visit, say, evaluations):
    """Counts, curve, confusion matrix and every figure of both models are drawn."""
    app = visit("evaluation")
    document = json.loads((evaluations / "densenet121.json").read_text())
    said = say(app)
    assert "60 films of 40 patients: 20 normal, 40 with pneumonia (20 bacterial, 20 viral). None was refused." in said
    assert len(app.get("vega_lite_chart")) == 1
    assert list(app.table[-1].value.columns) == ["Figure", "DenseNet-121", "plain CNN"]
    auc = document["metrics"]["test"]["auc"]
    assert stated(app)["AUC"][0] == f"{auc['value']:.3f} ({auc['low']:.3f} to {auc['high']:.3f})"
    counts = document["metrics"]["test"]["at"]["balanced"]["confusion"]
    assert cells(say, app) == tuple(str(counts[name]) for name in ("tp", "fn", "fp", "tn"))
    assert list(app.table[0].value["Films"]) == ["Normal", "Bacterial pneumonia", "Viral pneumonia"]
    assert "This is what the Read page calls a film with DenseNet-121" in said
    assert "Normal below 20.0 %, pneumonia from 80.0 %, uncertain between. Of the" in said
    assert list(app.table[1].value["Films"])[::3] == ["Pneumonia (40)", "Normal (20)"]
    (reliability,) = (box for box in app.expander if box.label == "Is the probability right?")
    assert len(reliability.table[0].value) == 15
    version = document["version"]
    assert f"Measured: {version} on 2026-03-04; cnn 0123456789ab on 2026-03-04." in said
    assert "95 % intervals, from 50 resamples by patient" in said
    assert not app.exception


@pytest.mark.usefixtures("evaluations")
def test_slider_moves_the_confusion_matrix(visit, say):
    """At 0 every film is called pneumonia; the rates follow and have no intervals."""
    app = visit("evaluation")
    app.slider[0].set_value(0.0).run()
    assert cells(say, app) == ("40", "0", "20", "0")
    assert stated(app)["Sensitivity (recall)"] == ["1.000", ""]
    assert stated(app)["Specificity"][0] == "0.000"
    assert stated(app)["AUC"][0].endswith(")")
    assert "at the threshold set for DenseNet-121" in say(app)
    app.slider[0].set_value(100.0).run()
    assert cells(say, app) == ("0", "40", "0", "20")
    assert stated(app)["Precision (PPV)"][0] == "not defined"


def test_operating_points_move_the_slider(visit, say, evaluations):
    """A named operating point sets the threshold, exactly, and its figures have intervals."""
    app = visit("evaluation")
    assert app.slider[0].value == 45.0
    point = next(group for group in app.segmented_control if group.label == "Operating point")
    point.set_value("high_specificity").run()
    assert app.slider[0].value == 80.0
    stored = json.loads((evaluations / "densenet121.json").read_text())["metrics"]["test"]["at"]["high_specificity"]
    assert cells(say, app) == tuple(str(stored["confusion"][name]) for name in ("tp", "fn", "fp", "tn"))
    assert stated(app)["Specificity"][0].startswith(f"{stored['specificity']['value']:.3f} (")


def test_held_out_patients_flatter(visit, say, evaluations):
    """The other split can be looked at, with the warning that belongs to it."""
    app = visit("evaluation")
    films = next(group for group in app.segmented_control if group.label == "Films")
    films.set_value("held_out").run()
    assert "so their figures flatter" in say(app)
    auc = json.loads((evaluations / "densenet121.json").read_text())["metrics"]["held_out"]["auc"]["value"]
    assert stated(app)["AUC"][0].startswith(f"{auc:.3f}")


def test_other_model(visit, say, evaluations):
    """The confusion matrix follows the model chosen."""
    app = visit("evaluation")
    model = next(group for group in app.segmented_control if group.label == "Model")
    model.set_value("plain CNN").run()
    counts = json.loads((evaluations / "cnn.json").read_text())["metrics"]["test"]["at"]["balanced"]["confusion"]
    assert cells(say, app) == tuple(str(counts[name]) for name in ("tp", "fn", "fp", "tn"))


@pytest.mark.usefixtures("evaluations")
def test_every_figure_is_explained(visit):
    """What each figure means is one click away."""
    app = visit("evaluation")
    (meanings,) = (box for box in app.expander if box.label == "What each figure means")
    for name in stated(app):
        assert f"**{name}**" in meanings.markdown[0].value


@pytest.mark.parametrize("damage", ["", "{", '{"format": 1, "model": "cnn"}', '{"format": 99}'])
def test_damaged_evaluation_is_a_sentence(visit, say, evaluations, damage):
    """A damaged file is told in a sentence, and the other model is drawn."""
    (evaluations / "cnn.json").write_text(damage)
    app = visit("evaluation")
    assert len(app.warning) == 1
    assert "The evaluation of cnn" in say(app)
    assert "Run python -m cxrmodel evaluate to write it anew." in say(app)
    assert list(app.table[-1].value.columns) == ["Figure", "DenseNet-121"]
    assert not app.exception


def test_figures_of_other_weights_are_refused(visit, say, use, evaluations):
    """Figures that were measured with other weights than those loaded are not shown for them."""
    other = FakeReader()
    other.spec = replace(SPEC, weights_sha256="e" * 64)
    use(other)
    app = visit("evaluation")
    assert "The evaluation of densenet121 is outdated: it belongs to other weights" in say(app)
    assert list(app.table[-1].value.columns) == ["Figure", "plain CNN"]


def test_missing_evaluations(visit, evaluations):
    """Without any evaluation the page draws nothing, and says how to get one."""
    for path in evaluations.glob("*.json"):
        path.unlink()
    app = visit("evaluation")
    assert [warning.value.startswith("There is no evaluation of") for warning in app.warning] == [True, True]
    assert not app.get("vega_lite_chart")
    assert not app.table
    assert not app.exception
