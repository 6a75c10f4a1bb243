"""The command line as its users see it: standard output, exit status, sentences."""

import csv
import dataclasses
import hashlib
import io
import json
import os
import shutil
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from PIL import Image

from cxrmodel.cli.batch import COLUMNS, list_files
from cxrmodel.cli.main import _parser, main
from cxrmodel.explain.methods import METHODS
from cxrmodel.model.spec import load_spec
from cxrmodel.report.wording import percent
from cxrmodel.training import loop

RECIPES = Path(loop.__file__).parent / "recipes"


@pytest.fixture
def folder(project, tmp_path):
    """Images, a note, a hidden file and a broken picture, in folders."""
    place = tmp_path / "images"
    (place / "b").mkdir(parents=True)
    (place / ".hidden").mkdir()
    images = project / "assets" / "demo"
    shutil.copy(images / "synthetic-normal-1.png", place / "a.png")
    shutil.copy(images / "synthetic-pneumonia-1.png", place / "b" / "no extension")
    shutil.copy(images / "synthetic-pneumonia-1.png", place / ".hidden" / "image.png")
    (place / ".DS_Store").write_bytes(b"x")
    (place / "b" / "notes.txt").write_text("not an image")
    (place / "c.png").write_bytes((images / "synthetic-normal-1.png").read_bytes()[:500])
    return place


def _lines(capsys) -> list[dict]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_json_has_a_line_for_every_file_in_order(folder, capsys):
    """Sorted, recursive, hidden files left out, bad files in their place; status 3 because not all were read."""
    assert main(["read", "--json", str(folder)]) == 3
    lines = _lines(capsys)
    names = [str(folder / name) for name in ("a.png", "b/no extension", "b/notes.txt", "c.png")]
    assert [line["file"] for line in lines] == names
    assert [line["status"] for line in lines] == ["read", "read", "refused", "refused"]
    for line in lines:
        assert tuple(line) == COLUMNS
        assert line["model"] == load_spec("densenet121").version
        if line["status"] != "read":
            assert line["reasons"]
            assert {line[key] for key in ("probability", "finding", "operating_point", "threshold")} == {None}


def test_a_directory_given_relatively_keeps_its_name(folder, capsys, monkeypatch):
    """``file`` is the directory as given and the path within it."""
    monkeypatch.chdir(folder.parent)
    main(["read", "--json", "images"])
    assert _lines(capsys)[0]["file"] == str(Path("images") / "a.png")


def test_all_read_is_status_0(project, capsys):
    """Six demo images, given one by one, in the order given."""
    paths = sorted((project / "assets" / "demo").glob("*.png"), reverse=True)
    assert main(["read", "--json", *map(str, paths)]) == 0
    lines = _lines(capsys)
    assert [line["file"] for line in lines] == [str(path) for path in paths]
    assert {line["status"] for line in lines} == {"read"}


def test_missing_path_is_an_error_with_its_line(project, capsys):
    """The others are still read."""
    image = str(project / "assets" / "demo" / "synthetic-normal-1.png")
    assert main(["read", "--json", "/nowhere/image.png", image]) == 3
    missing, read = _lines(capsys)
    assert (missing["file"], missing["status"]) == ("/nowhere/image.png", "error")
    assert "cannot be read" in missing["reasons"][0]
    assert read["status"] == "read"


def test_plain_lines_are_sentences(folder, capsys):
    """Without --json, one readable line an image."""
    main(["read", str(folder / "a.png"), str(folder / "c.png")])
    first, second = capsys.readouterr().out.splitlines()
    assert "pneumonia" in first
    assert "uncertain from" in first
    assert "refused" in second


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_what_holds_for_every_number_is_said_once(folder, capsys, options):
    """Apart from the results."""
    main(["read", *options, str(folder / "a.png"), str(folder / "c.png")])
    spec, said = load_spec("densenet121"), capsys.readouterr().err
    assert said.startswith(
        f"Not for diagnosis; research use only. Model {spec.version}, trained on children aged one to five years; "
        f"probabilities assume a prevalence of {percent(spec.prevalence)}.\n"
    )
    assert said.count(spec.version) == 1


