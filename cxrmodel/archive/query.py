"""Questions to an archive's output in SQL: DuckDB over its parts, without access to anything else.

The database is in memory and holds two views: ``images``, the rows, and ``listed``, what the images are called. DuckDB
may open no file and no connection, load no extension, and change nothing of this.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cxrmodel.archive.columns import SCHEMA
from cxrmodel.archive.manifest import LISTED, latest, load_run
from cxrmodel.archive.output import Output, read_table
from cxrmodel.errors import DataError
from cxrmodel.extras import need
from cxrmodel.sinks import shortened

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

IMAGES, LISTINGS = "images", "listed"
"""Names of the views."""
_CLOSED: dict[str, str | bool | int | float | list[str]] = {
    "allow_community_extensions": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "temp_directory": "",
}
_AT_ONCE = 1000


@dataclass(frozen=True)
class Answer:
    """Rows of an answer, which come as they are computed.

    Attributes
    ----------
    columns : tuple of str
        Each name once.
    rows : iterator of tuple
        Plain values: None, bool, int, float, str, and lists and dicts of these.
    """

    columns: tuple[str, ...]
    rows: Iterator[tuple[Any, ...]]


@contextmanager
def database(folder: Path) -> "Iterator[duckdb.DuckDBPyConnection]":
    """Open the rows of an output, of a run that is still going on, too.

    Parameters
    ----------
    folder : Path
        Of the output.

    Raises
    ------
    DataError
        When it is none, or is damaged.
    MissingExtra
    """
    need("duckdb", extra="archive")
    import duckdb
    import pyarrow.dataset as ds

    output = Output(folder)
    load_run(output)
    whole, unfinished = _rows_of(output)
    views = {
        "whole": ds.dataset(whole, schema=SCHEMA, format="parquet") if whole else SCHEMA.empty_table(),
        "unfinished": unfinished,
        LISTINGS: ds.dataset([str(path) for path in output.listings()], schema=LISTED, format="parquet"),
    }
    with duckdb.connect(":memory:", config=_CLOSED) as connection:
        for name, rows in views.items():
            connection.register(name, rows)
        connection.execute(f"CREATE VIEW {IMAGES} AS SELECT * FROM whole UNION ALL SELECT * FROM unfinished")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        yield connection


@contextmanager
def asked(folder: Path, sql: str) -> Iterator[Answer]:
    """Ask one question.

    Parameters
    ----------
    folder : Path
        Of the output.
    sql : str
        One SELECT, or EXPLAIN of one.

    Raises
    ------
    DataError
        When it is something else, DuckDB does not understand it, or the output cannot be used.
    MissingExtra
    """
    with database(folder) as connection:
        import duckdb

        kinds = {duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN}
        try:
            statements = connection.extract_statements(sql)
            if len(statements) != 1 or statements[0].type not in kinds:
                raise DataError("archive.query.no_question")
            result = connection.execute(statements[0])
            yield Answer(_unique([column[0] for column in result.description]), _rows(result))
        except duckdb.Error as error:
            reason = shortened(str(error).partition("\n")[0].rstrip(".!"), 300)
            raise DataError("archive.query.failed", reason=reason) from error


def _rows_of(output: Output) -> "tuple[list[str], pa.Table]":
    """Parts that are complete, and the rows of blocks that are not; of one image the last row counts."""
    while True:
        segments, parts = output.segments(), output.parts()
        whole = [str(path) for block, path in parts.items() if block not in segments]
        paths = [([parts[block]] if block in parts else []) + found for block, found in segments.items()]
        try:
            tables = [read_table(path, SCHEMA.names) for path in chain.from_iterable(paths)]
        except DataError:
            if output.segments() == segments:
                raise
            continue  # a run that goes on has completed a block meanwhile
        return whole, latest(tables).cast(SCHEMA) if tables else SCHEMA.empty_table()


def _rows(result: "duckdb.DuckDBPyConnection") -> Iterator[tuple[Any, ...]]:
    while rows := result.fetchmany(_AT_ONCE):
        yield from (tuple(map(_plain, row)) for row in rows)


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, dict):
        return {str(name): _plain(part) for name, part in value.items()}
    return str(value)


def _unique(names: Sequence[str]) -> tuple[str, ...]:
    """Number names that come again: ``a``, ``a_2``."""
    found: list[str] = []
    for name in names:
        choice, number = name, 1
        while choice in found:
            number += 1
            choice = f"{name}_{number}"
        found.append(choice)
    return tuple(found)
