"""The comparison of two versions: what it finds equal, what it lists, and what it calls unexplained."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import compare_versions

READING = {
    "file": "a.png",
    "status": "read",
    "probability": 0.25,
    "finding": "normal",
    "threshold": 0.77,
    "reasons": ["Old words."],
    "heat_in_lungs": None,
    "milliseconds": 20.0,
}
OLD = {
    "format": 1,
    "model": "cnn",
    "data": {"test": {"films": 624, "patients": 428}},
    "metrics": {"auc": {"value": 0.98, "low": 0.97, "high": 0.99}},
    "scores": [{"file": "a.png", "logit": 1.5}, {"file": "b.png", "logit": -2.0}],
    "sections": {
        "gates": {"by_rule": {"lung likeness": 3}},
        "audits": [{"name": "File size", "auc": 0.9, "auc_change": -0.1, "auc_change_interval": {"low": -0.2}}],
        "methods": [{"name": "gradcam", "seconds": 0.14, "title": "Grad-CAM"}],
    },
}
NEW = {
    "format": 2,
    "model": "cnn",
    "data": {"test": {"images": 624, "patients": 428}},
    "metrics": {"auc": {"value": 0.98, "low": 0.97, "high": 0.99, "n": 624}},
    "scores": [{"file": "b.png", "logit": -2.0}, {"file": "a.png", "logit": 1.5}],
    "checks": {"rejected_by_check": {"lung_similarity": 3}},
    "sections": {
        "audits": [
            {"id": "file_size", "name": "Size", "auc": {"value": 0.9}, "auc_change": {"value": -0.1, "low": -0.2}}
        ],
        "methods": [{"id": "gradcam", "seconds": 0.2, "title": "Grad-CAM"}],
    },
}
TABLES = """
[words]
films = "images"
likeness = "similarity"
[keys]
by_rule = "rejected_by_check"
[moves]
"sections/gates" = "checks"
'metrics/([^/]+)/images' = ['metrics/\\1/low/n', 'metrics/\\1/high/n']
[[causes]]
place = "*/format"
reason = "schema"
[[causes]]
place = "cnn/*/n"
kind = "new only"
reason = "estimate"
"""

Run = Callable[..., int]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run the script on two evaluations and two lists of readings."""

    def compare(old=OLD, new=NEW, old_readings=(READING,), new_readings=(READING,)) -> int:
        arguments = ["--evaluations", "cnn", "--tables", str(tmp_path / "tables.toml")]
        (tmp_path / "tables.toml").write_text(TABLES)
        for side, evaluation, readings in (("old", old, old_readings), ("new", new, new_readings)):
            folder = tmp_path / side
            folder.mkdir()
            (folder / "cnn.json").write_text(json.dumps(evaluation))
            (folder / "readings.jsonl").write_text("".join(json.dumps(reading) + "\n" for reading in readings))
            arguments += [f"--{side}-evaluations", str(folder), f"--{side}-readings", str(folder / "readings.jsonl")]
        return compare_versions.main(arguments)

    return compare


def changed(value: dict, *path, to) -> dict:
    """A copy in which one inner value is another; ``None`` removes it."""
    copy = inner = json.loads(json.dumps(value))
    for key in path[:-1]:
        inner = inner[key]
    if to is None:
        del inner[path[-1]]
    else:
        inner[path[-1]] = to
    return copy


def unexplained(output: str) -> list[str]:
    """Lines below the last heading."""
    heading = max(n for n, line in enumerate(output.splitlines()) if line.startswith("Unexplained: "))
    return output.splitlines()[heading + 1 :]


def test_equal_versions_differ_in_nothing(run, capsys):
    assert run(new=OLD) == 0
    assert "0 differences" in capsys.readouterr().out


def test_new_names_places_and_estimates_are_matched(run, capsys):
    assert run() == 0
    output = capsys.readouterr().out
    assert "2 differences" in output
    assert "cnn/format: 1 -> 2" in output
    assert "cnn/metrics/auc/n: - -> 624" in output


@pytest.mark.parametrize(
    ("path", "place", "value"),
    [
        (("data", "test", "images"), "cnn/data/test/images: 624 -> 623", 623),
        (("metrics", "auc", "low"), "cnn/metrics/auc/low: 0.97 -> 0.9700001", 0.9700001),
        (("scores", 0, "logit"), "cnn/scores/b.png/logit: -2.0 -> -2.5", -2.5),
        (("checks", "rejected_by_check", "lung_similarity"), "cnn/checks/rejected_by_check/lung_similarity: 3 -> 4", 4),
        (("sections", "audits", 0, "auc", "value"), "cnn/sections/audits/file_size/auc/value: 0.9 -> 0.8", 0.8),
        (("sections", "audits", 0, "auc_change", "low"), "cnn/sections/audits/file_size/auc_change/low: -0.2 -> 0", 0),
    ],
)
def test_a_changed_number_is_unexplained(run, capsys, path, place, value):
    assert run(new=changed(NEW, *path, to=value)) == 1
    assert unexplained(capsys.readouterr().out) == [f"  {place}"]


def test_a_lost_number_is_unexplained(run, capsys):
    assert run(new=changed(NEW, "scores", 1, to=None)) == 1
    assert unexplained(capsys.readouterr().out) == ["  cnn/scores/a.png/logit: 1.5 -> -"]


