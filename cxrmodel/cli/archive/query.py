"""The ``archive query`` command: cohorts and counts of an archive's output, by SQL."""

import argparse
import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any

from cxrmodel.cli.command import Command, Status, put
from cxrmodel.sinks import cell, contained, json_line

_SAMPLED = 1000
"""Rows that decide how wide the columns of a table are."""
_WIDEST = 60


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("output", type=Path, metavar="OUT", help="folder that archive score wrote or is writing")
    parser.add_argument(
        "sql",
        metavar="SQL",
        help="one SELECT from the views images (the rows) and listed (names of the images; join them by item)",
    )
    parser.add_argument(
        "--format", choices=tuple(_WRITERS), default="table", help="json: one object a line; default: %(default)s"
    )


def _run(arguments: argparse.Namespace) -> Status:
    from cxrmodel.archive.query import asked

    with asked(arguments.output, arguments.sql) as answer:
        for line in _WRITERS[arguments.format](answer.columns, answer.rows):
            put(line)
    return Status.DONE


def _table(columns: Sequence[str], rows: Iterator[tuple[Any, ...]]) -> Iterator[str]:
    first = list(islice(rows, _SAMPLED))
    shown = [[contained(name) for name in columns], *(_texts(row) for row in first)]
    widths = [min(_WIDEST, max(map(len, column))) for column in zip(*shown, strict=True)]
    yield _aligned(shown[0], widths)
    yield _aligned(["-" * width for width in widths], widths)
    for texts in chain(shown[1:], map(_texts, rows)):
        yield _aligned(texts, widths)


def _aligned(texts: Iterable[str], widths: Sequence[int]) -> str:
    return "  ".join(text.ljust(width) for text, width in zip(texts, widths, strict=True)).rstrip()


def _texts(row: Iterable[Any]) -> list[str]:
    return ["" if value is None else contained(_text(value)) for value in row]


def _csv(columns: Sequence[str], rows: Iterator[tuple[Any, ...]]) -> Iterator[str]:
    for row in chain([columns], rows):
        line = io.StringIO()
        csv.writer(line, lineterminator="").writerow(
            "" if value is None else value if isinstance(value, int | float) else cell(_text(value)) for value in row
        )
        yield line.getvalue()


def _json(columns: Sequence[str], rows: Iterator[tuple[Any, ...]]) -> Iterator[str]:
    for row in rows:
        yield json_line(dict(zip(columns, row, strict=True)))


def _text(value: Any) -> str:
    return json_line(value) if isinstance(value, list | dict) else str(value)


_WRITERS: dict[str, Callable[[Sequence[str], Iterator[tuple[Any, ...]]], Iterator[str]]] = {
    "table": _table,
    "csv": _csv,
    "json": _json,
}

COMMAND = Command(
    "query",
    "ask an output in SQL: cohorts, counts, distributions",
    _add_arguments,
    _run,
    epilog="Example: \"SELECT study_year, count(*), avg(probability) FROM images WHERE status = 'read' GROUP BY ALL "
    'ORDER BY ALL". Results go to standard output. The question reads the output alone: no other file, no network.',
)