def test_table_has_the_columns_of_the_lines(folder, tmp_path, capsys):
    """The same values as --json, reasons joined by semicolons."""
    out = tmp_path / "out.csv"
    main(["read", "--json", str(folder), "--csv", str(out)])
    lines = _lines(capsys)
    rows = list(csv.DictReader(io.StringIO(out.read_text(encoding="utf-8"))))
    assert tuple(rows[0]) == COLUMNS
    for row, line in zip(rows, lines, strict=True):
        assert row["file"] == line["file"]
        assert row["reasons"] == "; ".join(line["reasons"])
        assert row["probability"] == ("" if line["probability"] is None else str(line["probability"]))


def test_an_interrupted_table_is_gone_on_with(folder, tmp_path, capsys):
    """What a first run kept is not read again; a row cut short is; the table ends up whole."""
    out = tmp_path / "out.csv"
    main(["read", str(folder), "--csv", str(out)])
    whole = out.read_text(encoding="utf-8").splitlines(keepends=True)
    out.write_text("".join(whole[:3]) + whole[3][:20], encoding="utf-8")
    capsys.readouterr()
    assert main(["read", "--json", str(folder), "--csv", str(out), "--resume"]) == 3
    assert [Path(line["file"]).name for line in _lines(capsys)] == ["notes.txt", "c.png"]
    rows = list(csv.DictReader(io.StringIO(out.read_text(encoding="utf-8"))))
    assert [Path(row["file"]).name for row in rows] == ["a.png", "no extension", "notes.txt", "c.png"]


def test_resuming_without_a_table_begins_one(folder, tmp_path):
    """No earlier table is no error."""
    out = tmp_path / "out.csv"
    assert main(["read", str(folder / "a.png"), "--csv", str(out), "--resume"]) == 0
    assert len(out.read_text(encoding="utf-8").splitlines()) == 2


def test_a_table_is_never_written_over(folder, tmp_path, capsys):
    """Without --resume an existing file stays as it is, and so does one that is not ours with it."""
    out = tmp_path / "out.csv"
    for text, more in ((b"a;b\n1;2\n", []), (b"a;b\n1;2\n", ["--resume"]), (b"\xfc\n", ["--resume"])):
        out.write_bytes(text)
        assert main(["read", str(folder / "a.png"), "--csv", str(out), *more]) == 1
        assert out.read_bytes() == text
        assert "Name another file" in capsys.readouterr().err.replace("or name another", "Name another")


def test_a_table_of_another_model_is_not_gone_on_with(folder, tmp_path, capsys):
    """Two models, two thresholds: two tables."""
    out = tmp_path / "out.csv"
    assert main(["read", str(folder / "a.png"), "--csv", str(out)]) == 0
    assert main(["read", str(folder / "a.png"), "--csv", str(out), "--resume", "--model", "cnn"]) == 1
    assert "another model" in capsys.readouterr().err


def test_images_that_failed_are_tried_again(folder, tmp_path, capsys):
    """A missing file that has come is read by --resume."""
    out, late = tmp_path / "out.csv", tmp_path / "late.png"
    assert main(["read", str(late), "--csv", str(out)]) == 3
    shutil.copy(folder / "a.png", late)
    assert main(["read", str(late), "--csv", str(out), "--resume"]) == 0
    assert [row["status"] for row in csv.DictReader(io.StringIO(out.read_text(encoding="utf-8")))] == ["read"]


def test_what_a_run_writes_it_does_not_read(folder, capsys):
    """Table and overlays within the folder that is read are not images of it."""
    argv = ["read", str(folder), "--csv", str(folder / "out.csv"), "--heatmaps", str(folder / "maps")]
    main(argv)
    first = capsys.readouterr().out
    main([*argv, "--resume"])
    assert "out.csv" not in first
    assert capsys.readouterr().out == ""


def test_a_name_that_is_not_utf8_stops_nothing(folder, tmp_path, capsys):
    """Its odd bytes are written as escapes, and the others are read."""
    odd = os.fsencode(folder) + b"/b/odd\xff.png"
    with open(odd, "wb") as image:
        image.write((folder / "a.png").read_bytes())
    assert main(["read", "--json", str(folder), "--csv", str(tmp_path / "out.csv")]) == 3
    names = [Path(line["file"]).name for line in _lines(capsys)]
    assert names == ["a.png", "no extension", "notes.txt", r"odd\xff.png", "c.png"]


def test_two_images_never_share_an_overlay(folder, tmp_path, capsys):
    """Folders with equal names inside are refused together, before anything is written."""
    other = tmp_path / "other"
    other.mkdir()
    shutil.copy(folder / "a.png", other)
    out = tmp_path / "maps"
    assert main(["read", str(folder), str(other), "--heatmaps", str(out)]) == 1
    assert "share one overlay" in capsys.readouterr().err
    assert not out.exists()


