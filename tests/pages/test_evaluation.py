"""Evaluation, in all its parts and states."""

import json
import re
import shutil
from collections import Counter
from types import SimpleNamespace

import pytest
from scipy.special import logit

from cxrmodel.evaluation import storage as results
from cxrmodel.evaluation.audits.calibration import audit_calibration
from cxrmodel.evaluation.data_flow import training_summaries
from cxrmodel.evaluation.report.charts import reliability_before_after
from cxrmodel.evaluation.report.context import images_summary
from cxrmodel.evaluation.report.small_samples import class_counts, few
from cxrmodel.evaluation.report.verdicts import calibration_verdict
from cxrmodel.evaluation.seeds import MEASURES
from cxrmodel.evaluation.training_record import load_training_record
from cxrmodel.messages import Message
from cxrmodel.web.components.terms import with_interval
from cxrmodel.web.evaluation import data_flow as evaluation_origin
from cxrmodel.web.evaluation import error_images as evaluation_errors
from cxrmodel.web.evaluation import model_card as evaluation_card
from cxrmodel.web.evaluation import selection as evaluation_shown
from cxrmodel.web.evaluation.page import PARTS
from tests.support.made_up_sections import AUDITS, SECTIONS, figures_in
from tests.support.pages import unescaped
from tests.support.stand_ins import SPEC, FakeReader, evaluation_document

pytestmark = pytest.mark.usefixtures("reader")


@pytest.fixture
def part(visit):
    """A function that opens a part of the page."""

    def open_part(name: str):
        app = visit("evaluation")
        app.session_state["evaluation part"] = name
        return app.run()

    return open_part


@pytest.fixture
def with_sections(evaluations):
    """The same evaluations, with every section of others."""
    for model in ("densenet121", "cnn"):
        results.save_evaluation(evaluation_document(model) | {"sections": SECTIONS}, evaluations)
    return evaluations


def stored(folder, model: str = "densenet121") -> dict:
    """An evaluation as it lies on disk."""
    return json.loads((folder / f"{model}.json").read_text())


def table(app, *columns: str):
    """The first table that has these columns."""
    return next(t.value for t in app.table if set(columns) <= set(t.value.columns))


def pick(app, label: str, value: str):
    """Choose in a group of buttons."""
    return next(group for group in app.segmented_control if group.label == label).set_value(value).run()


def test_first_part(visit, say, evaluations):
    """Curves, areas and figures of both models; the other parts wait until they are opened."""
    app = visit("evaluation")
    said = say(app)
    shown = results.load_evaluation("densenet121", evaluations, SPEC)
    assert all(str(message) in said for message in images_summary(shown, "test"))
    assert len(app.get("vega_lite_chart")) == 2
    shown = table(app, "Figure", "DenseNet-121", "Plain CNN")
    auc = stored(evaluations)["metrics"]["test"]["auc"]
    assert shown.iloc[0, 1] == f"{auc['value']:.3f} ({auc['low']:.3f} to {auc['high']:.3f})"
    assert f"Measured: {stored(evaluations)['version']} on 2026-03-04; cnn 0123456789ab on 2026-03-04." in said
    assert "95 % intervals from 50 resamples by patient" in said
    assert "Kermany 2018" in said
    assert "has not been measured for these weights" in said
    assert "The surest errors" not in said
    assert not app.exception


@pytest.mark.usefixtures("evaluations")
@pytest.mark.parametrize("name", PARTS)
def test_every_part_without_sections(part, say, name):
    """Each is drawn, with a sentence where something was not measured, and nothing breaks."""
    app = part(name)
    assert not app.exception
    assert not app.error
    assert [tab.label for tab in app.tabs] == list(PARTS)


@pytest.mark.usefixtures("with_sections")
@pytest.mark.parametrize("name", PARTS)
def test_every_part_with_sections(part, name):
    """Each is drawn."""
    app = part(name)
    assert not app.exception
    assert not app.error
    assert len(app.warning) == 1


def test_what_was_not_measured_is_said(part, say, evaluations):
    """In every place where a section is missing."""
    said = say(part("Where it fails"))
    assert said.count("This has not been measured for these weights.") == 3
    assert "How often the checks before a reading warn and refuse has not been measured" in said
    assert "The methods of explaining have not been tested for these weights." in said


