"""Readings as rows of a table: the columns of ``read --csv`` and of the page's list."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, fields, replace
from typing import Any, Literal

from cxrmodel.errors import CxrError, ImageRefused
from cxrmodel.explain.shares import EvidenceShares
from cxrmodel.messages import Message
from cxrmodel.reading import Reading, ReadingRecord
from cxrmodel.report.wording import reasons
from cxrmodel.sinks import cell

KEYS = tuple(field.name for field in fields(ReadingRecord))
"""Keys of ``--json``, in order."""
SHARES = tuple(f"evidence_{field.name}" for field in fields(EvidenceShares))
"""Columns that take the place of the key ``evidence_shares``."""
COLUMNS = tuple(column for key in KEYS for column in (SHARES if key == "evidence_shares" else (key,)))
"""Columns of ``--csv``, in order."""

Row = Mapping[str, str]
"""Cells by column."""


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
        return record_of_reading(file, outcome)
    if isinstance(outcome, CxrError):
        reason = outcome.message
    elif isinstance(outcome, OSError):
        reason = Message("cli.read.unreadable", reason=outcome.strerror or str(outcome))
    else:
        reason = unexpected(outcome)
    status: Literal["refused", "error"] = "refused" if isinstance(outcome, ImageRefused) else "error"
    return record_of_reason(file, status, reason, model)


def unexpected(error: Exception) -> Message:
    """Reason of an error that no code of this program foresees; its own text may quote what is private."""
    return Message("cli.read.unexpected", error=type(error).__name__)


def record_of_reading(file: str, reading: Reading) -> ReadingRecord:
    """Make the record of a file that was read.

    Parameters
    ----------
    file : str
        Path as printed.
    reading : Reading
    """
    said = reasons(reading)
    return replace(
        reading.as_record(file),
        reasons=tuple(str(reason) for reason in said),
        codes=tuple(reason.code for reason in said),
    )


def record_of_reason(file: str, status: Literal["refused", "error"], reason: Message, model: str) -> ReadingRecord:
    """Make the record of a file that has no reading.

    Parameters
    ----------
    file : str
        Path as printed.
    status : {"refused", "error"}
    reason : Message
    model : str
        Version of the model.
    """
    return ReadingRecord(file, status, reasons=(str(reason),), codes=(reason.code,), model=model)


def cells(record: ReadingRecord) -> Row:
    """Write a record as the cells of a row."""
    values = {name: "; ".join(value) if isinstance(value, tuple) else value for name, value in vars(record).items()}
    del values["evidence_shares"]
    values |= dict(zip(SHARES, astuple(record.evidence_shares), strict=True)) if record.evidence_shares else {}
    return {name: cell_of(value) for name, value in values.items()}


def cell_of(value: Any) -> str:
    """Write a value as a cell; None is empty."""
    return cell(value) if isinstance(value, str) else str("" if value is None else value)


def csv_lines(rows: Iterable[Row], columns: Sequence[str] = COLUMNS) -> str:
    """Write rows as lines of CSV, without a header."""
    text = io.StringIO(newline="")
    csv.DictWriter(text, columns).writerows(rows)
    return text.getvalue()
