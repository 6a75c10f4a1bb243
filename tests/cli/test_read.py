"""``read``: standard output, standard error and exit status."""

import errno
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from cxrmodel.cli.batch.table import NO_HEATMAP
from cxrmodel.cli.main import main
from cxrmodel.errors import EmptyFile, OutputRefused
from cxrmodel.imaging.sandbox import pool
from cxrmodel.inputs import list_files
from cxrmodel.messages import Message
from cxrmodel.model.spec import load_spec
from cxrmodel.outputs import locked
from cxrmodel.prevalence import SETTING
from cxrmodel.report.table import KEYS, make_record
from tests.support.stand_ins import fake_reading


def test_json_has_a_line_for_every_file_in_order(folder, read_json):
    """Sorted, recursive, without hidden files; bad files in their place; status 3 because not all were read."""
    status, lines = read_json(folder)
    assert status == 3
    names = [str(folder / name) for name in ("a.png", "b/no extension", "b/notes.txt", "c.png")]
    assert [line["file"] for line in lines] == names
    assert [line["status"] for line in lines] == ["read", "read", "refused", "refused"]
    for line in lines:
        assert tuple(line) == KEYS
        assert line["model"] == load_spec("densenet121").version
        if line["status"] != "read":
            assert len(line["reasons"]) == len(line["codes"]) == 1
            empty = ("probability", "finding", "operating_point", "threshold", "heat_in_lungs", "milliseconds")
            assert {line[key] for key in empty} == {None}


def test_repaired_images_say_so(demo_image, tmp_path, read_json, capsys):
    """A rotated image is refused; repaired, it is read as the upright one, and the step is on record."""
    upright = cv2.imdecode(np.frombuffer(demo_image, np.uint8), cv2.IMREAD_GRAYSCALE)
    paths = {name: tmp_path / f"{name}.png" for name in ("upright", "rotated")}
    cv2.imwrite(str(paths["upright"]), upright)
    cv2.imwrite(str(paths["rotated"]), cv2.rotate(upright, cv2.ROTATE_90_CLOCKWISE))
    assert read_json(paths["rotated"])[1][0]["codes"] == ["checks.rotation.rejected"]
    (expected,) = read_json(paths["upright"])[1]
    (found,) = read_json(paths["rotated"], "--repair", "rotate_180,rotate_right")[1]
    assert found["probability"] == expected["probability"]
    assert sorted(found["codes"]) == sorted([*expected["codes"], "imaging.repair.rotate_left"])
    capsys.readouterr()
    for wrong in (["--repair", "turn"], ["--repair", "flip", "--resume", "--csv", str(tmp_path / "a.csv")]):
        with pytest.raises(SystemExit) as refused:
            main(["read", str(paths["upright"]), *wrong])
        assert refused.value.code == 2
        assert "repair" in capsys.readouterr().err


def test_a_folder_given_relatively_keeps_its_name(folder, read_json, monkeypatch):
    """``file`` is the folder as given and the path within it."""
    monkeypatch.chdir(folder.parent)
    assert read_json("images")[1][0]["file"] == str(Path("images") / "a.png")


def test_all_read_is_status_0(project, read_json):
    """Six demo images, given one by one, in the order given."""
    paths = sorted((project / "assets" / "demo").glob("*.png"), reverse=True)
    status, lines = read_json(*paths)
    assert status == 0
    assert [line["file"] for line in lines] == [str(path) for path in paths]
    assert {line["status"] for line in lines} == {"read"}
    shares = [line["evidence_shares"] for line in lines]
    assert any(shares)
    for line, found in zip(lines, shares, strict=True):
        assert (found is None) == (line["heat_in_lungs"] is None)
        if found:
            assert 1 - found["outside"] == pytest.approx(line["heat_in_lungs"], abs=1e-4)
            assert found["right"] + found["left"] + found["outside"] == pytest.approx(1, abs=1e-9)
            assert found["upper"] + found["middle"] + found["lower"] + found["outside"] == pytest.approx(1, abs=1e-9)


def test_decoders_run_in_confined_processes(folder, read_json):
    """A file that crashes its decoder must not end the others."""
    pool.end_sandbox()
    read_json(folder / "a.png")
    assert (pool._sandbox is not None) == pool.AVAILABLE


