"""Many films from the command line: paths in, lines out, in the order given."""

import csv
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from tqdm import tqdm

from cxrmodel.errors import CxrError, FilmRefused
from cxrmodel.explain.overlay import overlay_figure
from cxrmodel.reading import Reader

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


def read_paths(reader: Reader, paths: Sequence[Path], as_json: bool, table: Path | None, heatmaps: Path | None) -> int:
    """Read films and print a line for each; a bad one stops nothing.

    Parameters
    ----------
    as_json : bool
        One JSON object a line instead of a sentence.
    table : Path or None
        CSV file to write as well.
    heatmaps : Path or None
        Folder for overlays, which keeps relative paths.

    Returns
    -------
    int
        0 when every file was read, else 3.
    """
    files = list(list_files(paths))
    complete = True
    with ExitStack() as stack:
        rows = None
        if table:
            rows = csv.DictWriter(stack.enter_context(table.open("w", newline="", encoding="utf-8")), COLUMNS)
            rows.writeheader()
        bar = stack.enter_context(tqdm(total=len(files), desc="reading", unit="film", disable=len(files) < 2))
        for path, relative in files:
            record = _record(reader, path, relative, heatmaps)
            complete &= record["status"] == "read"
            print(json.dumps(record, ensure_ascii=False) if as_json else _line(record), flush=True)
            if rows:
                rows.writerow(record | {"reasons": "; ".join(record["reasons"])})
            bar.update()
    return 0 if complete else 3


def _record(reader: Reader, path: Path, relative: Path, heatmaps: Path | None) -> dict:
    record = dict.fromkeys(COLUMNS) | {"file": str(path), "status": "error", "model": reader.spec.version}
    try:
        reading = reader.read(path.read_bytes(), path.name)
        if heatmaps:
            out = heatmaps / relative.parent / f"{relative.name}.png"
            out.parent.mkdir(parents=True, exist_ok=True)
            overlay_figure(reading.radiograph.pixels, reading.heat, reading.heat_range).savefig(out, dpi=150)
        return record | reading.as_record()
    except FilmRefused as refusal:
        return record | {"status": "refused", "reasons": [str(refusal)]}
    except CxrError as error:
        return record | {"reasons": [str(error)]}
    except OSError as error:
        return record | {"reasons": [f"The file cannot be read: {error.strerror}. Check its path and permissions."]}
    except Exception as error:  # one film must never take the others with it
        print(f"{path}: {type(error).__name__}", file=sys.stderr)
        return record | {"reasons": ["An unexpected fault stopped this film. The others were not affected; report it."]}


def _line(record: dict) -> str:
    said = " ".join(record["reasons"])
    if record["status"] != "read":
        return f"{record['file']}: {record['status']}. {said}"
    sure = f"pneumonia {record['probability']:.1%}, {record['finding']}"
    point = f"{record['operating_point']} threshold {record['threshold']:.1%}"
    return f"{record['file']}: {sure} ({point}). {said}".rstrip()
