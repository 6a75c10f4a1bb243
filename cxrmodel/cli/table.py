"""Results of ``read``: the record of each file (keys of ``--json``, columns of ``--csv``), and the CSV table."""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Literal

from cxrmodel.errors import ImageRefused, OutputRefused
from cxrmodel.messages import Message
from cxrmodel.reading import Reading, ReadingRecord

COLUMNS = tuple(field.name for field in fields(ReadingRecord))
"""Keys and columns, in order."""


def make_record(file: str, outcome: Reading | Exception, model: str) -> ReadingRecord:
    """Make the record of a file.

    Parameters
    ----------
    file : str
        Path as printed.
    outcome : Reading or Exception
        The reading, or why there is none.
    model : str
        Version of the model.
    """
    if isinstance(outcome, Reading):
        return outcome.as_record(file)
    if isinstance(outcome, ImageRefused):
        reason = outcome.message
    elif isinstance(outcome, OSError):
        reason = Message("cli.read.unreadable", reason=outcome.strerror or str(outcome))
    else:
        reason = Message("cli.read.unexpected", error=type(outcome).__name__)
    status: Literal["refused", "error"] = "refused" if isinstance(outcome, ImageRefused) else "error"
    return ReadingRecord(file, status, reasons=(str(reason),), codes=(reason.code,), model=model)


class Table:
    """A table of readings.

    Parameters
    ----------
    path : Path
    rows : sequence of dict
        Rows to begin with, by column.
    """

    def __init__(self, path: Path, rows: Sequence[dict[str, str]] = ()) -> None:
        self.path, self._rows = path, rows

    @classmethod
    def load(cls, path: Path, model: str, resume: bool) -> "Table":
        """Read the rows of an existing table, or begin an empty one.

        Rows of files that failed are left out, and so is a row that was cut short: those files are read again.

        Parameters
        ----------
        path : Path
        model : str
            Version of the model that reads.
        resume : bool
            Whether an existing table may be continued.

        Raises
        ------
        OutputRefused
            When the file exists and cannot be continued, or its folder does not exist. Nothing is changed.
        """
        if path.is_dir():
            raise OutputRefused("cli.table.is_folder", table=str(path))
        if not path.parent.is_dir():
            raise OutputRefused("cli.table.missing_folder", folder=str(path.parent))
        if not path.exists():
            return cls(path)
        if not resume:
            raise OutputRefused("cli.table.exists", table=str(path))
        try:
            complete_lines = path.read_text(encoding="utf-8").rpartition("\n")[0]
            header, *rows = list(csv.reader(io.StringIO(complete_lines))) or [[]]
        except (UnicodeDecodeError, csv.Error) as error:
            raise OutputRefused("cli.table.foreign", table=str(path)) from error
        if tuple(header) != COLUMNS:
            earlier = set(header) == set(COLUMNS) - {"codes"}
            raise OutputRefused("cli.table.earlier_version" if earlier else "cli.table.foreign", table=str(path))
        whole = [dict(zip(COLUMNS, row, strict=True)) for row in rows if len(row) == len(COLUMNS)]
        if any(row["model"] != model for row in whole):
            raise OutputRefused("cli.table.other_model", table=str(path), model=model)
        return cls(path, [row for row in whole if row["status"] in ("read", "refused")])

    @property
    def files(self) -> set[str]:
        """Files that the table already has."""
        return {row["file"] for row in self._rows}

    @property
    def all_read(self) -> bool:
        """Whether every file in the table was read."""
        return all(row["status"] == "read" for row in self._rows)

    @contextmanager
    def open(self) -> Iterator[Callable[[ReadingRecord], None]]:
        """Open the table and give a function that appends a record, on disk at once."""
        draft = self.path.with_name(f"{self.path.name}.part")
        with draft.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, COLUMNS)
            writer.writeheader()
            writer.writerows(self._rows)
        draft.replace(self.path)
        with self.path.open("a", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, COLUMNS)

            def append(record: ReadingRecord) -> None:
                writer.writerow(
                    {
                        name: "; ".join(value) if isinstance(value, tuple) else value
                        for name, value in vars(record).items()
                    }
                )
                stream.flush()

            yield append
