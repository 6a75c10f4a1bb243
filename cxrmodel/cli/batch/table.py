"""The table that ``read --csv`` writes and continues."""

import csv
import io
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from cxrmodel import outputs
from cxrmodel.errors import OutputFailed, OutputRefused
from cxrmodel.inputs import InputFile
from cxrmodel.prevalence import prevalence_words
from cxrmodel.reading import ReadingRecord
from cxrmodel.report.table import COLUMNS, SHARES, Row, cells, csv_lines
from cxrmodel.sinks import from_cell

LATER = ("codes", *SHARES, "file_bytes", "file_modified")
"""Columns that tables of earlier versions lack."""
NO_HEATMAP = "cli.read.no_heatmap"
"""Code of a reading whose heatmap could not be written."""


class Table:
    """A table of readings.

    Parameters
    ----------
    path : Path
    rows : iterable of mapping
        Rows to begin with; of those of one file the last counts.
    overwrite : bool
        Whether a file at ``path`` is replaced.
    """

    def __init__(self, path: Path, rows: Iterable[Row] = (), *, overwrite: bool = False) -> None:
        self.path, self._overwrite = path, overwrite
        self._rows = {from_cell(row["file"]): row for row in rows}

    @classmethod
    def load(cls, path: Path, model: str, prevalence: float, resume: bool) -> "Table":
        """Read the rows of an existing table, or begin an empty one. A row that was cut short is left out.

        Parameters
        ----------
        path : Path
        model : str
            Version of the model that reads.
        prevalence : float
            Of its readings.
        resume : bool
            Whether an existing table may be continued.

        Raises
        ------
        OutputRefused
            When the file exists and cannot be continued, or its folder does not exist. Nothing is changed.
        """
        check_place(path)
        if not os.path.lexists(path):
            return cls(path)
        if not resume:
            raise OutputRefused("cli.table.exists", table=str(path))
        outputs.refuse_existing(path, overwrite=True)
        try:
            whole_lines, end, last = path.read_bytes().rpartition(b"\n")
            text = (whole_lines + end).decode("utf-8-sig") + last.decode(errors="replace")
            header, *rows = list(csv.reader(io.StringIO(text, newline=""))) or [[]]
        except (UnicodeDecodeError, csv.Error) as error:
            raise OutputRefused("cli.table.foreign", table=str(path)) from error
        if tuple(header) != COLUMNS:
            lacking = tuple(column for column in COLUMNS if column not in header)
            if lacking and set(lacking) <= set(LATER) and set(header) < set(COLUMNS):
                raise OutputRefused("cli.table.earlier_version", table=str(path), columns=lacking)
            raise OutputRefused("cli.table.foreign", table=str(path))
        whole = [dict(zip(COLUMNS, row, strict=True)) for row in rows if len(row) == len(COLUMNS)]
        if any(row["model"] != model for row in whole):
            raise OutputRefused("cli.table.other_model", table=str(path), model=model)
        if any(row["prevalence"] not in ("", str(prevalence)) for row in whole):
            raise OutputRefused("cli.table.other_prevalence", table=str(path), prevalence=prevalence_words(prevalence))
        return cls(path, whole, overwrite=True)

    @property
    def all_read(self) -> bool:
        """Whether every file in the table was read, and every heatmap written that was asked for."""
        return all(row["status"] == "read" and not _lacks_heatmap(row) for row in self._rows.values())

    def pending(self, files: Sequence[InputFile], heatmaps: bool = False) -> list[InputFile]:
        """Choose the files that are still to be read, each once, and drop their rows.

        These are the files without a row, those that failed, and those that have changed since. The row of a file that
        is gone stays.

        Parameters
        ----------
        files : sequence of InputFile
        heatmaps : bool
            Whether a heatmap that could not be written is tried again.
        """
        left = []
        for file in {file.name: file for file in files}.values():
            row = self._rows.get(file.name)
            if row is None or not _is_settled(row, file) or (heatmaps and _lacks_heatmap(row)):
                self._rows.pop(file.name, None)
                left.append(file)
        return left

    @contextmanager
    def open(self) -> Iterator[Callable[[ReadingRecord], None]]:
        """Write the table and give a function that appends a record.

        The record is on disk when the function returns; if it raises ``OutputFailed``, nothing of it is.
        """
        outputs.write(
            self.path,
            csv_lines([dict(zip(COLUMNS, COLUMNS, strict=True)), *self._rows.values()]),
            overwrite=self._overwrite,
        )
        opened = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW)

        def append(record: ReadingRecord) -> None:
            end = os.fstat(opened).st_size
            line = csv_lines([cells(record)]).encode()
            try:
                while line:
                    line = line[os.write(opened, line) :]
                os.fsync(opened)
            except BaseException as error:
                with suppress(OSError):
                    os.ftruncate(opened, end)
                if not isinstance(error, OSError):
                    raise
                reason = error.strerror or str(error)
                raise OutputFailed("cli.table.not_continued", table=str(self.path), reason=reason) from error

        try:
            yield append
        finally:
            os.close(opened)


def check_place(path: Path) -> None:
    """Refuse a place where there can be no table.

    Raises
    ------
    OutputRefused
        When it is a folder, or lies in none.
    """
    if path.is_dir():
        raise OutputRefused("cli.table.is_folder", table=str(path))
    if not path.parent.is_dir():
        raise OutputRefused("cli.table.missing_folder", folder=str(path.parent))


def _is_settled(row: Row, file: InputFile) -> bool:
    unchanged = file.state is None or (row["file_bytes"], row["file_modified"]) == tuple(map(str, file.state))
    return unchanged and row["status"] in ("read", "refused")


def _lacks_heatmap(row: Row) -> bool:
    return NO_HEATMAP in row["codes"].split("; ")
