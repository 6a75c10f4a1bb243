"""``read --csv``: the table, and how an interrupted run continues it."""

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cxrmodel.cli.batch.readings import read_files
from cxrmodel.cli.batch.table import LATER, Table
from cxrmodel.cli.main import main
from cxrmodel.errors import OutputFailed, OutputRefused
from cxrmodel.messages import Message
from cxrmodel.outputs import locked
from cxrmodel.report.table import COLUMNS, SHARES
from cxrmodel.sinks import from_cell
from tests.support.full_disk import disk_with
from tests.support.stand_ins import FakeReader


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
        shares = line["evidence_shares"] or dict.fromkeys(SHARES, "")
        assert [row[column] for column in SHARES] == list(map(str, shares.values()))


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


NAMES = [
    *("=1+1.png", "-x", "+x", "@x", "'x", "'=x", " x", "x ", '"x"', '""', "a,b", "a;b", "a\\nb", "\\xff", "%41"),
    *(
        "a\nb",
        "a\r\nb",
        "a\rb",
        "\n",
        "a\tb",
        "\x1b[2J",
        "\u202egnp.x",
        "\u2068x",
        "\u2069x",
        "שלום",
        "e\u0301",
        "é",
        "\u2028",
    ),
    *(
        "\\u{202e}",
        "\\u{5c}u{41}",
        "\U0001f4a9",
        "\udcff",
        "\udcff\udcfe",
        r"\udcff",
        "x" * 255,
        "\ufeff",
        "nul",
        "read",
    ),
]


def test_resuming_is_exact_for_every_name(place, tmp_path, batch, monkeypatch):
    """A file in the table is never read again, and no other is taken for it."""
    monkeypatch.chdir(place)
    table = tmp_path / "out.csv"
    for names, read in ((NAMES[::2], NAMES[::2]), (NAMES, NAMES[1::2]), (NAMES, [])):
        for name in read:
            Path(name).write_text("x")
        assert [line["file"] for line in batch(*names, table_path=table, resume=True)[1]] == read
    assert {from_cell(row["file"]) for row in _rows(table)} == set(NAMES)
    assert len(_rows(table)) == len(NAMES)


def test_a_table_is_continued_wherever_it_was_cut(place, tmp_path, batch, monkeypatch):
    """Within a letter, too; and a row that only lacks its line end stays, as its file may be gone."""
    monkeypatch.chdir(place)
    table = tmp_path / "out.csv"
    for name in ("a.png", "é.png"):
        Path(name).write_text("x")
    batch("a.png", "é.png", table_path=table)
    whole = table.read_bytes()
    last = whole.rindex("é".encode())
    for end in range(last, len(whole)):
        table.write_bytes(b"\xef\xbb\xbf" * (end % 2) + whole[:end])
        read = [line["file"] for line in batch("a.png", "é.png", table_path=table, resume=True)[1]]
        assert read == ([] if end >= len(whole.rstrip()) else ["é.png"])
        assert [from_cell(row["file"]) for row in _rows(table)] == ["a.png", "é.png"]
    table.write_bytes(whole.rstrip())
    Path("é.png").unlink()
    batch("a.png", table_path=table, resume=True)
    assert [from_cell(row["file"]) for row in _rows(table)] == ["a.png", "é.png"]


