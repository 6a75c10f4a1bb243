"""Questions to an output: what they find equals its rows, and they reach nothing else."""

import csv
import io
import json
import shutil

import pytest

from cxrmodel.archive.output import Output
from cxrmodel.archive.query import asked
from cxrmodel.cli.main import main
from cxrmodel.errors import DataError
from tests.support.archives import lay_out, rows, score


@pytest.fixture(scope="module")
def scored(tmp_path_factory):
    """An output of twelve images in three parts."""
    folder = tmp_path_factory.mktemp("scored")
    score(
        folder / "out", lay_out(folder / "images", 9, **{"!first": "broken", "004 empty": "empty", "~last": "failing"})
    )
    return folder / "out"


def answer(out, sql):
    """Columns and rows of an answer."""
    with asked(out, sql) as found:
        return found.columns, list(found.rows)


def test_every_row_is_there_once(scored):
    """With the values that the parts hold."""
    columns, found = answer(scored, "SELECT * EXCLUDE milliseconds FROM images ORDER BY item")
    assert [dict(zip(columns, row, strict=True)) for row in found] == rows(scored)


def test_counts_and_names(scored):
    """Groups, and the names of images from their listing."""
    statuses = [row["status"] for row in rows(scored)]
    columns, found = answer(scored, "SELECT status, count(*) AS n FROM images GROUP BY status ORDER BY status")
    assert (columns, found) == (("status", "n"), [(name, statuses.count(name)) for name in sorted(set(statuses))])
    sql = "SELECT id FROM images JOIN listed USING (item) WHERE status = 'refused' ORDER BY item"
    assert answer(scored, sql)[1] == [("!first",), ("004 empty",)]


def test_an_output_that_is_not_complete(scored, out):
    """Rows of unfinished blocks count, of one image the last."""
    before = answer(scored, "SELECT * FROM images ORDER BY item")
    output = Output(shutil.copytree(scored, out))
    output.unfinished.mkdir(exist_ok=True)
    output.part(1).rename(output.segment(1, 0))
    output.segment(2, 0).write_bytes(output.part(2).read_bytes())
    assert answer(out, "SELECT * FROM images ORDER BY item") == before


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM '{part}'",
        "SELECT * FROM read_parquet('{part}')",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM glob('/*')",
        "SELECT * FROM read_parquet('http://127.0.0.1:1/x.parquet')",
        "SELECT * FROM read_parquet('s3://bucket/x.parquet')",
        "COPY images TO '{folder}/copy.csv'",
        "COPY (SELECT 1) TO '{folder}/copy.parquet'",
        "EXPORT DATABASE '{folder}/export'",
        "ATTACH '{folder}/new.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "RESET lock_configuration",
        "PRAGMA database_list",
        "CREATE TABLE images2 AS SELECT 1",
        "DROP VIEW images",
        "DELETE FROM images",
        "SELECT 1; SELECT 2",
        "SELECT 1; COPY images TO '{folder}/copy.csv'",
        "",
        "no SQL",
        "SELECT nothing FROM images",
        "SELECT * FROM elsewhere",
    ],
)
def test_what_is_not_answered(sql, scored, tmp_path):
    """Other files, connections, extensions, changes, several statements; nothing is written anywhere."""
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(DataError) as caught:
        answer(scored, sql.format(part=Output(scored).part(0), folder=tmp_path))
    assert caught.value.message.code in ("archive.query.no_question", "archive.query.failed")
    assert sorted(tmp_path.rglob("*")) == before


def test_a_folder_of_something_else(tmp_path):
    """Is named."""
    with pytest.raises(DataError) as caught:
        answer(tmp_path, "SELECT 1")
    assert caught.value.message.code == "archive.no_output"


SQL = """SELECT 1 AS a, 'x,"y' AS a, '=1+1' AS f, NULL AS n, 'nan'::DOUBLE AS d, [1, NULL] AS l, {'k': 'v'} AS s,
DATE '2024-01-02' AS day, '\\xFF'::BLOB AS b, chr(8238) AS hidden"""
NAMES = ["a", "a_2", "f", "n", "d", "l", "s", "day", "b", "hidden"]


def printed(out, capsys, *options):
    """What the command prints."""
    assert main(["archive", "query", str(out), *options]) == 0
    return capsys.readouterr().out


def test_formats(scored, capsys):
    """Exact as JSON; as CSV no spreadsheet computes it; no terminal is misled by a table."""
    exact = [1, 'x,"y', "=1+1", None, None, [1, None], {"k": "v"}, "2024-01-02", "ff", "\u202e"]
    assert json.loads(printed(scored, capsys, SQL, "--format", "json")) == dict(zip(NAMES, exact, strict=True))
    names, values = csv.reader(io.StringIO(printed(scored, capsys, SQL, "--format", "csv")))
    assert names == NAMES
    assert values == ["1", 'x,"y', "'=1+1", "", "", "[1, null]", '{"k": "v"}', "2024-01-02", "ff", "\\u{202e}"]
    header, rule, line = printed(scored, capsys, SQL).splitlines()
    assert header.split() == NAMES
    assert set(rule) == {"-", " "}
    assert "\u202e" not in line


def test_rows_come_as_they_are_computed(scored, capsys):
    """More of them than a table looks at before it prints."""
    lines = printed(scored, capsys, "SELECT range AS number, repeat('x', range // 1000) AS text FROM range(2500)")
    assert lines.splitlines()[2].split() == ["0"]
    assert lines.splitlines()[-1].split() == ["2499", "xx"]