def test_an_added_number_is_listed_and_needs_no_cause(run, capsys):
    assert run(new=changed(NEW, "metrics", "brier", to=0.05)) == 0
    assert "cnn/metrics/brier: - -> 0.05" in capsys.readouterr().out


def test_timings_and_sentences_of_readings_may_differ(run, capsys):
    new = {**READING, "milliseconds": 99.0, "reasons": ["New words."], "codes": ["unfamiliar"]}
    assert run(new_readings=[new]) == 0
    assert "codes" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("probability", 0.2500001),
        ("finding", "uncertain"),
        ("heat_in_lungs", 0.1),
        ("reasons", []),
        ("threshold", None),
        ("status", "refused"),
    ],
)
def test_any_other_value_of_a_reading_may_not(run, capsys, key, value):
    assert run(new_readings=[changed(READING, key, to=value)]) == 1
    assert [line.split(":")[0] for line in unexplained(capsys.readouterr().out)] == [f"  readings/a.png/{key}"]


@pytest.mark.parametrize("readings", [[], [READING, {**READING, "file": "b.png"}]])
def test_a_lost_or_additional_reading_is_unexplained(run, readings):
    assert run(new_readings=readings or [{**READING, "file": "c.png"}]) == 1


def test_another_order_of_readings_is_unexplained(run):
    both = [READING, {**READING, "file": "b.png"}]
    assert run(old_readings=both, new_readings=both[::-1]) == 1


def test_a_moved_folder_is_matched_by_the_files_name(run):
    assert run(new_readings=[{**READING, "file": "elsewhere/a.png"}]) == 0


def test_readings_of_one_version_only_are_wrong_usage(run):
    assert run(new_readings=[]) == 2


def test_nothing_to_compare_is_wrong_usage():
    assert compare_versions.main([]) == 2


def test_two_checkouts_are_run_and_their_readings_kept(tmp_path, capsys):
    """Each version is a package of its own that prints what a reading of its folder gives."""
    python = sys.executable
    for side, probability in (("old", 0.25), ("new", 0.5)):
        package = tmp_path / side / "cxrmodel"
        package.mkdir(parents=True)
        line = json.dumps({**READING, "probability": probability})
        (package / "__main__.py").write_text(f"print({line!r})\nraise SystemExit(3)\n")
        (tmp_path / side / "assets/evaluation").mkdir(parents=True)
        (tmp_path / side / "assets/evaluation/cnn.json").write_text(json.dumps(OLD))
    arguments = ["--evaluations", "cnn", "--images", str(tmp_path), "--save", str(tmp_path / "kept")]
    for side in ("old", "new"):
        arguments += [f"--{side}", str(tmp_path / side), f"--{side}-python", python]
    assert compare_versions.main(arguments) == 1
    assert unexplained(capsys.readouterr().out) == ["  readings/a.png/probability: 0.25 -> 0.5"]
    assert json.loads((tmp_path / "kept/new.jsonl").read_text())["probability"] == 0.5


@pytest.mark.parametrize(("high", "status"), [(624, 0), (623, 1)])
def test_one_old_value_is_compared_at_each_of_its_new_places(run, high, status):
    old = changed(OLD, "metrics", "auc", to={"images": 624})
    new = changed(NEW, "metrics", "auc", to={"low": {"n": 624}, "high": {"n": high}})
    assert run(old=old, new=new) == status


def test_a_title_may_differ_and_a_choice_may_not(run, capsys):
    old, new = (
        changed(evaluation, "sections", to={"chosen": chosen, "title": chosen})
        for evaluation, chosen in ((OLD, "gradcam"), (NEW, "layercam"))
    )
    assert run(old=old, new=new) == 1
    assert unexplained(capsys.readouterr().out) == ['  cnn/sections/chosen: "gradcam" -> "layercam"']


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("data/test/normal", "splits/test/counts/negative"),
        ("metrics/test/auc/low", "splits/test/performance/overall/auc/low"),
        ("metrics/test/at/balanced/recall/value", "splits/test/performance/at/balanced/rates/sensitivity/value"),
        ("metrics/test/at/balanced/threshold", "splits/test/performance/at/balanced/threshold"),
        ("sections/gates/metrics_off/brier/value", "checks/all_images/overall/brier/value"),
        ("sections/gates/sets/turned left/by_rule/turned", "checks/sets/rotated_left/rejected_by/rotation"),
        ("sections/gates/sets/mirrored/warned_by_rule/mirrored", "checks/sets/mirrored/warned_by/mirroring"),
        ("sections/audits/perturbations/Gamma 0.6/auc", "audits/perturbations/gamma_0_6/auc/value"),
        ("sections/explanations/methods/gradcam++/heat_range", "explanations/methods/gradcam++/map_range"),
    ],
)
def test_the_shipped_tables_lead_from_format_1_to_2(old, new):
    tree: dict = {}
    inner = tree
    for key in new.split("/"):
        inner = inner.setdefault(key, {})
    tables = compare_versions.Tables.load(compare_versions.TABLES)
    assert tables.places(old, tree) == [new]


def test_the_shipped_causes_excuse_no_measured_value():
    tables = compare_versions.Tables.load(compare_versions.TABLES)
    assert tables.cause("cnn/splits/test/performance/overall/auc/n", "new only")
    assert tables.cause("cnn/splits/test/performance/overall/auc/n", "changed") is None
    assert tables.cause("cnn/splits/test/performance/overall/auc/value", "changed") is None
    assert tables.cause("cnn/splits/test/performance/overall/auc/value", "old only") is None
