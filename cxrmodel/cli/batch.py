"""Many images from the command line: paths in, lines out, in the order given."""

import csv
import io
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tqdm import tqdm

from cxrmodel.errors import ImageRefused, OutputRefused
from cxrmodel.explain.overlay import overlay_figure
from cxrmodel.model.spec import ModelSpec
from cxrmodel.reading import Reader, Reading
from cxrmodel.report.wording import DISCLAIMER, figure_caption, percent, probability_percent, threshold_percent

__all__ = ["COLUMNS", "OVERLAY_ENDING", "list_files", "read_paths"]

COLUMNS = (
    "file",
    "status",
    "probability",
    "finding",
    "uncertain_from",
    "uncertain_to",
    "operating_point",
    "threshold",
    "reasons",
    "heat_in_lungs",
    "model",
    "prevalence",
    "milliseconds",
)
OVERLAY_ENDING = ".heatmap.png"
"""What the name of an image gets to become that of its overlay."""


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
            if (child.is_file() or _leads_nowhere(child)) and not any(part.startswith(".") for part in relative.parts):
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
    """Read images and write a line for each as it comes; a bad one stops nothing.

    What holds for all of them is said before, on standard error.

    Parameters
    ----------
    as_json : bool
        One JSON object a line instead of a sentence.
    table : Path or None
        CSV file to write as well, a row at a time. An existing file is never written over.
    heatmaps : Path or None
        Folder for overlays: relative paths are kept, and each is named by the image's whole name, extension and all,
        and ``.heatmap.png``, so that ``a.jpg`` and ``a.png`` of one folder get one each.
    resume : bool
        Leave out the images that ``table`` has as read or refused, and add the others to it.

    Returns
    -------
    int
        0 when every file was read, those of ``table`` included, else 3.

    Raises
    ------
    OutputRefused
        When ``table`` exists or is not one to go on with, or two images would share an overlay. Nothing was written.
    """
    done = _rows_so_far(table, resume, reader.spec.version) if table else []
    files = [(path, relative) for path, relative in list_files(paths) if not _is_own(path, table, heatmaps)]
    if heatmaps:
        _check_overlays(files)
    empty = [path for path in paths if path.is_dir() and not any(path in file.parents for file, _ in files)]
    for path in empty:
        sys.stderr.write(f"There is no file in {path}. Name a folder that holds images.\n")
    with ExitStack() as stack:
        write_row = stack.enter_context(_table(table, done)) if table else None
        complete = not empty and all(row["status"] == "read" for row in done)
        names = {row["file"] for row in done}
        files = [(path, relative) for path, relative in files if _name(path) not in names]
        if resume:
            sys.stderr.write(
                f"{len(done)} images of {table} are left out, by their paths; {len(files)} are still to be read. "
                "To read an image again, take its row out of the table.\n"
            )
        if files:
            sys.stderr.write(f"{_of_all(reader.spec)}\n")
        bar = stack.enter_context(tqdm(total=len(files), desc="reading", unit="image", disable=len(files) < 2))
        readings = reader.read_many((path.read_bytes, path.name) for path, _ in files)
        for (path, relative), reading in zip(files, readings, strict=True):
            record = {"file": _name(path)} | _record(reading, reader.spec.version)
            if heatmaps and isinstance(reading, Reading):
                _write_overlay(reading, heatmaps / relative.parent / f"{relative.name}{OVERLAY_ENDING}")
            complete &= record["status"] == "read"
            sys.stdout.write((json.dumps(record, ensure_ascii=False) if as_json else _line(record)) + "\n")
            sys.stdout.flush()
            if write_row:
                write_row(record | {"reasons": "; ".join(record["reasons"])})
            bar.update()
    return 0 if complete else 3


def _of_all(spec: ModelSpec) -> str:
    """What belongs beside every probability of a model, said once."""
    return (
        f"{DISCLAIMER}. Model {spec.version}, trained on children aged {spec.ages}; probabilities assume a prevalence "
        f"of {percent(spec.prevalence)}."
    )