def test_a_missing_file_is_an_error_with_its_line(project, read_json):
    """The others are still read."""
    image = project / "assets" / "demo" / "synthetic-normal-1.png"
    status, (missing, read) = read_json("/nowhere/image.png", image)
    assert status == 3
    assert (missing["file"], missing["status"]) == ("/nowhere/image.png", "error")
    assert missing["codes"] == ["cli.read.unreadable"]
    assert read["status"] == "read"


def test_a_broken_link_is_reported(folder, read_json):
    """An image that is gone from a folder of links is not skipped."""
    (folder / "b" / "gone.png").symlink_to(folder / "nowhere.png")
    status, lines = read_json(folder / "b")
    gone = next(line for line in lines if Path(line["file"]).name == "gone.png")
    assert (status, gone["status"], gone["codes"]) == (3, "error", ["cli.read.unreadable"])


def test_a_name_that_is_not_utf8_is_exact(folder, tmp_path, read_json):
    """As Python writes it, with lone surrogates; the others are read."""
    odd = os.fsencode(folder) + b"/b/odd\xff.png"
    with open(odd, "wb") as image:
        image.write((folder / "a.png").read_bytes())
    status, lines = read_json(folder, "--csv", tmp_path / "out.csv")
    names = [Path(line["file"]).name for line in lines]
    assert status == 3
    assert names == ["a.png", "no extension", "notes.txt", "odd\udcff.png", "c.png"]


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (EmptyFile("imaging.empty"), "refused", "imaging.empty"),
        (PermissionError(13, "Permission denied"), "error", "cli.read.unreadable"),
        (RuntimeError("inner detail"), "error", "cli.read.unexpected"),
    ],
)
def test_record_of_a_file_without_reading(error, status, code):
    """Status, one reason with its code, and the model; no inner detail."""
    record = make_record("x.png", error, "densenet121 0123")
    assert (record.file, record.status, record.codes, record.model) == ("x.png", status, (code,), "densenet121 0123")
    assert record.probability is None
    assert "inner detail" not in record.reasons[0]


def test_plain_lines(folder, capsys):
    """Without --json, one readable line per image."""
    main(["read", str(folder / "a.png"), str(folder / "c.png")])
    first, second = capsys.readouterr().out.splitlines()
    assert re.match(
        re.escape(f"{folder / 'a.png'}: ") + r"\w+, probability of pneumonia .+\xa0% \(uncertain from ", first
    )
    assert second.startswith(f"{folder / 'c.png'}: refused. ")


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_the_notice_is_printed_once(folder, capsys, options):
    """On standard error: disclaimer, model, ages and prevalence."""
    main(["read", *options, str(folder / "a.png"), str(folder / "c.png")])
    version, printed = load_spec("densenet121").version, capsys.readouterr().err
    first = printed.splitlines()[0]
    assert first.startswith("Not for diagnosis; research use only.")
    assert all(part in first for part in (version, "at even odds"))
    assert printed.count(version) == 1


def test_prevalence_moves_numbers_and_thresholds_but_no_finding(folder, read_json, monkeypatch):
    """An option, else the setting of the site, else even odds: the odds of each number are those of the prevalence."""
    images = [folder / "a.png", folder / "b" / "no extension"]
    _, even = read_json(*images)
    _, rare = read_json("--prevalence", "20%", *images)
    monkeypatch.setenv(SETTING, "0.2")
    assert [without_time(line) for line in read_json(*images)[1]] == [without_time(line) for line in rare]
    assert [without_time(line) for line in read_json("--prevalence", "0.5", *images)[1]] == [
        without_time(line) for line in even
    ]
    for first, second in zip(even, rare, strict=True):
        assert (first["prevalence"], second["prevalence"]) == (0.5, 0.2)
        assert first["finding"] == second["finding"]
        for key in ("probability", "uncertain_from", "threshold", "uncertain_to"):
            odds, moved = (line[key] / (1 - line[key]) for line in (first, second))
            assert moved == pytest.approx(odds / 4, rel=1e-4)


def without_time(line: dict) -> dict:
    """A line without what differs from run to run."""
    return {key: value for key, value in line.items() if key != "milliseconds"}


