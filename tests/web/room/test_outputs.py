"""What leaves a session, compared with what the command line gives."""

import csv
import io
import zipfile

import pytest

from cxrmodel.report import pdf
from cxrmodel.report.table import COLUMNS as READ_COLUMNS
from cxrmodel.report.table import cells, make_record
from cxrmodel.web.room import outputs
from cxrmodel.web.room import room as rooms
from tests.support.rooms import announce, give

PREVALENCE = 0.2
FROM_FILE = {"file_bytes", "file_modified"}


@pytest.fixture
def coded(make_image, png):
    """Three different images as files."""
    return [png(make_image(seed, (90, 80))) for seed in range(3)]


def table(room, prevalence=PREVALENCE):
    """Rows of the table."""
    return list(csv.DictReader(io.StringIO(outputs.table_csv(room.rows(), prevalence).decode(), newline="")))


def archive(room):
    """Files of the archive by name."""
    with zipfile.ZipFile(io.BytesIO(b"".join(outputs.archive(room.rows(), PREVALENCE)))) as opened:
        assert opened.testzip() is None
        return {name: opened.read(name) for name in opened.namelist()}


def test_table_has_everything_that_the_command_line_has(room, coded):
    """The same columns and cells at the same prevalence, then what only the session knows."""
    give(room, ("a.png", coded[0]))
    reading = room.rows()[0].reading.at(PREVALENCE)
    (row,) = table(room)
    expected = cells(make_record("a.png", reading, reading.model))
    assert tuple(row)[: len(READ_COLUMNS)] == READ_COLUMNS
    assert {name: row[name] for name in READ_COLUMNS if name not in FROM_FILE} == {
        name: value for name, value in expected.items() if name not in FROM_FILE
    }
    assert float(row["logit"]) == reading.logit
    assert row["sha256"] != row["file"]
    assert len(row["sha256"]) == 64
    assert row["read_at"] == room.rows()[0].read_at.isoformat(timespec="seconds")


def test_table_has_every_file_with_its_status_and_notes(room, coded):
    """No spreadsheet takes a name or a note for a formula."""
    ids = give(room, ("=a.png", coded[0]), ("b.txt", b"text"), ("c.png", b"break"))
    announce(room, "d.png")
    room.annotate(ids[0], mark="disagree", note="=1+1")
    rows = table(room)
    assert [row["status"] for row in rows] == ["read", "refused", "error", "waiting"]
    assert [row["codes"] for row in rows][1:3] == ["imaging.unsupported.pdf", "web.read.failed"]
    assert (rows[0]["file"], rows[0]["mark"], rows[0]["note"]) == ("'=a.png", "disagree", "'=1+1")


def test_archive_has_table_reports_and_pictures(room, coded, monkeypatch):
    """Of every image in memory, once; of others the table alone, which a note says."""
    monkeypatch.setattr(rooms, "MOST_IMAGES", 2)
    give(room, *((f"{place}.png", data) for place, data in enumerate(coded)), ("copy.png", coded[2]), ("b.txt", b"x"))
    files = archive(room)
    kinds = sorted(name.rpartition(" ")[2] for name in files)
    assert kinds == ["README.txt", "heatmap.png", "heatmap.png", "images.csv", "reading.pdf", "reading.pdf"]
    assert all(data.startswith(b"%PDF") for name, data in files.items() if name.endswith("pdf"))
    assert all(data.startswith(b"\x89PNG") for name, data in files.items() if name.endswith("png"))
    assert files["images.csv"] == outputs.table_csv(room.rows(), PREVALENCE)
    assert [line for line in files["README.txt"].decode().splitlines() if line.startswith("- ")] == [
        "- 0.png",
        "- b.txt",
    ]


def test_a_file_that_cannot_be_made_is_named(room, coded, monkeypatch):
    """The others are in the archive."""

    def broken(*_):
        raise RuntimeError("inner detail")

    monkeypatch.setattr(pdf, "pdf_report", broken)
    give(room, ("a.png", coded[0]))
    files = archive(room)
    assert sorted(name.rpartition(" ")[2] for name in files) == ["README.txt", "heatmap.png", "images.csv"]
    assert b"a.png (" in files["README.txt"]
    assert b"inner detail" not in files["README.txt"]


def test_images_of_one_name_give_files_of_different_names(room, coded):
    """By the start of the checksum."""
    give(room, ("a.png", coded[0]), ("a.png", coded[1]))
    names = [name for name in archive(room) if name.endswith("pdf")]
    assert len(names) == 2
    assert all(name.startswith("a ") for name in names)
