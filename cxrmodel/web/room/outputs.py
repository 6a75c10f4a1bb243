"""What leaves a session: its table, the report of an image, and all of it as one archive."""

import io
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from importlib import import_module
from pathlib import PurePath

from cxrmodel.apart import apart
from cxrmodel.evaluation.nearest import shipped_evidence
from cxrmodel.logs import log_failure
from cxrmodel.reading import Reading, ReadingRecord
from cxrmodel.report.picture import overlay_png
from cxrmodel.report.table import COLUMNS as READ_COLUMNS
from cxrmodel.report.table import Row as Cells
from cxrmodel.report.table import cell_of, cells, csv_lines, record_of_reading
from cxrmodel.report.wording import DISCLAIMER, evidence_counts, evidence_sentence
from cxrmodel.sinks import file_stem
from cxrmodel.web.room.row import Row

COLUMNS = (*READ_COLUMNS, "logit", "sha256", "read_at", "seen", "mark", "note")
"""Columns of the list: those of ``read --csv``, then those of the session."""
TABLE = "images.csv"
NOTES = "README.txt"


def table_csv(rows: Sequence[Row], prevalence: float) -> bytes:
    """Write rows as a CSV table.

    Parameters
    ----------
    rows : sequence of Row
    prevalence : float
        Of every number.
    """
    header = dict(zip(COLUMNS, COLUMNS, strict=True))
    return csv_lines([header, *(_cells(row, prevalence) for row in rows)], COLUMNS).encode()


def file_title(reading: Reading, ending: str) -> str:
    """Name a file made of a reading; images of the same name give files of different names.

    Parameters
    ----------
    reading : Reading
    ending : str
        What the file is, with its suffix: ``reading.pdf``.

    Returns
    -------
    str
        Name of the image without its suffix as every system accepts it, start of the image's checksum, and ending.
    """
    return f"{file_stem(PurePath(reading.name).stem)} {reading.radiograph.sha256[:8]} {ending}"


def report_pdf(reading: Reading, read_at: datetime) -> bytes:
    """Make the report of a reading, with what the most similar test images had."""
    # Slow to import, so loaded in the background; never here, where a failed import within it would keep the image.
    pdf = apart(import_module, "cxrmodel.report.pdf")
    report: bytes = pdf.pdf_report(reading, read_at, datetime.now().astimezone(), _observed(reading))
    return report


def archive(rows: Sequence[Row], prevalence: float) -> Iterator[bytes]:
    """Write the table, and report and picture of every image in memory, as a ZIP archive, part by part.

    Parameters
    ----------
    rows : sequence of Row
    prevalence : float
        Of every number.
    """
    target = _Parts()
    made: set[str] = set()
    known: set[str] = set()
    lacking: list[str] = []
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr(TABLE, table_csv(rows, prevalence), zipfile.ZIP_DEFLATED)
        for row in rows:
            if row.reading is None or row.read_at is None or row.released:
                lacking.append(row.name)
                continue
            if row.identity in known:
                continue  # the same image under another name
            known.add(row.identity)
            for name, make in _files(row.reading.at(prevalence), row.read_at):
                # The same file may be there twice, repaired in different ways.
                numbered = f"{len(known)} {name}" if name in made else name
                made.add(numbered)
                try:
                    archive.writestr(numbered, make())
                except Exception as error:  # the other files are still wanted
                    lacking.append(f"{row.name} ({log_failure(error)})")
                yield target.take()
        archive.writestr(NOTES, _notes(lacking), zipfile.ZIP_DEFLATED)
    yield target.take()


def _files(reading: Reading, read_at: datetime) -> list[tuple[str, Callable[[], bytes]]]:
    return [
        (file_title(reading, "reading.pdf"), lambda: report_pdf(reading, read_at)),
        (file_title(reading, "heatmap.png"), lambda: overlay_png(reading)),
    ]


def _notes(lacking: Sequence[str]) -> str:
    listed = "".join(f"- {cell_of(name)}\n" for name in lacking)
    return f"{DISCLAIMER}.\n" + (f"\nIn the table only, without report and picture:\n{listed}" if lacking else "")


def _cells(row: Row, prevalence: float) -> Cells:
    record = replace(_record(row, prevalence), file_bytes=row.size)
    reading = row.reading
    own = {
        "logit": reading and reading.logit,
        "sha256": row.identity.partition(",")[0],
        "read_at": row.read_at and row.read_at.isoformat(timespec="seconds"),
        "seen": row.seen,
        "mark": row.mark,
        "note": row.note,
    }
    shown = {} if reading else {"status": _STATUSES.get(row.status, row.status)}
    return {**cells(record), **shown, **{name: cell_of(value) for name, value in own.items()}}


_STATUSES = {"failed": "error"}
"""Words of the command line for those of a row."""


def _record(row: Row, prevalence: float) -> ReadingRecord:
    if row.reading is not None:
        return record_of_reading(row.name, row.reading.at(prevalence))
    said = () if row.reason is None else (row.reason,)
    return ReadingRecord(row.name, "error", reasons=tuple(map(str, said)), codes=tuple(reason.code for reason in said))


def _observed(reading: Reading) -> str:
    """The test images of the most similar scores, in words; empty where these weights were not evaluated."""
    found = shipped_evidence(reading.model, reading.logit, reading.prevalence)
    return f"{evidence_sentence(reading, found)} {evidence_counts(reading, found)}" if found else ""


class _Parts(io.RawIOBase):
    """Takes what is written, and gives it away; nothing is kept."""

    def __init__(self) -> None:
        super().__init__()
        self._written = bytearray()

    def writable(self) -> bool:
        """It takes everything."""
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        """Take some bytes."""
        self._written += data
        return len(data)

    def take(self) -> bytes:
        """Give what was written since the last call."""
        part, self._written = bytes(self._written), bytearray()
        return part