@pytest.mark.parametrize("text", ["0", "1", "nan", "20", "rare", ""])
def test_a_wrong_prevalence_is_wrong_usage(folder, capsys, text):
    """Nothing is read at it."""
    with pytest.raises(SystemExit) as ended:
        main(["read", "--prevalence", text, str(folder / "a.png")])
    assert ended.value.code == 2
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("command", [["read", "a.png"], ["app"]])
def test_a_wrong_setting_ends_before_anything_starts(command, capsys, monkeypatch):
    """Status 1, and the message names the variable."""
    monkeypatch.setenv(SETTING, "50")
    assert main(command) == 1
    captured = capsys.readouterr()
    assert SETTING in captured.err
    assert captured.out == ""


def test_an_empty_folder_is_reported(tmp_path, capsys):
    """An empty folder is a failure, and is named."""
    (tmp_path / "empty").mkdir()
    assert main(["read", "--json", str(tmp_path / "empty")]) == 3
    captured = capsys.readouterr()
    assert captured.out == ""
    assert str(Message("cli.read.empty_folder", folder=str(tmp_path / "empty"))) in captured.err


def test_listing_yields_relative_paths(folder):
    """Overlays are named by them."""
    relative = [str(file.relative) for file in list_files([folder, folder / "a.png"])]
    assert relative == ["a.png", "b/no extension", "b/notes.txt", "c.png", "a.png"]


def test_outputs_are_not_read(folder, capsys):
    """A table and overlays within the folder that is read are not images of it."""
    argv = ["read", str(folder), "--csv", str(folder / "out.csv"), "--heatmaps", str(folder / "maps")]
    main(argv)
    first = capsys.readouterr().out
    main([*argv, "--resume"])
    assert "out.csv" not in first
    assert capsys.readouterr().out == ""


def test_images_beside_the_overlays_are_read(folder, read_json):
    """Where both share a folder, only overlays of earlier runs are left out; a file that is named never is."""
    image = folder / "b" / "no extension"
    for _ in range(2):
        status, lines = read_json(folder / "b", "--heatmaps", folder / "b")
        assert (status, [Path(line["file"]).name for line in lines]) == (3, ["no extension", "notes.txt"])
    overlay = Path(f"{image}.heatmap.png")
    assert overlay.is_file()
    assert [line["file"] for line in read_json(image, overlay, "--heatmaps", folder / "b")[1]] == [
        str(image),
        str(overlay),
    ]


def test_a_file_cannot_hold_overlays(folder, capsys):
    """Not even the image itself: status 1, nothing is read."""
    image = str(folder / "a.png")
    assert main(["read", image, "--heatmaps", image]) == 1
    captured = capsys.readouterr()
    assert str(Message("cli.read.heatmaps_not_folder", path=image)) in captured.err
    assert captured.out == ""


def test_an_overlay_is_replaced_only_when_asked(place, batch):
    """Without --overwrite the reading says so, and the status tells."""
    overlay = place / "maps" / "a.png.heatmap.png"
    overlay.parent.mkdir()
    overlay.write_bytes(b"precious")
    for options, status, codes, replaced in (({}, 3, [NO_HEATMAP], False), ({"overwrite": True}, 0, [], True)):
        found, (line,) = batch(place / "a.png", heatmaps=place / "maps", **options)
        assert (found, line["status"], line["codes"]) == (status, "read", codes)
        assert (overlay.read_bytes() != b"precious") == replaced


def test_no_overlay_goes_through_a_link_or_over_an_image(place, batch):
    """The other overlays are written."""
    maps, outside = place / "maps", place / "outside"
    (maps / "real").mkdir(parents=True)
    (place / "images" / "linked").mkdir(parents=True)
    outside.mkdir()
    (maps / "linked").symlink_to(outside)
    (maps / "dangling.png.heatmap.png").symlink_to(place / "nowhere")
    for name in ("linked/x.png", "dangling.png", "good.png", "own.png", f"{'long' * 62}.png"):
        shutil.copy(place / "a.png", place / "images" / name)
    shutil.copy(place / "a.png", maps / "own.png.heatmap.png")
    own = (maps / "own.png.heatmap.png").read_bytes()
    status, lines = batch(place / "images", maps / "own.png.heatmap.png", heatmaps=maps, overwrite=True)
    written = {Path(line["file"]).name: not line["codes"] for line in lines}
    assert (status, {line["status"] for line in lines}) == (3, {"read"})
    assert [name for name, done in written.items() if done] == ["good.png", "own.png.heatmap.png"]
    assert list(outside.iterdir()) == []
    assert (maps / "own.png.heatmap.png").read_bytes() == own
    assert not (place / "nowhere").exists()
    assert not list(maps.rglob(".*"))