def test_an_empty_folder_is_said_to_be(tmp_path, capsys):
    """Silence is not success."""
    (tmp_path / "empty").mkdir()
    assert main(["read", "--json", str(tmp_path / "empty")]) == 3
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "no file in" in captured.err


@pytest.mark.parametrize("name", ["image.png", "other.jpg"])
def test_explain_never_replaces_an_image(folder, capsys, name):
    """Neither the image itself nor a file of another type."""
    image = folder / "image.png"
    shutil.copy(folder / "a.png", image)
    before = image.read_bytes()
    assert main(["explain", str(image), "-o", str(folder / name)]) == 1
    assert image.read_bytes() == before
    assert not (folder / "other.jpg").exists()


def test_heatmaps_keep_relative_paths(folder, tmp_path, capsys):
    """One picture for each image that was read, none for the others."""
    out = tmp_path / "maps"
    main(["read", str(folder), "--heatmaps", str(out)])
    made = sorted(str(path.relative_to(out)) for path in out.rglob("*.png"))
    assert made == ["a.png.heatmap.png", "b/no extension.heatmap.png"]
    with Image.open(out / "a.png.heatmap.png") as picture:
        assert min(picture.size) > 200


def test_heatmaps_of_images_of_one_stem_stand_side_by_side(project, tmp_path):
    """Neither writes over the other, nor over one whose name is that of an overlay."""
    place, out = tmp_path / "images", tmp_path / "maps"
    place.mkdir()
    images = sorted((project / "assets" / "demo").glob("*.png"))
    for name, image in zip(("a.jpg", "a.png", "a", "a.png.heatmap.png"), images, strict=False):
        shutil.copy(image, place / name)
    assert main(["read", str(place), "--heatmaps", str(out)]) == 0
    made = {path.name: path.read_bytes() for path in out.iterdir()}
    assert set(made) == {f"{path.name}.heatmap.png" for path in place.iterdir()}
    assert len(set(made.values())) == 4


def test_explain_writes_a_picture(project, tmp_path):
    """An overlay with its colour bar."""
    out = tmp_path / "out.png"
    image = project / "assets" / "demo" / "synthetic-pneumonia-1.png"
    assert main(["explain", str(image), "--method", "gradcam", "-o", str(out)]) == 0
    with Image.open(out) as picture:
        assert picture.format == "PNG"


@pytest.mark.parametrize("command", ["read", "explain"])
def test_a_heatmap_on_its_own_says_what_it_is(project, tmp_path, monkeypatch, command):
    """Finding, probability, model, disclaimer and image stand on the picture itself."""
    image, drawn = project / "assets" / "demo" / "synthetic-pneumonia-1.png", []
    monkeypatch.setattr(Figure, "savefig", lambda figure, *_, **__: drawn.append(figure.get_supxlabel()))
    where = {"read": ["--heatmaps", str(tmp_path)], "explain": ["-o", str(tmp_path / "out.png")]}
    assert main([command, str(image), *where[command]]) == 0
    said = " ".join(drawn[0].split())
    assert len(drawn) == 1
    for part in (
        "Finding: ",
        "Probability of pneumonia ",
        "Not for diagnosis; research use only.",
        f"Model {load_spec('densenet121').version}.",
        f"Image {hashlib.sha256(image.read_bytes()).hexdigest()[:12]}.",
    ):
        assert " ".join(part.split()) in said


def test_explain_takes_every_method(project, tmp_path, capsys):
    """Occlusion stands for those that are computed; what its colours mean is said, and progress is not on output."""
    out = tmp_path / "out.png"
    image = project / "assets" / "demo" / "synthetic-pneumonia-1.png"
    assert main(["explain", str(image), "--method", "occlusion", "--model", "cnn", "-o", str(out)]) == 0
    with Image.open(out) as picture:
        assert picture.format == "PNG"
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Occlusion sensitivity: 0\xa0% done" in captured.err
    assert "range" in captured.err
    for method in METHODS:
        assert _parser().parse_args(["explain", "f.png", "--method", method, "-o", "o.png"]).method == method


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["explain", "/nowhere/image.png", "-o", "out.png"], "/nowhere/image.png"),
        (["train", "--recipe", "/nowhere/recipe.toml"], "/nowhere/recipe.toml"),
        (["export", "--run", "/nowhere"], "/nowhere"),
    ],
)
def test_failures_are_sentences(argv, said, capsys):
    """Status 1, the file named, nothing on standard output, no trace."""
    assert main(argv) == 1
    captured = capsys.readouterr()
    assert said in captured.err
    assert "Traceback" not in captured.err
    assert captured.out == ""