def test_figures_of_every_section_are_shown(part, say, with_sections):
    """Of the audits, to the last interval."""
    app = part("Where it fails")
    said = say(app)
    for number in figures_in([AUDITS["lungs"], AUDITS["subgroups"], AUDITS["adult"]]):
        assert f"{number:.3f}" in said
    assert "of 5 %; change in AUC -0.031 (-0.051 to -0.011)" in said
    assert "by 10 degrees; change in AUC 0.000 (-0.001 to 0.000)" in said
    assert str(Message("documents.note.no_lungs", n=2, images=60)) in said
    assert "Of 169 images of adults 7 were refused. Rows are of the images that were read; only those that say" in said
    called = next(item.value for item in app.table if "Normal (34)" in set(item.value["Images"]))
    assert called.iloc[0].tolist() == ["Normal (34)", "21 (61.8\u00a0%)", "10 (29.4\u00a0%)", "3 (8.8\u00a0%)"]
    assert len(called) == 1
    shares = ["hands (40)", "2 (5.0\u00a0%)", "1 (2.5\u00a0%)", "38 (95.0\u00a0%)"]
    assert list(map(str, table(app, "Pictures").iloc[0])) == shares
    assert list(map(str, table(app, "Pictures").iloc[1])) == ["scene (24)", "0", "0", "24"]
    assert "**hands**: images of hands. Refused by: no lungs 38. Warned by: clipped 1." in said
    said = say(part("Discrimination"))
    for row in AUDITS["shortcuts"]:
        assert f"{row['auc']['value']:.3f} ({row['auc']['low']:.3f} to {row['auc']['high']:.3f})" in said


def test_decision_is_given_to_the_browser(part, evaluations):
    """With the figures of all thresholds, so that no move of the slider comes back."""
    app = part("Decision")
    (component,) = app.get("bidi_component")
    assert component.proto.component_name.endswith("cxrmodel_decision")
    for point, said in (("balanced", "balanced"), ("high_specificity", "high specificity")):
        shown = table(pick(app, "All models at the point", said), "Figure", "DenseNet-121")
        at = stored(evaluations)["metrics"]["test"]["at"][point]["recall"]
        row = shown[shown["Figure"] == "Sensitivity (recall)"]
        assert row["DenseNet-121"].item() == f"{at['value']:.3f} ({at['low']:.3f} to {at['high']:.3f})"


def test_calibration_before_and_after(part, say, evaluations):
    """Both with their figures; the second are the stored ones; another prevalence can be chosen."""
    app = part("Calibration")
    metrics = stored(evaluations)["metrics"]["test"]
    rows = table(app, "Probability")
    assert rows.iloc[1]["Expected calibration error"].startswith(f"{metrics['ece']['value']:.3f} (")
    assert rows.iloc[1]["Brier score"].startswith(f"{metrics['brier']['value']:.3f} (")
    assert "shifted to a prevalence of 20 %" in say(app)
    assert "shifted to a prevalence of 5 %" in say(pick(app, "Prevalence", 0.05))


def test_audited_calibration_stands_beside(part, say, with_sections):
    """What was fitted and measured on different held-out patients, and where the error comes from."""
    app = part("Calibration")
    rows = table(app, "Probability")
    assert list(rows["Probability"][2:]) == [
        "held-out patients, cross-fitted: one slope",
        "held-out patients, cross-fitted: slope and intercept (the kind in use)",
        "test images, told their own prevalence",
        "test images, fitted anew on themselves and cross-fitted, which is never used",
        "test images weighed to 25\u00a0%, and told so",
    ]
    assert rows.iloc[3]["Expected calibration error"] == "0.021 (0.011 to 0.031)"
    assert list(table(app, "Normal images").iloc[0]) == ["official test", "held out", "0.023 (0.013 to 0.033)"]
    assert "Of normal images the median logit is -4.75 on the test and -5.25 held out" in say(app)


