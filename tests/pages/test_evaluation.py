"""The Evaluation page, in all its parts and states."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import logit

from cxrmodel.errors import EvaluationError
from cxrmodel.evaluation import storage
from cxrmodel.evaluation.audits.calibration import audit_calibration
from cxrmodel.evaluation.documents import DOCUMENTS
from cxrmodel.evaluation.published import published
from cxrmodel.evaluation.report.charts import reliability_before_after
from cxrmodel.evaluation.report.context import images_summary
from cxrmodel.evaluation.schema import Dataset
from cxrmodel.evaluation.seeds import MEASURES, SeedRun, TrainingForm
from cxrmodel.messages import catalogue
from cxrmodel.metrics import formatting
from cxrmodel.metrics.calibration import brier
from cxrmodel.metrics.rates import accuracy
from cxrmodel.metrics.registry import METRICS, Rate, ScoreMetric
from cxrmodel.models import MODELS
from cxrmodel.prevalence import EVEN_ODDS, prevalence_words
from cxrmodel.training.record import shipped_training_record
from cxrmodel.web.evaluation import cache, data_flow, error_images, selection
from cxrmodel.web.evaluation.page import PARTS, TAB
from tests.support.made_up_sections import AUDITS, CHOICE, SECTIONS
from tests.support.pages import unescaped, words
from tests.support.stand_ins import SPEC, FakeReader, made_up_evaluation, spec_of

pytestmark = pytest.mark.usefixtures("reader")
NOT_MEASURED = words("web.evaluation.not_measured")


@pytest.fixture
def part(visit):
    """A function that opens a part of the page."""

    def open_part(name: str):
        app = visit("evaluation")
        app.session_state[TAB] = words(f"web.evaluation.part.{name}")
        return app.run()

    return open_part


@pytest.fixture
def with_sections(evaluations):
    """The same evaluations, with every section of others."""
    for model in ("densenet121", "cnn"):
        storage.save_evaluation(made_up_evaluation(model, **SECTIONS), evaluations)
    return evaluations


def stored(folder, model: str = "densenet121"):
    """A stored evaluation, loaded."""
    return storage.load_evaluation(model, folder, spec_of(model))


def table(app, *columns: str):
    """The first table that has these columns."""
    return next(t.value for t in app.table if set(columns) <= set(t.value.columns))


def pick(app, label: str, value: object):
    """Choose in a group of buttons."""
    return next(group for group in app.segmented_control if group.label == label).set_value(value).run()


def test_first_part(visit, text_of, evaluations):
    """Curves, areas and metrics of both models; the other parts wait until they are opened."""
    app = visit("evaluation")
    shown, evaluation = text_of(app), stored(evaluations)
    for message in images_summary(evaluation, "test"):
        assert unescaped(str(message)) in shown
    assert len(app.get("image")) == 2
    for name in ("auc", "ece"):
        low, high = map(formatting.number, evaluation.splits["test"].performance.overall[name].interval)
        assert f"{METRICS[name].title}" in shown
        assert f"{low} to {high}" in shown
    metrics = table(app, "DenseNet-121", "Plain CNN")
    measured = evaluation.splits["test"].performance.overall
    written = [formatting.estimate(figure, METRICS[name].digits) for name, figure in measured.items()]
    assert list(metrics["DenseNet-121"]) == written
    assert all(figure.short in shown for figure in published())
    assert NOT_MEASURED in shown
    assert words("web.failures.errors") not in shown
    assert not app.exception


@pytest.mark.usefixtures("evaluations")
@pytest.mark.parametrize("name", PARTS)
def test_every_part_without_sections(part, name):
    """Each is drawn, and nothing breaks."""
    app = part(name)
    assert not app.exception
    assert not app.error
    assert [tab.label for tab in app.tabs] == [words(f"web.evaluation.part.{name}") for name in PARTS]


@pytest.mark.usefixtures("with_sections")
@pytest.mark.parametrize("name", PARTS)
def test_every_part_with_sections(part, name):
    """Each is drawn; the small test set has its caveat once, above all parts; no sentence and no heading comes twice.

    Within one part; caveats, downloads and what was not measured may repeat.
    """
    app = part(name)
    assert not app.exception
    assert not app.error
    assert len(app.warning) == 1
    shown = [element.value for kind in ("subheader", "markdown") for element in getattr(app, kind)]
    repeated = [text for text, count in Counter(shown).items() if count > 1]
    assert [text for text in repeated if text != NOT_MEASURED] == []


@pytest.mark.usefixtures("evaluations")
def test_what_was_not_measured_is_stated(part, text_of):
    """In every place where a section is missing."""
    assert text_of(part("failures")).count(NOT_MEASURED) == 5
    assert text_of(part("discrimination")).count(NOT_MEASURED) == 1


def test_decision_is_given_to_the_browser(part, evaluations):
    """With the figures of all thresholds, so that no move of the slider comes back."""
    app = part("decision")
    names = [component.proto.component_name for component in app.get("bidi_component")]
    assert sum(name.endswith("cxrmodel_decision") for name in names) == 1
    for point in ("balanced", "high_specificity"):
        shown = table(pick(app, words("web.decision.point"), point), "DenseNet-121")
        stored_rate = stored(evaluations).splits["test"].performance.at[point].rates["sensitivity"]
        row = shown[shown[words("web.decision.figure")] == str(METRICS["sensitivity"].title)]
        assert row["DenseNet-121"].item() == formatting.estimate(stored_rate)


def test_calibration_before_and_after(part, text_of, evaluations):
    """Both with their figures at the prevalence of the images; another prevalence can be chosen."""
    app = part("calibration")
    rows = table(app, words("web.calibration.probability"))
    for row, diagram in enumerate(reliability_before_after(stored(evaluations), "test")):
        for name in ("ece", "brier"):
            assert rows.iloc[row][str(METRICS[name].title)] == formatting.estimate(getattr(diagram, name))
    charts = len(app.get("vega_lite_chart"))
    before = text_of(app)
    app = pick(app, words("web.calibration.prevalence_choice"), 0.05)
    assert len(app.get("vega_lite_chart")) == charts == 3
    assert text_of(app) != before


def test_every_part_of_the_audit_of_calibration_has_its_row(part, evaluations):
    """In the shape that the audit writes today."""
    evaluation = made_up_evaluation()
    for name, split in evaluation.splits.items():
        images = [image.model_copy(update={"logit": float(logit(image.probability))}) for image in split.images]
        evaluation.splits[name] = split.model_copy(update={"images": tuple(images)})
    found = audit_calibration(evaluation, SPEC, CHOICE)
    audits = AUDITS.model_copy(update={"calibration": found})
    storage.save_evaluation(evaluation.model_copy(update={"audits": audits}), evaluations)
    app = part("calibration")
    rows = table(app, words("web.calibration.probability"))
    assert len(rows) == 2 + len(found.splits) + len(found.by_prevalence)
    candidates = table(app, words("web.calibration.choice_method"))
    assert list(candidates[words("web.calibration.choice_loss")]) == ["0.1513", "0.1724"]
    assert len(table(app, words("web.calibration.choice_kind"))) == 2
    assert not app.exception


def test_confident_errors(part, text_of, evaluations):
    """Those on the wrong side, the most confident first; a sentence replaces images that are not there."""
    app = part("failures")
    shown, scores = app.dataframe[0].value, stored(evaluations).splits["test"]
    place = [scores.files.index(file) for file in shown[words("web.failures.errors_image")]]
    probabilities, labels = scores.probabilities[place], scores.labels[place]
    assert ((probabilities >= 0.45) != labels).all()
    assert (np.diff(abs(probabilities - labels)) <= 0).all()
    assert words("web.error_images.missing") in text_of(app)


def test_images_of_errors(part, evaluations, tmp_path, monkeypatch, demo_image):
    """Where the images are present they are shown on demand, each with its heatmap."""
    names = part("failures").dataframe[0].value[words("web.failures.errors_image")]
    for name in names[:2]:
        (tmp_path / name).write_bytes(demo_image)
    monkeypatch.setattr(error_images, "data_root", lambda: tmp_path)
    app = part("failures")
    assert not app.get("image")
    toggle = next(toggle for toggle in app.toggle if toggle.label == words("web.error_images.show"))
    app = toggle.set_value(True).run()
    assert len(app.get("image")) == 4
    assert not app.exception


def test_findings_are_counted_by_label(part, evaluations):
    """Counts of each finding in each stratum, and of the uncertain band."""
    app, evaluation = part("failures"), stored(evaluations)
    shown = table(app, words("web.failures.finding", finding="uncertain"))
    scores = evaluation.splits["test"]
    counts = Counter(scores.findings(evaluation.operating_points, evaluation.labels).tolist())
    for finding, count in counts.items():
        column = shown[words("web.failures.finding", finding=finding)]
        assert sum(int(cell.split()[0]) for cell in column) == count


def test_data_flow(part, text_of, evaluations):
    """Every hash, the files, and the training that is kept beside the shipped weights."""
    app = part("data_flow")
    shown = text_of(app)
    assert f"`{SPEC.weights_sha256}`" in shown
    assert words("web.data_flow.not_hashed") in shown
    labels = [button.label for button in app.get("download_button")]
    assert {"SVG", words("web.data_flow.json"), words("web.data_flow.html")} <= set(labels)
    record = shipped_training_record("densenet121")
    assert len(app.get("vega_lite_chart")) == 2
    assert (words("web.data_flow.starts", count=len(record.runs)) in shown) == (len(record.runs) > 1)


@pytest.mark.usefixtures("evaluations")
def test_the_recipe_in_use_is_marked(part, monkeypatch):
    """By the weights that were evaluated, not by its figures."""
    forms = {length: (TrainingForm(stages=((96, length),)),) for length in (4, 8)}
    measured = {"model": "densenet121", "init": "none", "seed": 0} | dict.fromkeys(MEASURES, 0.9)
    shorter = SeedRun(**measured, trainings=forms[4], weights_sha256=SPEC.weights_sha256)
    better = SeedRun(**measured | dict.fromkeys(MEASURES, 0.99), trainings=forms[8], weights_sha256="0" * 64)
    monkeypatch.setattr(data_flow, "load_seeds", lambda: (shorter, better))
    network, form = words("web.data_flow.network"), words("web.data_flow.form")
    shown = table(part("data_flow"), network, form)
    assert dict(zip(shown[form], shown[network], strict=True)) == {
        str(shorter.form): words("web.data_flow.in_use", title="DenseNet-121"),
        str(better.form): "DenseNet-121",
    }


def test_model_card(part, text_of, evaluations):
    """Made of the evaluations that are shown."""
    auc = stored(evaluations).splits["test"].performance.overall["auc"]
    assert formatting.estimate(auc) in text_of(part("model_card"))


def test_held_out_patients_are_optimistic(visit, text_of, evaluations):
    """The other split can be looked at, with its note and without the figures of others."""
    app = visit("evaluation")
    app.selectbox(key="images evaluated").set_value("held_out").run()
    shown = text_of(app)
    assert words("web.evaluation.held_out_note") in shown
    assert not any(figure.short in shown for figure in published())
    auc = stored(evaluations).splits["held_out"].performance.overall["auc"]
    assert formatting.estimate(auc) in set(table(app, "DenseNet-121")["DenseNet-121"])


def test_other_model(part, evaluations):
    """Its own errors are shown."""
    app = pick(part("failures"), words("web.evaluation.model"), "Plain CNN")
    scores = stored(evaluations, "cnn").splits["test"]
    probabilities = dict(zip(scores.files, scores.probabilities, strict=True))
    shown = app.dataframe[0].value
    expected = [100 * probabilities[file] for file in shown[words("web.failures.errors_image")]]
    assert list(
        shown[words("web.failures.errors_probability", prevalence=prevalence_words(EVEN_ODDS))]
    ) == pytest.approx(expected)


def own_evaluation(model: str = "densenet121"):
    """An evaluation of a user's own images."""
    evaluation = made_up_evaluation(model)
    dataset = Dataset(name="Ward 3", folder=".", named=12)
    return evaluation.model_copy(update={"dataset": dataset, "splits": {"test": evaluation.splits["test"]}})


