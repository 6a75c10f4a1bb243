"""The data flow adds up, branches where images are split, and the diagram shows the listed stations."""

import re
from xml.etree import ElementTree

import pytest

from cxrmodel.evaluation.data_flow import flow, hashes, training_summaries
from cxrmodel.evaluation.report.charts import training_history
from cxrmodel.evaluation.report.flow_diagram import flow_svg
from cxrmodel.evaluation.schema import Dataset, Provenance
from cxrmodel.training.record import TrainingRun, shipped_training_record


@pytest.fixture(scope="module")
def record():
    """The shipped training record."""
    return shipped_training_record("densenet121")


def count(station) -> int:
    """Images of a station."""
    first = station.lines[0].values
    return first.get("n", first.get("images"))


def test_no_image_is_lost(make_evaluation, record):
    """Between two stations."""
    images = {station.name: count(station) for station in flow(make_evaluation(), record)}
    assert images["archive"] == images["repeats"] + images["pool"]
    assert images["pool"] == images["training_set"] + images["held_out"]
    assert images["test_folder"] == images["not_scored"] + images["evaluated"] == 60


def test_stations_branch_where_images_are_split(make_evaluation, record):
    """Training set and held-out images both come from the pool; test images come from neither."""
    stations = flow(make_evaluation(), record)
    source = {station.name: station.source for station in stations}
    assert source["training_set"] == source["held_out"] == "pool"
    assert source["pool"] == source["repeats"] == "archive"
    assert source["test_folder"] == source["archive"] == ""
    drawn = re.findall(r'<path data-from="([^"]+)" data-to="([^"]+)"', flow_svg(stations))
    assert dict(map(reversed, drawn)) == {name: origin for name, origin in source.items() if origin}


def test_a_line_of_the_diagram_ends_at_its_stations(make_evaluation, record):
    """It starts at the foot of one and ends at the other's top, or in the middle of its side."""
    stations = flow(make_evaluation(), record)
    parts = {"rect": [], "path": []}
    for part in ElementTree.fromstring(flow_svg(stations)):
        parts.setdefault(part.tag.split("}")[1], []).append(part.attrib)
    frames = {}
    for station, rect in zip(stations, parts["rect"], strict=True):
        top = int(rect["y"])
        frames[station.name] = (int(rect["x"]), top, top + int(rect["height"]))
    for path in parts["path"]:
        foot, down, side = re.match(r"M\d+ (\d+)V(\d+)(?:H(\d+))?", path["d"]).groups()
        left, top, bottom = frames[path["data-to"]]
        assert int(foot) == frames[path["data-from"]][2]
        assert (int(side), int(down)) == (left - 2, (top + bottom) // 2) if side else int(down) == top - 2


def test_the_diagram_has_every_line_escaped(make_evaluation, record):
    """Also a name that the schema would not let pass."""
    stations = flow(make_evaluation(dataset=Dataset.model_construct(name="a<b", folder=".", named=0)), record)
    svg = flow_svg(stations)
    assert "a&lt;b" in svg
    assert "a<b" not in svg
    for station in stations:
        assert all(str(line) in svg for line in station.lines)


def test_without_a_training_record(make_evaluation):
    """Only the stations of the test images are listed."""
    assert [station.lane for station in flow(make_evaluation(), None)] == ["test"] * 3


def test_a_chain_of_trainings(record):
    """Epochs are counted through; each training has its summary, and earlier ones may be unknown."""
    (epoch, *_), recipe = record.history, record.recipe
    first = TrainingRun(recipe=recipe, init="none", history=(epoch, epoch))
    chain = record.replace(before=(first, TrainingRun()), history=(epoch,))
    history = training_history(chain)
    assert history.epochs.tolist() == [1, 2, 3]
    assert [(start.number, start.epoch) for start in history.starts] == [(1, 0.5), (3, 2.5)]
    codes = [summary.code for summary in training_summaries(chain)]
    assert codes == ["training.summary", "documents.training.continued", "documents.training.continued"]
    assert training_summaries(chain)[1].values == {"schedule": TrainingRun().schedule, "number": 1}


def test_hashes_are_listed(make_evaluation):
    """Weights always; code and images where they were hashed."""
    evaluation = make_evaluation()
    assert [item.title.code.rpartition(".")[2] for item in hashes(evaluation)] == ["weights"]
    known = Provenance(code_sha256="c" * 64, images_sha256={"test": "d" * 64}, python="3.11", libraries={})
    assert [item.sha256 for item in hashes(evaluation.replace(provenance=known))][1:] == ["c" * 64, "d" * 64]
