"""``read --csv``: the table, and how an interrupted run continues it."""

import csv
import shutil
from pathlib import Path

import pytest

from cxrmodel.cli.main import main
from cxrmodel.cli.table import COLUMNS, Table
from cxrmodel.errors import OutputRefused
from cxrmodel.messages import Message


def _rows(path: Path) -> list[dict]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def _write(path: Path, columns, **values) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, columns)
        writer.writeheader()
        writer.writerow(dict.fromkeys(columns, "") | values)


def test_columns_are_the_keys_of_json(folder, tmp_path, read_json):
    """The same values, reasons and codes joined by semicolons."""
    out = tmp_path / "out.csv"
    _, lines = read_json(folder, "--csv", out)
    rows = _rows(out)
    assert tuple(rows[0]) == COLUMNS
    for row, line in zip(rows, lines, strict=True):
        assert row["file"] == line["file"]
        assert row["reasons"] == "; ".join(line["reasons"])
        assert row["codes"] == "; ".join(line["codes"])
        assert row["probability"] == ("" if line["probability"] is None else str(line["probability"]))


def test_an_interrupted_run_continues(folder, tmp_path, read_json):
    """Files in the table are not read again; the file of a row cut short is. The table ends up whole."""
    out = tmp_path / "out.csv"
    main(["read", str(folder), "--csv", str(out)])
    whole = out.read_text(encoding="utf-8").splitlines(keepends=True)
    out.write_text("".join(whole[:3]) + whole[3][:20], encoding="utf-8")
    status, lines = read_json(folder, "--csv", out, "--resume")
    assert status == 3
    assert [Path(line["file"]).name for line in lines] == ["notes.txt", "c.png"]
    assert [Path(row["file"]).name for row in _rows(out)] == ["a.png", "no extension", "notes.txt", "c.png"]


def test_a_resumed_run_counts_what_it_skips(folder, tmp_path, capsys):
    """How many images the table has, and how many are left; without a table, none."""
    out = tmp_path / "table.csv"
    for skipped, left in ((0, 1), (1, 0)):
        assert main(["read", str(folder / "a.png"), "--csv", str(out), "--resume"]) == 0
        message = Message("cli.read.resumed", table=str(out), skipped=skipped, left=left)
        assert str(message) in capsys.readouterr().err
    assert len(_rows(out)) == 1


def test_images_that_failed_are_tried_again(folder, tmp_path):
    """A missing file that has come is read by --resume."""
    out, late = tmp_path / "out.csv", tmp_path / "late.png"
    assert main(["read", str(late), "--csv", str(out)]) == 3
    shutil.copy(folder / "a.png", late)
    assert main(["read", str(late), "--csv", str(out), "--resume"]) == 0
    assert [row["status"] for row in _rows(out)] == ["read"]


def test_a_refused_table_is_status_1_and_left_unchanged(folder, tmp_path, capsys):
    """Nothing is read."""
    out = tmp_path / "out.csv"
    out.write_bytes(b"a;b\n1;2\n")
    for more, code in (([], "cli.table.exists"), (["--resume"], "cli.table.foreign")):
        assert main(["read", str(folder / "a.png"), "--csv", str(out), *more]) == 1
        captured = capsys.readouterr()
        assert str(Message(code, table=str(out))) in captured.err
        assert captured.out == ""
        assert out.read_bytes() == b"a;b\n1;2\n"


@pytest.mark.parametrize("content", [b"", b"a;b\n1;2\n", b"\xfc\n", b"file,status\n", b"a" * 200_000 + b"\n"])
def test_another_file_is_no_table(tmp_path, content):
    """Whatever it holds."""
    (tmp_path / "out.csv").write_bytes(content)
    with pytest.raises(OutputRefused) as refused:
        Table.load(tmp_path / "out.csv", "model 1", resume=True)
    assert refused.value.message.code == "cli.table.foreign"


@pytest.mark.parametrize(("name", "code"), [("", "is_folder"), ("none/out.csv", "missing_folder")])
def test_a_folder_is_no_table_and_a_table_needs_one(tmp_path, name, code):
    """The message names the folder."""
    with pytest.raises(OutputRefused) as refused:
        Table.load(tmp_path / name, "model 1", resume=False)
    assert refused.value.message.code == f"cli.table.{code}"
    assert str((tmp_path / name) if not name else tmp_path / "none") in refused.value.message.values.values()


def test_a_table_without_codes_is_of_an_earlier_version(tmp_path):
    """The message names the cause."""
    _write(tmp_path / "out.csv", [name for name in COLUMNS if name != "codes"], model="model 1", status="read")
    with pytest.raises(OutputRefused) as refused:
        Table.load(tmp_path / "out.csv", "model 1", resume=True)
    assert refused.value.message.code == "cli.table.earlier_version"


def test_a_table_of_another_model_is_not_continued(tmp_path):
    """Two models have two sets of thresholds, and need two tables."""
    _write(tmp_path / "out.csv", COLUMNS, model="model 2", status="read")
    with pytest.raises(OutputRefused) as refused:
        Table.load(tmp_path / "out.csv", "model 1", resume=True)
    assert refused.value.message.code == "cli.table.other_model"