def test_two_runs_never_share_a_folder_of_overlays(place, batch):
    """The second is refused before anything is read."""
    (place / "maps").mkdir()
    (place / "same").symlink_to(place / "maps")
    with locked(place / "maps"), pytest.raises(OutputRefused) as refused:
        batch(place / "a.png", heatmaps=place / "same")
    assert refused.value.message.code == "outputs.locked"


@pytest.mark.parametrize("options", [["--json"], []])
def test_names_that_standard_output_cannot_encode(project, place, options):
    """In an ASCII locale each file has its line, JSON stays JSON, and the images are read."""
    for name in (b"\xc3\xbc.txt", b"\xff.txt", "\u202e\U0001f4a9".encode(), b"a\nb"):
        (place / os.fsdecode(name)).write_text("not an image")
    names = sorted(os.listdir(place))
    command = [sys.executable, "-m", "cxrmodel", "read", *options, *(place / name for name in names)]
    locale = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    ran = subprocess.run(command, cwd=project, env=os.environ | locale, capture_output=True, check=False)
    lines = ran.stdout.decode("ascii").splitlines()
    assert (ran.returncode, len(lines)) == (3, len(names))
    assert sum(b"probability of pneumonia" in line.encode() or '"read"' in line for line in lines) == 1
    if options:
        assert [os.path.basename(os.fsencode(json.loads(line)["file"])) for line in lines] == [*map(os.fsencode, names)]


def test_standard_output_that_is_full_is_a_sentence(place, project):
    """Status 1, and nothing more when the program ends."""
    command = [sys.executable, "-m", "cxrmodel", "read", place / "none.png"]
    with open("/dev/full", "wb") as full:
        ran = subprocess.run(command, cwd=project, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    reason = os.strerror(errno.ENOSPC)
    assert (ran.returncode, ran.stderr.splitlines()[-1]) == (1, str(Message("cli.output_failed", reason=reason)))


def test_two_images_never_share_an_overlay(folder, tmp_path, capsys):
    """Folders with equal names inside are refused together, before anything is written."""
    other, out = tmp_path / "other", tmp_path / "maps"
    other.mkdir()
    shutil.copy(folder / "a.png", other)
    assert main(["read", str(folder), str(other), "--heatmaps", str(out)]) == 1
    message = Message("cli.read.shared_overlay", first=str(folder / "a.png"), second=str(other / "a.png"))
    assert str(message) in capsys.readouterr().err
    assert not out.exists()


def test_heatmaps_keep_relative_paths(folder, tmp_path):
    """One overlay for each image that was read, none for the others."""
    out = tmp_path / "maps"
    main(["read", str(folder), "--heatmaps", str(out)])
    made = sorted(str(path.relative_to(out)) for path in out.rglob("*.png"))
    assert made == ["a.png.heatmap.png", "b/no extension.heatmap.png"]


def test_heatmaps_of_images_of_one_stem_stand_side_by_side(project, tmp_path):
    """Neither overwrites the other, nor one whose name is that of an overlay."""
    place, out = tmp_path / "images", tmp_path / "maps"
    place.mkdir()
    images = sorted((project / "assets" / "demo").glob("*.png"))
    for name, image in zip(("a.jpg", "a.png", "a", "a.png.heatmap.png"), images, strict=False):
        shutil.copy(image, place / name)
    assert main(["read", str(place), "--heatmaps", str(out)]) == 0
    made = {path.name: path.read_bytes() for path in out.iterdir()}
    assert set(made) == {f"{path.name}.heatmap.png" for path in place.iterdir()}
    assert len(set(made.values())) == 4


def test_the_record_of_a_reading_holds_its_numbers():
    """The numbers of the reading, reasons beside their codes."""
    reading = fake_reading(np.zeros((8, 8)))
    record = make_record("x.png", reading, reading.model)
    assert (record.file, record.status, record.finding) == ("x.png", "read", reading.finding)
    assert record.probability == reading.probability
    assert len(record.reasons) == len(record.codes)