def test_every_part_of_the_real_audit_of_calibration_has_its_place(part, say, evaluations):
    """In the shape that the audit writes today."""
    document = stored(evaluations)
    for split in ("test", "held_out"):
        for row in document["scores"][split]:
            row["logit"] = round(logit(row["probability"]), 4)
    results.save_evaluation(document, evaluations)
    found = audit_calibration(results.load_evaluation("densenet121", evaluations, SPEC), SPEC)
    results.save_evaluation(document | {"sections": {"audits": {"calibration": found}}}, evaluations)
    app = part("Calibration")
    rows = table(app, "Probability")
    assert len(rows) == 2 + len(found["methods"]) + 2 + len(found["by_prevalence"])
    for stated in (*found["methods"], found["test_refitted"], *found["by_prevalence"]):
        assert with_interval(stated["ece"]) in set(rows["Expected calibration error"])
    assert len(table(app, "Normal images")) == 4
    assert not app.exception


@pytest.mark.parametrize(
    ("before", "verdicts"), [(1, ["unclear", "unclear"]), (-1, ["better", "better"]), (None, ["unclear", "better"])]
)
def test_calibration_has_a_verdict(part, say, evaluations, before, verdicts):
    """From the figures of the images that are shown: against the same, the reverse, and no opinion at all."""
    document = stored(evaluations)
    for row in document["scores"]["test"]:
        row["logit"] = 0.0 if before is None else round(before * logit(row["probability"]), 4)
    results.save_evaluation(document, evaluations)
    shown = results.load_evaluation("densenet121", evaluations, SPEC)
    messages = calibration_verdict(shown, "test", *reliability_before_after(shown, "test"))
    found = [message.values["verdict"].code.rpartition(".")[2] for message in messages[:-1]]
    assert found == verdicts
    said = say(part("Calibration"))
    assert all(unescaped(str(message)) in said for message in messages)


def test_surest_errors(part, say, evaluations):
    """Those on the wrong side, the surest first; without the images a sentence stands for their pictures."""
    app = part("Where it fails")
    shown = app.dataframe[0].value
    rows = {row["file"]: row for row in stored(evaluations)["scores"]["test"]}
    wrong = [rows[file] for file in shown["Image"]]
    distances = [abs(row["probability"] - row["label"]) for row in wrong]
    assert all((row["probability"] >= 0.45) != row["label"] for row in wrong)
    assert distances == sorted(distances, reverse=True)
    assert "The images themselves are not on this machine" in say(app)


def test_pictures_of_errors(part, evaluations, tmp_path, monkeypatch, demo_image):
    """Where the images are present they are shown on demand, each with its heat."""
    names = part("Where it fails").dataframe[0].value["Image"]
    for name in names[:2]:
        (tmp_path / name).write_bytes(demo_image)
    monkeypatch.setattr(evaluation_errors, "data_root", lambda: tmp_path)
    app = part("Where it fails")
    assert not app.get("image")
    toggle = next(toggle for toggle in app.toggle if toggle.label == "Show the images with their heatmaps")
    app = toggle.set_value(True).run()
    assert len(app.get("image")) == 4
    assert not app.exception


def test_origin(part, say, evaluations):
    """Every station of the images, every hash, and the training that is kept beside the shipped weights."""
    app = part("What it was made from")
    said = say(app)
    assert f"Weights: `{SPEC.weights_sha256}`" in said
    assert "Code and images were not hashed when these figures were made." in said
    labels = [button.label for button in app.get("download_button")]
    assert {"SVG", "The whole evaluation as JSON", "Everything as one HTML file"} <= set(labels)
    trainings = training_summaries(load_training_record("densenet121"))
    assert all(f"{place}. {summary}" in said for place, summary in enumerate(trainings, start=1))
    assert ("a dashed line marks where each begins" in said) == (len(trainings) > 1)


@pytest.mark.usefixtures("evaluations")
def test_the_recipe_in_use_is_marked(part, monkeypatch):
    """By the weights that were evaluated, not by its figures."""
    measured = {"model": "densenet121", "seed": 0} | dict.fromkeys(MEASURES, 0.9)
    better = measured | {"form": "longer", "weights_sha256": "0" * 64} | dict.fromkeys(MEASURES, 0.99)
    runs = [measured | {"form": "shorter", "weights_sha256": SPEC.weights_sha256}, better]
    monkeypatch.setattr(evaluation_origin, "load_seeds", lambda: runs)
    shown = table(part("What it was made from"), "Network", "Sizes and start")
    assert dict(zip(shown["Sizes and start"], shown["Network"], strict=True)) == {
        "shorter": "DenseNet-121, in use",
        "longer": "DenseNet-121",
    }