@pytest.fixture
def own(tmp_path, monkeypatch, evaluations):
    """An evaluation on a user's own images beside ours."""
    folder = tmp_path / "own"
    storage.save_evaluation(own_evaluation(), folder)
    monkeypatch.setattr(selection, "own_evaluations", lambda: storage.own_evaluations(folder))
    load = storage.load_file
    monkeypatch.setattr(
        selection, "load_file", lambda path, model, spec=None: load(path, model, spec or spec_of(model))
    )
    return folder


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize("name", PARTS)
def test_own_images(part, text_of, name):
    """They stand in the selector beside ours; every part is drawn, and the figures of others stay away."""
    app = part(name)
    app.selectbox(key="images evaluated").set_value("own Ward 3").run()
    assert not app.exception
    assert not app.error
    assert len(app.info) == (2 if name == "model_card" else 1)
    assert name == "model_card" or not any(figure.short in text_of(app) for figure in published())


def test_own_images_open_on_the_deployed_model(visit, own):
    """As ours do, whichever file comes first by its name."""
    storage.save_evaluation(own_evaluation("cnn"), own)
    app = visit("evaluation")
    app.selectbox(key="images evaluated").set_value("own Ward 3").run()
    chooser = next(group for group in app.segmented_control if group.label == words("web.evaluation.model"))
    assert list(chooser.options) == ["DenseNet-121", "Plain CNN"]
    assert chooser.value == "DenseNet-121"