@pytest.mark.parametrize("keep_size", [False, True])
def test_a_file_that_was_half_copied_is_read_again(place, tmp_path, batch, keep_size):
    """Its row is replaced, whether the file has grown or was filled."""
    table, whole = tmp_path / "out.csv", (place / "a.png").read_bytes()
    half = whole[: len(whole) // 2]
    (place / "a.png").write_bytes(half.ljust(len(whole), b"\0") if keep_size else half)
    (place / "b.png").write_bytes(b"no image")
    os.utime(place / "a.png", (1, 1))
    batch(place, table_path=table)
    (place / "a.png").write_bytes(whole)
    status, lines = batch(place, table_path=table, resume=True)
    assert [(Path(line["file"]).name, line["status"]) for line in lines] == [("a.png", "read")]
    assert {(Path(row["file"]).name, row["status"]) for row in _rows(table)} == {
        ("a.png", "read"),
        ("b.png", "refused"),
    }
    assert batch(place, table_path=table, resume=True) == (status, [])


@pytest.mark.parametrize("content", [b"image", b"no image", None])
def test_the_row_of_a_file_that_is_gone_stays(place, tmp_path, batch, content):
    """Also of one that was refused or failed, named or not."""
    table, gone = tmp_path / "out.csv", place / "gone.png"
    gone.symlink_to("/nowhere") if content is None else gone.write_bytes(content)
    batch(place, table_path=table)
    before = _rows(table)
    gone.unlink()
    assert batch(place, table_path=table, resume=True)[1] == []
    assert _rows(table) == before
    if content is not None:
        assert batch(gone, table_path=table, resume=True) == (3, [])
        assert _rows(table) == before


def test_a_file_named_twice_has_one_row(place, tmp_path, batch):
    """Before and after it is continued."""
    for resume in (False, True):
        batch(place, place / "a.png", table_path=tmp_path / "out.csv", resume=resume)
        assert len(_rows(tmp_path / "out.csv")) == 1


def test_an_overlay_that_failed_is_tried_again(place, tmp_path, batch):
    """By a run that writes overlays; until then the status tells."""
    table, maps = tmp_path / "out.csv", tmp_path / "maps"
    maps.mkdir()
    (maps / "a.png.heatmap.png").mkdir()
    assert batch(place, table_path=table, heatmaps=maps)[0] == 3
    (maps / "a.png.heatmap.png").rmdir()
    assert batch(place, table_path=table, resume=True) == (3, [])
    assert batch(place, table_path=table, heatmaps=maps, resume=True)[0] == 0
    assert [row["codes"] for row in _rows(table)] == [""]
    assert (maps / "a.png.heatmap.png").is_file()


def test_a_row_is_on_disk_when_its_line_is_printed(place, tmp_path, monkeypatch):
    """Whoever sees the line may pull the plug."""
    table, found = tmp_path / "out.csv", []
    (place / "b.png").write_bytes(b"")
    monkeypatch.setattr("cxrmodel.cli.batch.readings.put", lambda line: found.append((len(found), len(_rows(table)))))
    read_files(FakeReader(), [place], table_path=table)
    assert found == [(0, 1), (1, 2)]


KILLED = """
import sys, time
from pathlib import Path
from cxrmodel.cli.batch.readings import read_files
from tests.support.stand_ins import FakeReader

class Hanging(FakeReader):
    def read_many(self, sources, repairs):
        yield from list(super().read_many(sources))[:2]
        time.sleep(600)

read_files(Hanging(), [Path(sys.argv[1])], as_json=True, table_path=Path(sys.argv[2]), resume=True)
"""


def test_a_killed_run_is_continued_to_the_same_table(project, place, tmp_path, batch):
    """Every line that was printed has its row, its lock holds nobody up, and no image is read twice."""
    table, alone = tmp_path / "out.csv", tmp_path / "alone.csv"
    for number in range(5):
        shutil.copy(place / "a.png", place / f"{number}\n.png")
    batch(place, table_path=alone)
    printed = []
    for _ in range(2):
        command = [sys.executable, "-c", KILLED, place, table]
        with subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
            printed += [json.loads(process.stdout.readline())["file"] for _ in range(2)]
            process.kill()
        assert [from_cell(row["file"]) for row in _rows(table)] == printed
    assert len(batch(place, table_path=table, resume=True)[1]) == 2
    assert table.read_bytes() == alone.read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == {"place", "out.csv", "alone.csv"}


def test_a_full_disk_leaves_whole_rows(place, tmp_path, batch, capsys):
    """The run stops, the row that did not fit is neither in the table nor printed, and the rest can be continued."""
    table = tmp_path / "out.csv"
    for number in range(9):
        shutil.copy(place / "a.png", place / f"{number}.png")
    with disk_with(1500), pytest.raises(OutputFailed) as failed:
        batch(place, table_path=table)
    assert failed.value.message.code == "cli.table.not_continued"
    printed = [json.loads(line)["file"] for line in capsys.readouterr().out.splitlines()]
    assert table.read_bytes().endswith(b"\r\n")
    assert [row["file"] for row in _rows(table)] == printed
    assert 0 < len(printed) < 9
    assert batch(place, table_path=table, resume=True)[0] == 0
    assert len(_rows(table)) == len({row["file"] for row in _rows(table)}) == 10


def test_a_table_that_cannot_be_begun_leaves_none(place, tmp_path, batch):
    """And one that cannot be continued stays as it is."""
    table = tmp_path / "out.csv"
    with disk_with(10), pytest.raises(OutputFailed):
        batch(place, table_path=table)
    assert [path.name for path in tmp_path.iterdir()] == ["place"]
    batch(place, table_path=table)
    before = table.read_bytes()
    with disk_with(10), pytest.raises(OutputFailed):
        batch(place, table_path=table, resume=True)
    assert table.read_bytes() == before
    assert {path.name for path in tmp_path.iterdir()} == {"place", "out.csv"}


@pytest.mark.parametrize("resume", [False, True])
@pytest.mark.parametrize(
    ("make", "codes"),
    [
        (lambda path: path.symlink_to(path.with_name("target")), ["cli.table.exists", "outputs.link"]),
        (lambda path: path.symlink_to("/nowhere/out.csv"), ["cli.table.exists", "outputs.link"]),
        (os.mkfifo, ["cli.table.exists", "outputs.not_a_file"]),
    ],
)
def test_a_table_is_a_regular_file(place, tmp_path, batch, make, codes, resume):
    """Nothing is written through a link, and a pipe is not waited for."""
    (tmp_path / "target").write_bytes(b"")
    make(tmp_path / "out.csv")
    with pytest.raises(OutputRefused) as refused:
        batch(place, table_path=tmp_path / "out.csv", resume=resume)
    assert refused.value.message.code == codes[resume]
    assert (tmp_path / "target").read_bytes() == b""


@pytest.mark.parametrize("resume", [False, True])
def test_two_runs_never_share_a_table(place, tmp_path, batch, resume):
    """The second is refused, whatever it asks for; nothing changes."""
    (tmp_path / "same").symlink_to(place)
    with locked(place / "out.csv"), pytest.raises(OutputRefused) as refused:
        batch(place / "a.png", table_path=tmp_path / "same" / "out.csv", resume=resume)
    assert refused.value.message.code == "outputs.locked"
    assert not (place / "out.csv").exists()


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
        Table.load(tmp_path / "out.csv", "model 1", 0.5, resume=True)
    assert refused.value.message.code == "cli.table.foreign"


@pytest.mark.parametrize(("name", "code"), [("", "is_folder"), ("none/out.csv", "missing_folder")])
def test_a_folder_is_no_table_and_a_table_needs_one(tmp_path, name, code):
    """The message names the folder."""
    with pytest.raises(OutputRefused) as refused:
        Table.load(tmp_path / name, "model 1", 0.5, resume=False)
    assert refused.value.message.code == f"cli.table.{code}"
    assert str((tmp_path / name) if not name else tmp_path / "none") in refused.value.message.values.values()


@pytest.mark.parametrize("lacking", [LATER, LATER[1:], ("codes",)])
def test_a_table_of_an_earlier_version_is_not_continued(tmp_path, lacking):
    """The message names the cause."""
    _write(tmp_path / "out.csv", [name for name in COLUMNS if name not in lacking], model="model 1", status="read")
    with pytest.raises(OutputRefused) as refused:
        Table.load(tmp_path / "out.csv", "model 1", 0.5, resume=True)
    assert refused.value.message.code == "cli.table.earlier_version"
    assert refused.value.message.values["columns"] == lacking


def test_a_table_of_another_model_is_not_continued(tmp_path):
    """Two models have two sets of thresholds, and need two tables."""
    _write(tmp_path / "out.csv", COLUMNS, model="model 2", status="read")
    with pytest.raises(OutputRefused) as refused:
        Table.load(tmp_path / "out.csv", "model 1", 0.5, resume=True)
    assert refused.value.message.code == "cli.table.other_model"


def test_a_table_at_another_prevalence_is_not_continued(place, tmp_path, batch):
    """Its numbers would not compare; at its own it is continued."""
    table = tmp_path / "out.csv"
    assert batch(place, table_path=table)[0] == 0
    assert [row["prevalence"] for row in _rows(table)] == ["0.5"]
    with pytest.raises(OutputRefused) as caught:
        Table.load(table, FakeReader().spec.version, 0.2, resume=True)
    assert caught.value.message.code == "cli.table.other_prevalence"
    assert Table.load(table, FakeReader().spec.version, 0.5, resume=True).all_read