@pytest.mark.usefixtures("evaluations")
@pytest.mark.parametrize("name", PARTS)
def test_few_images_are_told_above_every_part(part, say, name):
    """The stand-in's normal images are fewer than thirty."""
    (warning,) = part(name).warning
    assert str(class_counts(20, 40, SPEC.labels)[0]) in warning.value


@pytest.mark.usefixtures("with_sections")
def test_a_small_group_is_told_beside_its_figure(part, say):
    """By class, where it stands."""
    said = say(part("Where it fails"))
    counts = class_counts(14, 17, SPEC.labels)
    assert f"<small>{'; '.join(map(str, counts))}</small>" in said
    assert f"<small>{few(*counts)}</small>" in said


@pytest.mark.usefixtures("with_sections")
@pytest.mark.parametrize("name", PARTS)
def test_no_sentence_and_no_heading_twice(part, name):
    """Within one part; cautions and downloads may repeat."""
    app = part(name)
    said = [element.value for kind in ("subheader", "markdown") for element in getattr(app, kind)]
    assert [text for text, count in Counter(said).items() if count > 1] == []


def test_model_card(part, say, evaluations):
    """Made of the evaluations that are shown."""
    said = say(part("Model card"))
    auc = stored(evaluations)["metrics"]["test"]["auc"]
    assert f"{auc['value']:.3f} ({auc['low']:.3f} to {auc['high']:.3f})" in said
    assert "## Out of scope" in said


def test_held_out_patients_flatter(visit, say, evaluations):
    """The other split can be looked at, with the warning that belongs to it and without others' figures."""
    app = visit("evaluation")
    app.selectbox(key="images evaluated").set_value("held_out").run()
    said = say(app)
    assert "so their figures flatter" in said
    assert "Kermany 2018" not in said
    auc = stored(evaluations)["metrics"]["held_out"]["auc"]["value"]
    assert table(app, "Figure").iloc[0, 1].startswith(f"{auc:.3f}")


def test_other_model(part, evaluations):
    """Its own figures are shown."""
    app = pick(part("Where it fails"), "Model", "Plain CNN")
    rows = {row["file"]: row["probability"] for row in stored(evaluations, "cnn")["scores"]["test"]}
    shown = app.dataframe[0].value
    assert list(shown["Probability"]) == pytest.approx([100 * rows[file] for file in shown["Image"]])


@pytest.fixture
def own(tmp_path, monkeypatch, evaluations):
    """An evaluation on a user's own images beside ours."""
    folder = tmp_path / "own"
    document = evaluation_document()
    for name in ("data", "scores", "refused", "metrics"):
        document[name].pop("held_out")
    document["dataset"] = {"name": "Ward 3", "layout": "found in NORMAL and PNEUMONIA", "patients": "Each a patient."}
    results.save_evaluation(document, folder)
    monkeypatch.setattr(evaluation_shown, "own_evaluations", lambda: results.own_evaluations(folder))
    load = results.load_file
    monkeypatch.setattr(
        evaluation_shown,
        "load_file",
        lambda path, model, spec=None: load(path, model, spec or SPEC.replace(model=model)),
    )
    monkeypatch.setattr(evaluation_card, "DOCUMENTS", {"model_card": SimpleNamespace(text=lambda: "# Shipped card")})
    return folder


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize("name", PARTS)
def test_own_images(part, say, name):
    """They stand in the selector beside ours; every part is drawn, and others' figures stay away."""
    app = part(name)
    app.selectbox(key="images evaluated").set_value("own Ward 3").run()
    assert not app.exception
    assert not app.error
    said = say(app)
    assert "Images of your own, found in NORMAL and PNEUMONIA. Each a patient." in said
    assert "Kermany 2018" not in said


def test_own_images_open_on_the_deployed_model(visit, own):
    """As ours do, whichever file comes first by its name."""
    document = stored(own, "Ward 3.densenet121")
    version = document["version"].replace("densenet121", "cnn")
    results.save_evaluation(document | {"model": "cnn", "version": version}, own)
    app = visit("evaluation")
    app.selectbox(key="images evaluated").set_value("own Ward 3").run()
    chooser = next(group for group in app.segmented_control if group.label == "Model")
    assert list(chooser.options) == ["DenseNet-121", "Plain CNN"]
    assert chooser.value == "DenseNet-121"


