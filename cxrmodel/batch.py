"""Many films from the command line: paths in, lines out, in the order given."""

import csv
import io
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tqdm import tqdm

from cxrmodel.errors import FilmRefused
from cxrmodel.explain.overlay import overlay_figure
from cxrmodel.reading import Reader, Reading

__all__ = ["COLUMNS", "list_files", "read_paths"]

COLUMNS = (
    "file",
    "status",
    "probability",
    "finding",
    "operating_point",
    "threshold",
    "reasons",
    "heat_in_lungs",
    "model",
    "milliseconds",
)


def list_files(paths: Sequence[Path]) -> Iterator[tuple[Path, Path]]:
    """Every file to be read, with its path relative to the argument that named it.

    Directories are walked recursively in sorted order; hidden files and folders are left out. A path that
    does not exist is yielded too, so that it gets its line.

    Yields
    ------
    path, relative : Path
    """
    for path in paths:
        if not path.is_dir():
            yield path, Path(path.name)
            continue
        for child in sorted(path.rglob("*")):
            relative = child.relative_to(path)
            if child.is_file() and not any(part.startswith(".") for part in relative.parts):
                yield child, relative


def read_paths(
    reader: Reader,
    paths: Sequence[Path],
    *,
    as_json: bool = False,
    table: Path | None = None,
    heatmaps: Path | None = None,
    resume: bool = False,
) -> int:
    """Read films and write a line for each as it comes; a bad one stops nothing.

    Parameters
    ----------
    as_json : bool
        One JSON object a line instead of a sentence.
    table : Path or None
        CSV file to write as well, a row at a time.
    heatmaps : Path or None
        Folder for overlays, which keeps relative paths.
    resume : bool
        Leave out the files that ``table`` has already, and add the others to it.

    Returns
    -------
    int
        0 when every file was read, those of ``table`` included, else 3.
    """
    files = list(list_files(paths))
    with ExitStack() as stack:
        done = _rows_so_far(table) if table and resume else []
        write_row = stack.enter_context(_table(table, done)) if table else None
        complete = all(row["status"] == "read" for row in done)
        names = {row["file"] for row in done}
        files = [(path, relative) for path, relative in files if str(path) not in names]
        bar = stack.enter_context(tqdm(total=len(files), desc="reading", unit="film", disable=len(files) < 2))
        readings = reader.read_many((path.read_bytes, path.name) for path, _ in files)
        for (path, relative), reading in zip(files, readings, strict=True):
            record = {"file": str(path)} | _record(reading, reader.spec.version)
            if heatmaps and isinstance(reading, Reading):
                _write_overlay(reading, heatmaps / relative.parent / f"{relative.name}.png")
            complete &= record["status"] == "read"
            sys.stdout.write((json.dumps(record, ensure_ascii=False) if as_json else _line(record)) + "\n")
            sys.stdout.flush()
            if write_row:
                write_row(record | {"reasons": "; ".join(record["reasons"])})
            bar.update()
    return 0 if complete else 3


def _rows_so_far(table: Path) -> list[dict]:
    """The whole rows of an earlier, perhaps interrupted, run; a row cut short is left out."""
    if not table.is_file():
        return []
    whole = table.read_text(encoding="utf-8").rpartition("\n")[0]
    rows = list(csv.DictReader(io.StringIO(whole)))
    return [row for row in rows if None not in row and None not in row.values()]


@contextmanager
def _table(path: Path, rows: Sequence[dict]) -> Iterator[Callable[[dict], None]]:
    """Open a table that begins with ``rows`` and keeps every further row at once."""
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, COLUMNS, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
        stream.flush()

        def write(row: dict) -> None:
            writer.writerow(row)
            stream.flush()

        yield write


def _record(reading: Reading | Exception, model: str) -> dict:
    record = dict.fromkeys(COLUMNS[1:]) | {"status": "error", "model": model}
    if isinstance(reading, Reading):
        return record | reading.as_record()
    if isinstance(reading, FilmRefused):
        return record | {"status": "refused", "reasons": [str(reading)]}
    if isinstance(reading, OSError):
        return record | {"reasons": [f"The file cannot be read: {reading.strerror}. Check its path and permissions."]}
    return record | {"reasons": [f"An unexpected fault ({type(reading).__name__}) stopped this film alone; report it."]}


def _write_overlay(reading: Reading, out: Path) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    overlay_figure(reading.radiograph.pixels, reading.heat, reading.heat_range).savefig(out, dpi=150)


def _line(record: dict) -> str:
    said = " ".join(record["reasons"])
    if record["status"] != "read":
        return f"{record['file']}: {record['status']}. {said}"
    sure = f"pneumonia {record['probability']:.1%}, {record['finding']}"
    point = f"{record['operating_point']} threshold {record['threshold']:.1%}"
    return f"{record['file']}: {sure} ({point}). {said}".rstrip()
