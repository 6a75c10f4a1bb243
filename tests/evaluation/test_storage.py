"""An evaluation survives its file, and a file that is missing, damaged or outdated is refused by name."""

import json
from datetime import date

import pytest

from cxrmodel.errors import EvaluationError, MissingWeights, OutputFailed
from cxrmodel.evaluation.storage import earlier_evaluation, load_evaluation, parse_evaluation, save_evaluation, text_of
from cxrmodel.metrics.registry import METRICS, Rate
from cxrmodel.model.spec import Labels
from tests.support.full_disk import disk_with
from tests.support.made_up_sections import SECTIONS


def refused(call, *given) -> str:
    """Code of the refusal of a call."""
    with pytest.raises(EvaluationError) as caught:
        call(*given)
    assert str(caught.value)
    return caught.value.message.code.removeprefix("evaluation.error.")


def test_what_was_saved_is_loaded(make_evaluation, make_spec, tmp_path):
    """Every score and figure comes back as it was."""
    evaluation = make_evaluation()
    save_evaluation(evaluation, tmp_path / "new" / "folder")
    loaded = load_evaluation("densenet121", tmp_path / "new" / "folder", make_spec())
    assert loaded == evaluation
    scores = loaded.splits["held_out"]
    assert scores.labels.tolist() == [image.label for image in scores.images]
    assert scores.logits.tolist() == [image.logit for image in scores.images]
    assert scores.probabilities.tolist() == [image.probability for image in scores.images]
    assert scores.patients == tuple(image.patient for image in scores.images)


def test_file_is_valid_json_with_an_image_a_line(make_evaluation, tmp_path):
    """The same evaluation gives the same bytes, and a changed image changes one line."""
    evaluation = make_evaluation()
    first = save_evaluation(evaluation, tmp_path).read_text(encoding="utf-8")
    assert save_evaluation(evaluation, tmp_path).read_text(encoding="utf-8") == first
    test = evaluation.splits["test"]
    images = (*test.images[:7], test.images[7].replace(organism="virus"), *test.images[8:])
    second = text_of(evaluation.replace(splits=evaluation.splits | {"test": test.replace(images=images)}))
    changed = [line for line in second.splitlines() if line not in first.splitlines()]
    assert [json.loads(line.strip().rstrip(",")) for line in changed] == [images[7].model_dump()]