def _leads_nowhere(path: Path) -> bool:
    """Whether a path is a link to a file that is not there, which its reader should be told of."""
    return path.is_symlink() and not path.exists()


def _name(path: Path) -> str:
    """The path as text that any file can hold, also where its bytes are not UTF-8."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _is_own(path: Path, table: Path | None, heatmaps: Path | None) -> bool:
    """Whether a path is what this very call writes."""
    place = path.resolve()
    return (table is not None and place == table.resolve()) or (
        heatmaps is not None and heatmaps.resolve() in place.parents
    )


def _check_overlays(files: Sequence[tuple[Path, Path]]) -> None:
    targets: dict[Path, Path] = {}
    for path, relative in files:
        if targets.setdefault(relative, path) != path:
            raise OutputRefused(
                f"{_name(targets[relative])} and {_name(path)} would share one overlay. "
                "Read their folders one at a time, each with --heatmaps of its own."
            )


def _rows_so_far(table: Path, resume: bool, model: str) -> list[dict]:
    """The rows that a run goes on from: whole ones of images read or refused by the same model."""
    if not table.exists():
        return []
    if not resume:
        raise OutputRefused(f"{table} exists. Go on with it by --resume, or name another file.")
    foreign = OutputRefused(f"{table} is not a table of this program and is left as it is. Name another file.")
    try:
        whole = table.read_text(encoding="utf-8").rpartition("\n")[0]
    except UnicodeDecodeError as error:
        raise foreign from error
    rows = list(csv.reader(io.StringIO(whole)))
    if not rows or tuple(rows[0]) != COLUMNS:
        raise foreign
    done = [dict(zip(COLUMNS, row, strict=True)) for row in rows[1:] if len(row) == len(COLUMNS)]
    if any(row["model"] != model for row in done):
        raise OutputRefused(f"{table} holds readings of another model than {model}. Name another file.")
    return [row for row in done if row["status"] in ("read", "refused")]


@contextmanager
def _table(path: Path, rows: Sequence[dict]) -> Iterator[Callable[[dict], None]]:
    """Open a table that begins with ``rows`` and keeps every further row at once."""
    draft = path.with_name(f"{path.name}.part")
    with draft.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    draft.replace(path)
    with path.open("a", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, COLUMNS)

        def write(row: dict) -> None:
            writer.writerow(row)
            stream.flush()

        yield write


def _record(reading: Reading | Exception, model: str) -> dict:
    record = dict.fromkeys(COLUMNS[1:]) | {"status": "error", "model": model}
    if isinstance(reading, Reading):
        return record | reading.as_record()
    if isinstance(reading, ImageRefused):
        return record | {"status": "refused", "reasons": [str(reading)]}
    if isinstance(reading, OSError):
        return record | {"reasons": [f"The file cannot be read: {reading.strerror}. Check its path and permissions."]}
    return record | {
        "reasons": [f"An unexpected fault ({type(reading).__name__}) stopped this image alone; report it."]
    }


def _write_overlay(reading: Reading, out: Path) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    caption = figure_caption(reading)
    overlay_figure(reading.radiograph.pixels, reading.heat, reading.heat_range, caption=caption).savefig(out, dpi=150)


def _line(record: dict) -> str:
    said = " ".join(record["reasons"])
    if record["status"] != "read":
        return f"{record['file']}: {record['status']}. {said}"
    names = ("uncertain_from", "threshold", "uncertain_to")
    points = dict(zip(("high_sensitivity", "balanced", "high_specificity"), map(record.get, names), strict=True))
    low, high = threshold_percent(record["uncertain_from"]), threshold_percent(record["uncertain_to"])
    sure = f"{record['finding']}, probability of pneumonia {probability_percent(record['probability'], points)}"
    return f"{record['file']}: {sure} (uncertain from {low} to {high}). {said}".rstrip()
