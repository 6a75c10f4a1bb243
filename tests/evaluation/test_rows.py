"""Rows of figures: groups by hand, the surest errors, published figures, hashes and the films' way."""

import hashlib
import json
from dataclasses import replace

import pytest

from cxrmodel.errors import DataError, EvaluationError
from cxrmodel.evaluation.origin import flow, flow_rows, flow_svg, hash_rows, training_record
from cxrmodel.evaluation.provenance import code_sha256, films_sha256
from cxrmodel.evaluation.published import published
from cxrmodel.evaluation.rows import auc_rows, confident_errors, stratum_rows
from cxrmodel.training.dataset import find_films


def test_strata_by_hand(make_evaluation):
    """Shares and counts at the balanced threshold, bounded by their intervals."""
    evaluation = make_evaluation()
    scores = evaluation.scores["test"]
    rows = stratum_rows(evaluation, "test")
    assert [row["name"] for row in rows] == ["Normal", "Bacterial pneumonia"]
    for row, label in zip(rows, (0, 1), strict=True):
        right = (scores.probabilities[scores.labels == label] >= 0.5) == (label == 1)
        assert row["value"] == pytest.approx(right.mean(), abs=1e-5)
        assert row["note"] == f"{right.sum()} of 30 films"
        assert row["low"] <= row["value"] <= row["high"]


def test_strata_are_the_stated_rates(make_evaluation):
    """Normal films called rightly are the specificity, with the same interval."""
    evaluation = make_evaluation()
    normal = stratum_rows(evaluation, "test")[0]
    stated = evaluation.metrics["test"]["at"]["balanced"]["specificity"]
    assert {key: normal[key] for key in stated} == pytest.approx(stated, rel=1e-5)


def test_pneumonia_of_no_known_kind(make_evaluation):
    """A user's own films tell no organism."""
    evaluation = make_evaluation()
    scores = replace(evaluation.scores["test"], organisms=("",) * 60)
    rows = stratum_rows(replace(evaluation, scores={"test": scores}), "test")
    assert [row["name"] for row in rows] == ["Normal", "Pneumonia"]


def test_surest_errors_come_first(make_evaluation):
    """Only errors, all of them within the number asked for."""
    evaluation = make_evaluation(centre=0.3)
    counts = evaluation.metrics["test"]["at"]["balanced"]["confusion"]
    errors = confident_errors(evaluation, "test", 100)
    assert len(errors) == counts["fp"] + counts["fn"]
    distances = [row["probability"] if row["label"] == "normal" else 1 - row["probability"] for row in errors]
    assert distances == sorted(distances, reverse=True)
    assert confident_errors(evaluation, "test", 3) == errors[:3]


def test_areas_stand_together(make_evaluation):
    """Ours, shortcuts and published ones, each under its group; the spread of seeds is told, not drawn."""
    size = {"name": "size", "description": "of the file", "auc": {"value": 0.6, "low": 0.5, "high": 0.7}}
    rows = auc_rows({"one": make_evaluation()}, "test", {"shortcuts": [size]}, published())
    groups = ["This program", "Shortcuts, which see no lung", "Published, same films"]
    assert [row["group"] for row in rows[:3]] == groups
    spread = next(row for row in rows if row["name"].startswith("MedMNIST+, DenseNet-121 at 128"))
    assert (spread["value"], spread["low"]) == (0.9875, None)
    assert "standard deviation of the seeds 0.0023" in spread["note"]


def test_published_figures_have_sources():
    """Each a citation, a DOI and shares in range, of the official test films."""
    rows = published()
    assert len(rows) == 6
    for row in rows:
        assert row["doi"].startswith("10.")
        assert row["citation"].rstrip(".")[-1].isdigit()
        assert 0.5 < row["auc"] <= 1
        assert 0.5 < row["accuracy"] <= 1


@pytest.mark.parametrize(
    "text",
    [None, "", "{", json.dumps({"figures": [{"source": "x"}], "sources": {}})],
)
def test_damaged_published_figures(text, tmp_path):
    """A sentence."""
    path = tmp_path / "published.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(EvaluationError, match="cannot be read, so none is shown"):
        published(path)


def test_films_way_adds_up(make_evaluation):
    """Nothing is lost between two stations."""
    record = training_record("densenet121")
    boxes = {box.title: int(box.lines[0].split()[0].replace(",", "")) for box in flow(make_evaluation(), record)}
    whole, repeats, kept, learnt, held, test, refused, measured = boxes.values()
    assert whole == repeats + kept
    assert kept == learnt + held
    assert test == refused + measured == 60


def test_films_way_without_a_training(make_evaluation):
    """Only the test films' way is known then."""
    assert training_record("no-such-model") == {}
    assert [box.lane for box in flow(make_evaluation(), {})] == ["test"] * 3


def test_diagram_is_an_svg_with_every_count(make_evaluation):
    """And escapes what a user named."""
    dataset = {"name": "a<b", "layout": "", "patients": ""}
    boxes = flow(replace(make_evaluation(), dataset=dataset), training_record("cnn"))
    svg = flow_svg(boxes)
    assert svg.startswith("<svg xmlns=")
    assert "a&lt;b" in svg
    for row in flow_rows(boxes):
        for line in row["Count"].split("; "):
            assert line in svg


def test_hashes_are_listed(make_evaluation):
    """Weights always; code and films where they were hashed."""
    evaluation = make_evaluation()
    assert [row["Of"] for row in hash_rows(evaluation)] == ["Weights"]
    known = replace(evaluation, provenance={"code_sha256": "c" * 64, "films_sha256": {"test": "t" * 64}})
    assert [row["Of"] for row in hash_rows(known)] == ["Weights", "Source code that evaluated", "Test films"]


def test_film_hash_follows_content_and_not_order(archive):
    """One byte more, or another label, and it is another set."""
    films = find_films(archive, ("test",))
    first = films_sha256(films)
    assert films_sha256(films[::-1]) == first
    assert films_sha256([replace(films[0], label=1), *films[1:]]) != first
    films[0].path.write_text("1.5#changed")
    assert films_sha256(films) != first
    films[0].path.unlink()
    with pytest.raises(DataError, match="cannot be read"):
        films_sha256(films)


def test_code_hash_follows_every_source_file(tmp_path):
    """Content and name count; other files do not."""
    (tmp_path / "a.py").write_text("x = 1\n")
    first = code_sha256(tmp_path)
    (tmp_path / "notes.txt").write_text("no code")
    assert code_sha256(tmp_path) == first
    (tmp_path / "a.py").rename(tmp_path / "b.py")
    assert code_sha256(tmp_path) != first
    assert len(first) == len(hashlib.sha256().hexdigest())