def test_a_link_that_leads_nowhere_gets_its_line(folder, capsys):
    """An image that has gone from a folder of links is told, not passed over."""
    (folder / "b" / "gone.png").symlink_to(folder / "nowhere.png")
    assert main(["read", "--json", str(folder / "b")]) == 3
    lines = {Path(line["file"]).name: line for line in _lines(capsys)}
    assert lines["gone.png"]["status"] == "error"
    assert "cannot be read" in lines["gone.png"]["reasons"][0]


def test_a_resumed_run_says_what_it_leaves_out(folder, tmp_path, capsys):
    """Images of the table, known by their paths, and how many are still to be read."""
    out = tmp_path / "table.csv"
    for left_out, to_read in ((0, 1), (1, 0)):
        main(["read", str(folder / "a.png"), "--csv", str(out), "--resume"])
        said = capsys.readouterr().err
        assert f"{left_out} images of {out} are left out, by their paths; {to_read} are still to be read." in said


@pytest.mark.parametrize(("argv", "seed"), [([], 0), (["--seed", "3"], 3)])
def test_a_seed_may_be_given_instead_of_the_recipes(argv, seed, monkeypatch):
    """Everything else is the recipe's."""
    given = []
    monkeypatch.setattr(
        "cxrmodel.training.classifier.train_reader", lambda root, recipe, *rest, **more: given.append(recipe)
    )
    assert main(["train", "--model", "cnn", *argv]) == 0
    shipped = loop.load_recipe(RECIPES / "cnn.toml")
    assert given == [dataclasses.replace(shipped, seed=seed)]


def test_no_archive_is_a_sentence(tmp_path, monkeypatch, capsys):
    """Training without images says where they belong."""
    monkeypatch.setenv("CXR_DATA", str(tmp_path))
    assert main(["train", "--model", "cnn"]) == 1
    assert "CXR_DATA" in capsys.readouterr().err


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["read"],
        ["read", "--speed"],
        ["dream"],
        ["read", "x.png", "--resume"],
        ["train", "--model", "resnet"],
        ["bench", "--images", "3"],
        ["bench", "--train", "--batches", "none"],
    ],
)
def test_wrong_usage_is_status_2(argv, capsys):
    """With the usage on standard error."""
    with pytest.raises(SystemExit) as stopped:
        main(argv)
    assert stopped.value.code == 2
    captured = capsys.readouterr()
    assert "usage" in captured.err
    assert captured.out == ""


@pytest.mark.parametrize(("more", "audited"), [([], ["cnn"]), (["--no-audits"], []), (["--no-read"], [])])
def test_evaluate_audits_unless_told_not_to(more, audited, monkeypatch, tmp_path):
    """Each model after it was read, into the same folder; nothing is audited that is not read."""
    called = []
    monkeypatch.setattr("cxrmodel.reading.Reader.load", lambda model: model)
    monkeypatch.setattr("cxrmodel.evaluation.run.evaluate", lambda reader, root, out: called.append("read"))
    monkeypatch.setattr("cxrmodel.evaluation.audits.run.audit", lambda reader, root, out: called.append((reader, out)))
    monkeypatch.setattr("cxrmodel.evaluation.storage.load_evaluation", lambda model, out: None)
    monkeypatch.setattr("cxrmodel.evaluation.report.readme.readme_table", lambda evaluations: "")
    assert main(["evaluate", "--model", "cnn", "--out", str(tmp_path), "--no-checks", *more]) == 0
    assert called == (["read"] if "--no-read" not in more else []) + [(model, tmp_path) for model in audited]


@pytest.mark.parametrize("command", ["read", "explain", "train", "export", "evaluate", "synthetic"])
def test_every_command_explains_itself(command, capsys):
    """--help is status 0."""
    with pytest.raises(SystemExit) as stopped:
        main([command, "--help"])
    assert stopped.value.code == 0
    assert "usage" in capsys.readouterr().out


def test_listing_yields_relative_paths(folder):
    """What heatmaps are named after."""
    relative = [str(path) for _, path in list_files([folder, folder / "a.png"])]
    assert relative == ["a.png", "b/no extension", "b/notes.txt", "c.png", "a.png"]