def test_nothing_but_the_file_is_left(make_evaluation, tmp_path):
    """The draft becomes the file."""
    save_evaluation(make_evaluation(), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["densenet121.json"]


def test_a_folder_that_cannot_be_written_is_named(make_evaluation, tmp_path):
    """Here a file stands where the folder should be."""
    blocked = tmp_path / "blocked"
    blocked.write_text("a file")
    with pytest.raises(OutputFailed) as failed:
        save_evaluation(make_evaluation(), blocked)
    assert failed.value.message.values["file"] == str(blocked / "densenet121.json")


def test_a_full_disk_leaves_the_earlier_evaluation(make_evaluation, tmp_path):
    """And no part of another."""
    path = save_evaluation(make_evaluation(), tmp_path)
    before = path.read_bytes()
    with disk_with(1000), pytest.raises(OutputFailed):
        save_evaluation(make_evaluation(), tmp_path)
    assert [(found.name, found.read_bytes()) for found in tmp_path.iterdir()] == [("densenet121.json", before)]


def test_missing_file(make_spec, tmp_path):
    """No evaluation yet."""
    assert refused(load_evaluation, "cnn", tmp_path, make_spec(model="cnn")) == "missing"


def test_missing_model_is_the_models_own_error(tmp_path):
    """Without a specification the figures belong to no known weights."""
    with pytest.raises(MissingWeights):
        load_evaluation("no-such-model", tmp_path)


@pytest.mark.parametrize(
    "text", ["", "{", "\x00\x01", "[" * 100_000], ids=["empty", "cut short", "no text", "nested too deeply"]
)
def test_file_that_is_no_json(text, make_spec, tmp_path):
    """Anything but JSON is damaged."""
    (tmp_path / "densenet121.json").write_text(text)
    assert refused(load_evaluation, "densenet121", tmp_path, make_spec()) == "not_json"


def without(*keys):
    """A change that removes what the keys lead to."""

    def change(document):
        for key in keys[:-1]:
            document = document[key]
        del document[keys[-1]]

    return change


def put(value, *keys):
    """A change that puts a value where the keys lead."""

    def change(document):
        for key in keys[:-1]:
            document = document[key]
        document[keys[-1]] = value

    return change


TEST = ("splits", "test")
OVERALL = (*TEST, "performance", "overall")
BALANCED = (*TEST, "performance", "at", "balanced")
REFUSAL = {"file": "a", "code": "imaging.empty", "values": {}}
DAMAGE = {
    "a better AUC": (put(0.999, *OVERALL, "auc", "value"), "auc"),
    "a better average precision": (put(0.999, *OVERALL, "average_precision", "value"), "average_precision"),
    "a better Brier score": (put(0.001, *OVERALL, "brier", "value"), "brier"),
    "a better calibration error": (put(0.001, *OVERALL, "ece", "value"), "ece"),
    "a better sensitivity": (put(1.0, *BALANCED, "rates", "sensitivity", "value"), "sensitivity"),
    "a better likelihood ratio": (put(99.0, *BALANCED, "rates", "lr_positive", "value"), "lr_positive"),
    "a rate withheld": (put(None, *BALANCED, "rates", "f1", "value"), "f1"),
    "an interval backwards": (put(2.0, *OVERALL, "auc", "low"), "auc"),
    "half an interval": (put(None, *OVERALL, "auc", "low"), "auc"),
    **{
        f"no {name}": (without(name), name)
        for name in (
            "version",
            "weights_sha256",
            "created",
            "labels",
            "prevalence",
            "operating_points",
            "splits",
            "bootstrap",
        )
    },
    "something unknown": (put(1, "more"), "more"),
    "no test split": (without(*TEST), "splits"),
    "no held-out split": (without("splits", "held_out"), "splits"),
    "no logit of an image": (without(*TEST, "images", 4, "logit"), "images.4.logit"),
    "no balanced point": (without("operating_points", "balanced"), "operating points"),
    "no interval": (without(*OVERALL, "auc", "low"), "auc.low"),
    "no point": (without(*BALANCED), "operating points"),
    "images are a word": (put("lost", *TEST, "images"), "images"),
    "a score is a word": (put("high", *TEST, "images", 4, "logit"), "images.4.logit"),
    "a figure is a word": (put("high", *OVERALL, "auc", "value"), "auc.value"),
    "an image removed": (without(*TEST, "images", 4), "number of images"),
    "a refusal uncounted": (
        put([{"file": "a", "code": "imaging.empty", "values": {}}], *TEST, "refused"),
        "number of images",
    ),
    "a reason without words": (put([REFUSAL | {"code": "b"}], *TEST, "refused"), "refused.0"),
    "a probability out of range": (put(1.5, *TEST, "images", 4, "probability"), "images.4.probability"),
    "a label out of range": (put(3, *TEST, "images", 4, "label"), "images.4.label"),
    "a label altered": (put(1, *TEST, "images", 0, "label"), "test"),
    "a count altered": (put(0, *BALANCED, "confusion", "tp"), "balanced"),
    "a negative count": (put(-1, *BALANCED, "confusion", "tp"), "confusion.tp"),
    "a threshold altered": (put(0.4, *BALANCED, "threshold"), "balanced"),
    "half an agreement": (put({"images": 3}, "agreement"), "agreement"),
    "a confidence level above one": (put(95.0, "bootstrap", "level"), "bootstrap.level"),
    "a negative number of patients": (put(-1, *TEST, "counts", "patients"), "counts.patients"),
    "half a section": (put({"sets": []}, "checks"), "checks"),
}


@pytest.mark.parametrize(("change", "what"), DAMAGE.values(), ids=DAMAGE)
def test_damaged_evaluation(change, what, make_evaluation, make_spec, tmp_path):
    """The refusal names the field."""
    document = json.loads(text_of(make_evaluation()))
    change(document)
    (tmp_path / "densenet121.json").write_text(json.dumps(document))
    with pytest.raises(EvaluationError) as caught:
        load_evaluation("densenet121", tmp_path, make_spec())
    assert caught.value.message.code == "evaluation.error.damaged"
    assert what in caught.value.message.values["what"]


SECTION_DAMAGE = {
    "shortcuts": (put("x", "audits", "shortcuts", 0, "name"), "audits.shortcuts.0.name"),
    "lungs": (put("x", "audits", "lungs", 0, "name"), "audits.lungs.0.name"),
    "perturbations": (put("x", "audits", "perturbations", 1, "name"), "audits.perturbations.1.name"),
    "subgroups": (put("x", "audits", "subgroups", 0, "name"), "audits.subgroups.0.name"),
    "panels": (put("x", "audits", "adults", "panels", 0, "name"), "audits.adults.panels.0.name"),
    "calibration": (put("x", "audits", "calibration", "splits", 0, "split"), "audits.calibration.splits.0.split"),
    "an AUC above one": (put(1.5, "audits", "auc", "high"), "audits.auc"),
    "chosen": (put(1, "audits", "calibration", "choice", "chosen"), "audits.calibration.choice.chosen"),
    "source": (
        put("x", "audits", "calibration", "by_source", 0, "negative"),
        "audits.calibration.by_source.0.negative",
    ),
    "reason": (put([{"name": "adults", "reason": "x"}], "audits", "not_measured"), "audits.not_measured.0.reason"),
    "set": (put("x", "checks", "sets", 0, "name"), "checks.sets.0.name"),
    "no metric": (put({}, "checks", "read_images", "overall"), "checks.read_images"),
    "method": (put("x", "explanations", "methods", 0, "name"), "explanations.methods.0.name"),
    "no method": (put([], "explanations", "methods"), "explanations.methods"),
    "agreement": (put([], "explanations", "agreement"), "explanations.agreement"),
    "agreement of two": (put([[None, 0.5]], "explanations", "agreement"), "explanations"),
    "no stage": (put([], "explanations", "methods", 0, "randomisation", "spearman"), "explanations"),
}


@pytest.mark.parametrize(("change", "field"), SECTION_DAMAGE.values(), ids=SECTION_DAMAGE)
def test_damaged_section(change, field, make_evaluation):
    """An unknown name or a missing row is refused with its field, before anything is drawn."""
    document = json.loads(text_of(make_evaluation(**SECTIONS)))
    change(document)
    with pytest.raises(EvaluationError) as caught:
        parse_evaluation(json.dumps(document).encode(), "densenet121")
    assert caught.value.message.values["what"].startswith(f"{field}: ")


@pytest.mark.parametrize(
    ("change", "found"),
    [(without("format"), "None"), (put(1, "format"), "1"), (put(3, "format"), "3")],
    ids=["no format", "older", "newer"],
)
def test_another_format(change, found, make_evaluation):
    """Both formats are named."""
    document = json.loads(text_of(make_evaluation()))
    change(document)
    with pytest.raises(EvaluationError) as caught:
        parse_evaluation(json.dumps(document).encode(), "densenet121")
    assert caught.value.message.values == {"model": "densenet121", "found": found, "expected": 2}


def test_metrics_that_a_file_lacks_are_computed_from_its_scores(make_evaluation):
    """A new metric needs no new measurement, and one that was removed goes."""
    evaluation = make_evaluation()
    document = json.loads(text_of(evaluation))
    without(*OVERALL, "auc")(document)
    without(*BALANCED, "rates", "f1")(document)
    put(document["splits"]["test"]["performance"]["overall"]["ece"], *OVERALL, "removed")(document)
    assert parse_evaluation(json.dumps(document).encode(), "densenet121") == evaluation
    with METRICS.extended(Rate("toy", measure=lambda counts: counts.tp * 0 + 0.125)):
        found = parse_evaluation(text_of(evaluation).encode(), "densenet121")
        assert found.splits["test"].performance.at["balanced"].rates["toy"].value == 0.125


def test_another_model(make_evaluation):
    """A file under a wrong name."""
    assert refused(parse_evaluation, text_of(make_evaluation("cnn")).encode(), "densenet121") == "other_model"


@pytest.mark.parametrize("text", ["[]", "3", "null", '"image"'])
def test_json_that_is_no_object(text):
    """JSON of another kind has no format."""
    assert refused(parse_evaluation, text.encode(), "densenet121") == "format"


def test_a_file_that_changed_is_read_again(make_evaluation, make_spec, tmp_path):
    """A file is read once, but never shown as it was before."""
    save_evaluation(make_evaluation(), tmp_path)
    first = load_evaluation("densenet121", tmp_path, make_spec())
    assert load_evaluation("densenet121", tmp_path, make_spec()) is first
    save_evaluation(make_evaluation(created=date(2024, 5, 7)), tmp_path)
    assert load_evaluation("densenet121", tmp_path, make_spec()).created == date(2024, 5, 7)
    (tmp_path / "densenet121.json").write_text("{")
    assert refused(load_evaluation, "densenet121", tmp_path, make_spec()) == "not_json"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"version": "densenet121 other"}, "version"),
        (
            {"operating_points": {"high_sensitivity": 0.2, "balanced": 0.6, "high_specificity": 0.8}},
            "operating_points",
        ),
        ({"prevalence": 0.6}, "operating_points"),
        ({"labels": Labels(positive="nodule", negative="normal")}, "labels"),
    ],
    ids=["version", "operating points", "prevalence", "labels"],
)
def test_outdated_evaluation(change, code, make_evaluation, make_spec, tmp_path):
    """Figures of another model than the shipped one are never shown."""
    save_evaluation(make_evaluation(), tmp_path)
    assert refused(load_evaluation, "densenet121", tmp_path, make_spec(**change)) == code


def test_only_an_earlier_evaluation_of_the_same_version_is_kept(make_evaluation, tmp_path):
    """Another version, a damaged file and none at all give nothing."""
    evaluation = make_evaluation()
    assert earlier_evaluation("densenet121", evaluation.version, tmp_path) is None
    path = save_evaluation(evaluation, tmp_path)
    assert earlier_evaluation("densenet121", evaluation.version, tmp_path) == evaluation
    assert earlier_evaluation("densenet121", "densenet121 000000000000", tmp_path) is None
    path.write_text("{")
    assert earlier_evaluation("densenet121", evaluation.version, tmp_path) is None
