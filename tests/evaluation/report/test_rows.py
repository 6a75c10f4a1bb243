"""Rows of figures: groups by hand, the surest errors, published figures, hashes and the images' way."""

import hashlib
import json
import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from cxrmodel.errors import DataError, EvaluationError
from cxrmodel.evaluation.data_flow import flow, flow_rows, hash_rows, training_record
from cxrmodel.evaluation.provenance import code_sha256, images_sha256
from cxrmodel.evaluation.published import published
from cxrmodel.evaluation.report.flow_diagram import flow_svg
from cxrmodel.evaluation.report.rows import auc_rows, confident_errors, signed, stratum_rows, subgroup_rows
from cxrmodel.training.archive import find_images


def test_strata_by_hand(make_evaluation):
    """Shares and counts at the balanced threshold, bounded by their intervals."""
    evaluation = make_evaluation()
    scores = evaluation.scores["test"]
    rows = stratum_rows(evaluation, "test")
    assert [row["name"] for row in rows] == ["Normal", "Bacterial pneumonia"]
    for row, label in zip(rows, (0, 1), strict=True):
        right = (scores.probabilities[scores.labels == label] >= 0.5) == (label == 1)
        assert row["value"] == pytest.approx(right.mean(), abs=1e-5)
        assert row["note"] == f"{right.sum()} of 30 images"
        assert row["low"] <= row["value"] <= row["high"]


def test_strata_are_the_stated_rates(make_evaluation):
    """Normal images called rightly are the specificity, with the same interval."""
    evaluation = make_evaluation()
    normal = stratum_rows(evaluation, "test")[0]
    stated = evaluation.metrics["test"]["at"]["balanced"]["specificity"]
    assert {key: normal[key] for key in stated} == pytest.approx(stated, rel=1e-5)


@pytest.mark.parametrize(
    ("images", "positives", "named"),
    [
        (200, 100, []),
        (60, 30, []),
        (59, 30, ["normal images: 29"]),
        (156, 140, ["normal images: 16"]),
        (40, 11, ["normal images: 29", "images with pneumonia: 11"]),
    ],
)
def test_a_subgroup_of_few_images_says_so(images, positives, named):
    """By class: a large group with few normal images is a small one."""
    figure = {"value": 0.9, "low": 0.8, "high": 0.95}
    (row,) = subgroup_rows({"subgroups": [{"name": "a", "images": images, "positives": positives, "auc": figure}]})
    assert [part in row["few"] for part in named] == [True] * len(named)
    assert bool(row["few"]) == bool(named)
    assert ("normal images" in row["few"]) == any("normal" in part for part in named)


def test_strata_of_few_patients_say_so(make_evaluation):
    """Thirty images of fifteen patients are few."""
    assert [row["few"] for row in stratum_rows(make_evaluation(), "test")] == [
        "Rests on few (patients: 15): take the interval with caution."
    ] * 2


@pytest.mark.parametrize(
    ("value", "said"), [(0.0312, "+0.031"), (-0.0312, "-0.031"), (-0.0004, "0.000"), (0.0, "0.000")]
)
def test_a_change_too_small_to_show_has_no_sign(value, said):
    """Nothing is lost or won."""
    assert signed(value) == said


def test_pneumonia_of_no_known_kind(make_evaluation):
    """A user's own images tell no organism."""
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
    groups = ["This program", "Shortcuts, which see no lung", "Published, same images"]
    assert [row["group"] for row in rows[:3]] == groups
    spread = next(row for row in rows if row["name"].startswith("MedMNIST+, DenseNet-121 at 128"))
    assert (spread["value"], spread["low"]) == (0.9875, None)
    assert "standard deviation of the seeds 0.0023" in spread["note"]


def test_published_figures_have_sources():
    """Each a citation, a DOI and shares in range, of the official test images."""
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


def test_images_way_adds_up(make_evaluation):
    """Nothing is lost between two stations."""
    record = training_record("densenet121")
    boxes = {box.title: int(box.lines[0].split()[0].replace(",", "")) for box in flow(make_evaluation(), record)}
    whole, repeats, kept, learnt, held, test, refused, measured = boxes.values()
    assert whole == repeats + kept
    assert kept == learnt + held
    assert test == refused + measured == 60