def reason(folder, model: str) -> str:
    """Why an evaluation is refused, as the page shows it."""
    with pytest.raises(EvaluationError) as error:
        stored(folder, model)
    return unescaped(str(error.value))


def test_damaged_own_evaluation(visit, text_of, own):
    """A sentence, and ours can still be chosen."""
    (own / "Ward 3.densenet121.json").write_text("{")
    app = visit("evaluation")
    app.selectbox(key="images evaluated").set_value("own Ward 3").run()
    assert len(app.warning) == 1
    assert not app.exception
    app.selectbox(key="images evaluated").set_value("test").run()
    assert len(app.get("image")) == 2


@pytest.mark.parametrize("damage", ["", "{", '{"format": 1, "model": "cnn"}', '{"format": 99}'])
def test_damaged_evaluation_is_a_sentence(visit, text_of, evaluations, damage):
    """A damaged file is reported by the schema, and the other model is drawn."""
    (evaluations / "cnn.json").write_text(damage)
    app = visit("evaluation")
    assert reason(evaluations, "cnn") in text_of(app)
    assert "Plain CNN" not in table(app, "DenseNet-121").columns
    assert not app.exception


@pytest.mark.usefixtures("evaluations")
def test_a_bug_is_not_reported_as_damage(part, text_of, monkeypatch, caplog):
    """A KeyError in drawing is an unexpected error with a reference number."""

    def broken(shown):
        raise KeyError("auc")

    monkeypatch.setitem(PARTS, "decision", broken)
    app = part("decision")
    (error,) = app.error
    assert "KeyError" in caplog.text
    start = words("web.shell.page_failed", reference="|").partition("|")[0]
    assert error.value.startswith(start)
    assert len(app.warning) == 1


