"""An evaluation survives its file, and a file that is missing, damaged or outdated is refused with a sentence."""

import copy
import json

import pytest

from cxrmodel.errors import EvaluationError, MissingWeights
from cxrmodel.evaluation import storage as results


def test_what_was_saved_is_loaded(make_document, make_spec, tmp_path):
    """Every score and figure comes back as it was."""
    document = make_document()
    results.save_evaluation(document, tmp_path / "new" / "folder")
    evaluation = results.load_evaluation("densenet121", tmp_path / "new" / "folder", make_spec())
    for name in ("model", "version", "weights_sha256", "created", "prevalence", "operating_points", "data", "metrics"):
        assert getattr(evaluation, name) == document[name]
    assert evaluation.agreement is None
    scores, rows = evaluation.scores["held_out"], document["scores"]["held_out"]
    assert scores.files == tuple(row["file"] for row in rows)
    assert scores.patients == tuple(row["patient"] for row in rows)
    assert scores.organisms == tuple(row["organism"] for row in rows)
    assert scores.labels.tolist() == [row["label"] for row in rows]
    assert scores.logits.tolist() == [row["logit"] for row in rows]
    assert scores.probabilities.tolist() == [row["probability"] for row in rows]


def test_loaded_scores_are_read_only(make_evaluation):
    """A page cannot change what other sessions see."""
    scores = make_evaluation().scores["test"]
    for array in (scores.labels, scores.logits, scores.probabilities):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


def test_file_is_valid_json_with_an_image_a_line(make_document, tmp_path):
    """The same document gives the same bytes, and a changed image changes one line."""
    document = make_document()
    first = results.save_evaluation(document, tmp_path).read_text(encoding="utf-8")
    assert json.loads(first) == document
    assert results.save_evaluation(document, tmp_path).read_text(encoding="utf-8") == first
    document["scores"]["test"][7]["organism"] = "virus"
    second = results.save_evaluation(document, tmp_path).read_text(encoding="utf-8")
    changed = [line for line in second.splitlines() if line not in first.splitlines()]
    assert len(changed) == 1
    assert json.loads(changed[0].strip().rstrip(",")) == document["scores"]["test"][7]