def test_images_way_branches_where_images_part(make_evaluation):
    """Learnt and held-out images both come from the training pool, neither from the other; test images from neither."""
    boxes = flow(make_evaluation(), training_record("densenet121"))
    source = {box.title: box.source for box in boxes}
    pool = "Training pool, split by patient"
    assert source["Learnt from"] == source["Held out: calibration and thresholds"] == pool
    assert source[pool] == source["Left out: repeats of another file"] == "Folders train and val of the archive"
    assert source["Folder test of the archive"] == ""
    assert source["Measured on, checks off"] == "Folder test of the archive"
    drawn = re.findall(r'<path data-from="([^"]+)" data-to="([^"]+)"', flow_svg(boxes))
    assert dict(map(reversed, drawn)) == {title: origin for title, origin in source.items() if origin}
    assert {row["Station"]: row["From"] for row in flow_rows(boxes)} == source


def test_a_line_of_the_diagram_ends_at_its_stations(make_evaluation):
    """It starts at the foot of the one and ends at the other's top, or in the middle of its side."""
    boxes = flow(make_evaluation(), training_record("densenet121"))
    root = ElementTree.fromstring(flow_svg(boxes))
    spread = {"rect": [], "path": []}
    for part in root:
        spread.setdefault(part.tag.split("}")[1], []).append(part.attrib)
    frames = {}
    for box, rect in zip(boxes, spread["rect"], strict=True):
        top = int(rect["y"])
        frames[box.title] = (int(rect["x"]), top, top + int(rect["height"]))
    for path in spread["path"]:
        foot, down, side = re.match(r"M\d+ (\d+)V(\d+)(?:H(\d+))?", path["d"]).groups()
        left, top, bottom = frames[path["data-to"]]
        assert int(foot) == frames[path["data-from"]][2]
        if side:
            assert (int(side), int(down)) == (left - 2, (top + bottom) // 2)
        else:
            assert int(down) == top - 2


def test_a_chain_of_trainings(tmp_path):
    """Epochs are counted through; each training is told with where it begins, and those before it may be unknown."""
    record = {
        "before": [
            {
                "recipe": {"stages": [[96, 2]]},
                "init": "none",
                "history": [{"epoch": 1, "loss": 3}, {"epoch": 2, "loss": 2}],
            },
            {"init": "x.keras", "history": []},
        ],
        "recipe": {"stages": [[160, 1]]},
        "init": "y.keras",
        "history": [{"epoch": 1, "loss": 1}],
    }
    (tmp_path / "net.training.json").write_text(json.dumps(record))
    kept = training_record("net", tmp_path)
    assert [(e["epoch"], e["training"], e["loss"]) for e in kept["history"]] == [(1, 1, 3), (2, 1, 2), (3, 3, 1)]
    assert kept["trainings"] == [
        {"first": 1, "words": "96 pixels for 2 epochs, from random weights"},
        {"first": None, "words": "sizes unknown, from the weights of training 1"},
        {"first": 3, "words": "160 pixels for 1 epochs, from the weights of training 2"},
    ]


def test_images_way_without_a_training(make_evaluation):
    """Only the test images' way is known then."""
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
    """Weights always; code and images where they were hashed."""
    evaluation = make_evaluation()
    assert [row["Of"] for row in hash_rows(evaluation)] == ["Weights"]
    known = replace(evaluation, provenance={"code_sha256": "c" * 64, "images_sha256": {"test": "t" * 64}})
    assert [row["Of"] for row in hash_rows(known)] == ["Weights", "Source code that evaluated", "Test images"]


def test_image_hash_follows_content_and_not_order(archive):
    """One byte more, or another label, and it is another set."""
    images = find_images(archive, ("test",))
    first = images_sha256(images)
    assert images_sha256(images[::-1]) == first
    assert images_sha256([replace(images[0], label=1), *images[1:]]) != first
    images[0].path.write_text("1.5#changed")
    assert images_sha256(images) != first
    images[0].path.unlink()
    with pytest.raises(DataError, match="cannot be read"):
        images_sha256(images)


def test_code_hash_follows_every_source_file(tmp_path):
    """Content and name count; other files do not."""
    (tmp_path / "a.py").write_text("x = 1\n")
    first = code_sha256(tmp_path)
    (tmp_path / "notes.txt").write_text("no code")
    assert code_sha256(tmp_path) == first
    (tmp_path / "a.py").rename(tmp_path / "b.py")
    assert code_sha256(tmp_path) != first
    assert len(first) == len(hashlib.sha256().hexdigest())