def test_figures_of_other_weights_are_refused(visit, text_of, use, evaluations):
    """Figures that were measured with other weights than those loaded are not shown for them."""
    other = FakeReader()
    other.spec = SPEC.model_copy(update={"version": "densenet121 other"})
    use(other)
    app = visit("evaluation")
    with pytest.raises(EvaluationError) as error:
        storage.load_evaluation("densenet121", evaluations, other.spec)
    assert unescaped(str(error.value)) in text_of(app)
    assert "DenseNet-121" not in table(app, "Plain CNN").columns


def test_missing_evaluations(visit, evaluations):
    """Without any evaluation the page draws nothing, and explains how to get one."""
    for path in evaluations.glob("*.json"):
        path.unlink()
    app = visit("evaluation")
    assert [unescaped(warning.value) for warning in app.warning] == [reason(evaluations, m) for m in MODELS.names]
    assert not app.get("vega_lite_chart")
    assert not app.tabs
    assert not app.exception


@pytest.mark.usefixtures("evaluations")
@pytest.mark.parametrize("name", [name for name in PARTS if name != "model_card"])
def test_files_are_a_click_away(part, name):
    """Every part with figures offers its numbers."""
    labels = {button.label for button in part(name).get("download_button")}
    assert {"CSV", "JSON"} <= labels


@pytest.fixture
def toy_texts(monkeypatch):
    """Texts of a toy metric."""
    monkeypatch.setitem(catalogue().texts, "metrics.title.toy", "Toy metric")
    monkeypatch.setitem(catalogue().texts, "metrics.meaning.toy", "What it measures.")
    cache.threshold_table.clear()
    yield
    cache.threshold_table.clear()


@pytest.mark.usefixtures("toy_texts")
@pytest.mark.parametrize(
    ("name", "metric"),
    [("discrimination", ScoreMetric("toy", measure=brier)), ("decision", Rate("toy", measure=accuracy))],
)
def test_a_registered_metric_is_on_the_page(part, evaluations, name, metric):
    """In the table of its kind, with its value for each model."""
    twin = {"discrimination": "brier", "decision": "accuracy"}[name]
    with METRICS.extended(metric):
        for model in MODELS.names:
            storage.save_evaluation(made_up_evaluation(model), evaluations)
        shown = table(part(name), "DenseNet-121")
    by_title = shown.set_index(shown.columns[0])
    assert by_title.loc["Toy metric"].tolist() == by_title.loc[str(METRICS[twin].title)].tolist()


def test_a_registered_model_is_on_the_page(visit, evaluations):
    """With its title, third among the models."""
    entry = replace(MODELS["cnn"], name="toy", title="Toy network")
    with MODELS.extended(entry):
        storage.save_evaluation(made_up_evaluation("toy"), evaluations)
        app = visit("evaluation")
    chooser = next(group for group in app.segmented_control if group.label == words("web.evaluation.model"))
    assert list(chooser.options) == ["DenseNet-121", "Plain CNN", "Toy network"]
    assert "Toy network" in table(app, "DenseNet-121").columns
    assert not app.error
    assert not app.exception


def test_the_shipped_card_is_shown_for_own_images(part, own):
    """As it stands in the repository."""
    app = part("model_card")
    app.selectbox(key="images evaluated").set_value("own Ward 3").run()
    assert DOCUMENTS["model_card"].written().strip() in [element.value for element in app.markdown]
    assert [info.value for info in app.info][-1] == words("web.model_card.shipped")