def test_nothing_but_the_file_is_left(make_document, tmp_path):
    """The draft becomes the file."""
    results.save_evaluation(make_document(), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["densenet121.json"]


def test_a_folder_that_cannot_be_written_is_named(make_document, tmp_path):
    """Here a file stands where the folder should be."""
    blocked = tmp_path / "blocked"
    blocked.write_text("a file")
    with pytest.raises(EvaluationError, match="cannot be written"):
        results.save_evaluation(make_document(), blocked)


def test_missing_file(make_spec, tmp_path):
    """No evaluation yet: the sentence says how to get one."""
    with pytest.raises(EvaluationError, match=r"There is no evaluation of cnn.* Run python -m cxrmodel evaluate"):
        results.load_evaluation("cnn", tmp_path, make_spec(model="cnn"))


def test_missing_model_is_the_models_own_error(tmp_path):
    """Without a specification nobody can say whose the figures are."""
    with pytest.raises(MissingWeights):
        results.load_evaluation("no-such-model", tmp_path)


@pytest.mark.parametrize(
    "text", ["", "{", '{"format": NaN}', "\x00\x01"], ids=["empty", "cut short", "not a number", "no text"]
)
def test_file_that_is_no_json(text, make_spec, tmp_path):
    """Anything but JSON is damaged."""
    (tmp_path / "densenet121.json").write_text(text)
    with pytest.raises(EvaluationError, match="no whole JSON file"):
        results.load_evaluation("densenet121", tmp_path, make_spec())


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


FOLLOW = "The figures of the test split do not follow from its images"
DAMAGE = {
    "a better AUC": (put(0.999, "metrics", "test", "auc", "value"), FOLLOW),
    "a better average precision": (put(0.999, "metrics", "test", "average_precision", "value"), FOLLOW),
    "a better Brier score": (put(0.001, "metrics", "test", "brier", "value"), FOLLOW),
    "a better calibration error": (put(0.001, "metrics", "test", "ece", "value"), FOLLOW),
    "a better sensitivity": (put(1.0, "metrics", "test", "at", "balanced", "recall", "value"), FOLLOW),
    "a rate withheld": (put(None, "metrics", "test", "at", "balanced", "f1", "value"), FOLLOW),
    "an interval backwards": (put(2.0, "metrics", "test", "auc", "low"), "ends below where it begins"),
    "no format": (without("format"), "format None"),
    "older format": (put(0, "format"), "format 0, and this program reads 1"),
    "newer format": (put(2, "format"), "format 2, and this program reads 1"),
    "another model": (put("cnn", "model"), "is one of cnn"),
    **{
        f"no {name}": (without(name), f"'{name}' is missing")
        for name in (
            "version",
            "weights_sha256",
            "created",
            "prevalence",
            "operating_points",
            "data",
            "scores",
            "refused",
            "metrics",
            "bootstrap",
        )
    },
    "no test split": (without("scores", "test"), "'test' is missing"),
    "no logit of an image": (without("scores", "test", 4, "logit"), "'logit' is missing"),
    "no balanced point": (without("operating_points", "balanced"), "'balanced' is missing"),
    "no interval": (without("metrics", "test", "auc", "low"), "'low' is missing"),
    "no figure at a point": (without("metrics", "held_out", "at", "balanced", "f1"), "'f1' is missing"),
    "scores are a word": (put("lost", "scores", "test"), "not of the kind"),
    "a score is a word": (put("high", "scores", "test", 4, "logit"), "not of the kind"),
    "a figure is a word": (put("high", "metrics", "test", "auc", "value"), "not of the kind"),
    "no AUC": (put(None, "metrics", "test", "auc", "value"), "not of the kind"),
    "an image removed": (without("scores", "test", 4), "does not hold as many images"),
    "a refusal uncounted": (put([{"file": "a", "reason": "b"}], "refused", "test"), "does not hold as many images"),
    "a probability out of range": (put(1.5, "scores", "test", 4, "probability"), "outside 0 to 1"),
    "a label out of range": (put(3, "scores", "test", 4, "label"), "Labels must be"),
    "a label altered": (put(1, "scores", "test", 0, "label"), "do not follow from its images"),
    "a count altered": (
        put(0, "metrics", "test", "at", "balanced", "confusion", "tp"),
        "do not follow from its images",
    ),
    "a threshold altered": (put(0.4, "metrics", "test", "at", "balanced", "threshold"), "do not follow"),
    "half an agreement": (put({"images": 3}, "agreement"), "'logit' is missing"),
}


@pytest.mark.parametrize(("change", "words"), DAMAGE.values(), ids=DAMAGE)
def test_damaged_evaluation(change, words, make_document, make_spec, tmp_path):
    """Each damage has a sentence and the remedy; such a document is neither loaded nor saved."""
    document = copy.deepcopy(make_document())
    change(document)
    (tmp_path / "densenet121.json").write_text(json.dumps(document))
    with pytest.raises(EvaluationError, match=words) as caught:
        results.load_evaluation("densenet121", tmp_path, make_spec())
    assert str(caught.value).endswith("Run python -m cxrmodel evaluate to write it anew.")
    if document["model"] == "densenet121":
        with pytest.raises(EvaluationError, match=words):
            results.save_evaluation(document, tmp_path / "new")
        assert not (tmp_path / "new").exists()


def test_a_file_that_changed_is_read_anew(make_document, make_spec, tmp_path):
    """A file is read once, but never shown as it was before."""
    results.save_evaluation(make_document(), tmp_path)
    first = results.load_evaluation("densenet121", tmp_path, make_spec())
    assert results.load_evaluation("densenet121", tmp_path, make_spec()) is first
    results.save_evaluation(make_document() | {"created": "2024-05-07"}, tmp_path)
    assert results.load_evaluation("densenet121", tmp_path, make_spec()).created == "2024-05-07"
    (tmp_path / "densenet121.json").write_text("{")
    with pytest.raises(EvaluationError, match="no whole JSON file"):
        results.load_evaluation("densenet121", tmp_path, make_spec())


@pytest.mark.parametrize("text", ["[]", "3", "null", '"image"'])
def test_json_that_is_no_object(text, make_spec, tmp_path):
    """JSON of another kind is damaged too."""
    (tmp_path / "densenet121.json").write_text(text)
    with pytest.raises(EvaluationError, match="no JSON object"):
        results.load_evaluation("densenet121", tmp_path, make_spec())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"graph_sha256": "ef" * 32},
            "outdated: it was measured with densenet121 abababababab, .* densenet121 efefefefefef",
        ),
        ({"operating_points": {"high_sensitivity": 0.2, "balanced": 0.6, "high_specificity": 0.8}}, "outdated"),
        ({"prevalence": 0.6}, "outdated"),
    ],
    ids=["version", "operating points", "prevalence"],
)
def test_outdated_evaluation(change, words, make_document, make_spec, tmp_path):
    """Figures of another model than the shipped one are never shown."""
    results.save_evaluation(make_document(), tmp_path)
    with pytest.raises(EvaluationError, match=words):
        results.load_evaluation("densenet121", tmp_path, make_spec(**change))