def test_damaged_own_evaluation(visit, say, own):
    """A sentence, and ours can still be chosen."""
    (own / "Ward 3.densenet121.json").write_text("{")
    app = visit("evaluation")
    app.selectbox(key="images evaluated").set_value("own Ward 3").run()
    assert "The evaluation of densenet121 cannot be read" in say(app)
    assert not app.exception
    app.selectbox(key="images evaluated").set_value("test").run()
    assert len(app.get("vega_lite_chart")) == 2


@pytest.mark.parametrize("damage", ["", "{", '{"format": 1, "model": "cnn"}', '{"format": 99}'])
def test_damaged_evaluation_is_a_sentence(visit, say, evaluations, damage):
    """A damaged file is told in a sentence, and the other model is drawn."""
    (evaluations / "cnn.json").write_text(damage)
    app = visit("evaluation")
    assert "The evaluation of cnn" in app.warning[0].value
    assert len(app.warning) == 2
    assert "Run python -m cxrmodel evaluate to write it anew." in say(app)
    assert list(table(app, "Figure").columns) == ["Figure", "DenseNet-121"]
    assert not app.exception


@pytest.mark.parametrize(
    ("name", "section", "damage"),
    [
        ("Discrimination", "audits", {"shortcuts": [{"name": "a"}]}),
        ("Calibration", "audits", {"calibration": {"methods": [{"name": "a"}]}}),
        ("Where it fails", "audits", {"subgroups": 3}),
        ("Where it fails", "audits", {"lungs": [{"name": "a", "kind": "removed", "images": 9, "auc": None}]}),
        ("Where it fails", "checks", {"sets": [{"name": "a"}]}),
        ("Where it fails", "explanations", {"images": {}}),
        ("Model card", "audits", {"perturbations": "none"}),
    ],
)
def test_damaged_section_is_a_sentence(part, say, evaluations, name, section, damage):
    """The part says so and keeps what it has drawn; the others are drawn whole."""
    results.save_evaluation(evaluation_document() | {"sections": {section: damage}}, evaluations)
    app = part(name)
    assert "A section of the evaluation of densenet121 is damaged" in say(app)
    assert "Run python -m cxrmodel evaluate to write it anew." in say(app)
    assert not app.error
    assert not app.exception
    assert "is damaged" not in say(part("Decision"))


def test_figures_of_other_weights_are_refused(visit, say, use, evaluations):
    """Figures that were measured with other weights than those loaded are not shown for them."""
    other = FakeReader()
    other.spec = SPEC.replace(graph_sha256="e" * 64)
    use(other)
    app = visit("evaluation")
    assert "The evaluation of densenet121 is outdated: it was measured with densenet121 0123456789ab" in say(app)
    assert list(table(app, "Figure").columns) == ["Figure", "Plain CNN"]


def test_missing_evaluations(visit, evaluations):
    """Without any evaluation the page draws nothing, and says how to get one."""
    for path in evaluations.glob("*.json"):
        path.unlink()
    app = visit("evaluation")
    assert [warning.value.startswith("There is no evaluation of") for warning in app.warning] == [True, True]
    assert not app.get("vega_lite_chart")
    assert not app.tabs
    assert not app.exception


@pytest.mark.usefixtures("evaluations")
@pytest.mark.parametrize("name", [name for name in PARTS if name != "Model card"])
def test_terms_and_files_are_a_click_away(part, name):
    """Every part with figures has its terms explained and its numbers to take away."""
    app = part(name)
    labels = {button.label for button in app.get("download_button")}
    assert {"CSV", "JSON"} <= labels
    if name != "What it was made from":
        assert any(re.search(r"\*\*[\w -]+\*\*: ", text.value) for text in app.markdown)


def test_a_copied_evaluation_is_named_by_its_folder(tmp_path):
    """Files that are no evaluation are left alone."""
    (tmp_path / "notes.json").write_text("{}")
    (tmp_path / "x.unknown.json").write_text("{}")
    (tmp_path / "ward.cnn.json").write_text("{}")
    shutil.copy(tmp_path / "ward.cnn.json", tmp_path / "other.densenet121.json")
    assert list(results.own_evaluations(tmp_path)) == ["other", "ward"]
    assert results.own_evaluations(tmp_path / "nowhere") == {}
