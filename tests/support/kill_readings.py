"""Kill ``read --csv`` again and again, continue it, and compare its table: ``python -m tests.support.kill_readings``.

The moments are drawn from a seed: while the program starts, or some milliseconds after a number of lines. After each
kill, every line that was printed must have its row, and no image two. The table at the end must be that of a run that
was left alone, but for the milliseconds of each reading; else the exit status is 1.
"""

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cxrmodel.sinks import from_cell

PROJECT = Path(__file__).resolve().parents[2]
LONGEST_DELAY = 0.3
"""Seconds between a line and the kill, at most."""
PREFIXES = ("", "=", "a\nb ", "ü", "\u202e", "\udcff")
"""Of the names of the images."""

Row = dict[str, str]


def lay_out(source: Path, folder: Path, number: int) -> None:
    """Link images of every class into a folder, with names that need care, and files that are refused."""
    images = sorted(path for path in source.rglob("*") if path.is_file())
    for place, image in enumerate(images[:: max(1, len(images) // number)][:number]):
        (folder / f"{PREFIXES[place % len(PREFIXES)]}{place:04} {image.name}").symlink_to(image)
    (folder / "empty").touch()
    (folder / "note.txt").write_text("not an image")


def start(folder: Path, table: Path, *more: str) -> subprocess.Popen[bytes]:
    """Start a run that prints JSON."""
    command = [sys.executable, "-m", "cxrmodel", "read", "--json", str(folder), "--csv", str(table), *more]
    return subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


def rows_of(table: Path) -> list[Row]:
    """Rows of a table without their milliseconds; of one that a killed run left, those that are whole."""
    if not table.exists():
        return []
    with table.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    return [
        {name: cell for name, cell in row.items() if name != "milliseconds"} for row in rows if None not in row.values()
    ]


def run_and_kill(folder: Path, table: Path, lines: int, delay: float) -> list[str]:
    """Kill a run some time after a number of lines, and give the files of all lines that it printed."""
    process = start(folder, table, "--resume")
    printed = [line for line in (process.stdout.readline() for _ in range(lines)) if line]
    time.sleep(delay)
    process.kill()
    printed += process.communicate()[0].splitlines(keepends=True)
    return [json.loads(line)["file"] for line in printed if line.endswith(b"\n")]


def check(table: Path, printed: Counter[str]) -> list[str]:
    """What is wrong with the table that a killed run left."""
    rows = Counter(from_cell(row["file"]) for row in rows_of(table))
    faults = [f"{file!r} was printed and has no row" for file in printed if not rows[file]]
    faults += [f"{file!r} has {count} rows" for file, count in rows.items() if count > 1]
    return faults + [f"{file!r} was read {count} times" for file, count in printed.items() if count > 1]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the kills and report."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--images", type=Path, default=Path(os.environ.get("CXR_DATA", "data")) / "chest_xray" / "test")
    parser.add_argument("--number", type=int, default=150)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(argv)
    rng, faults, printed = np.random.default_rng(options.seed), [], Counter()
    with tempfile.TemporaryDirectory() as work:
        folder, alone, table = Path(work) / "images", Path(work) / "alone.csv", Path(work) / "killed.csv"
        folder.mkdir()
        lay_out(options.images, folder, options.number)
        began, process = time.monotonic(), start(folder, alone)
        process.stdout.readline()
        starting = time.monotonic() - began
        process.communicate()
        files = len(rows_of(alone))
        sys.stdout.write(f"alone: {files} files, exit status {process.returncode}, first line after {starting:.1f} s\n")
        for kill in range(1, options.kills + 1):
            lines = int(rng.integers(0, 2 * files // options.kills))
            delay = float(rng.uniform(0, LONGEST_DELAY if lines else starting))
            printed.update(run_and_kill(folder, table, lines, delay))
            faults += check(table, printed)
            sys.stdout.write(f"kill {kill}: {delay:.3f} s after line {lines}; {len(rows_of(table))} rows\n")
            sys.stdout.flush()
        last = start(folder, table, "--resume")
        last.communicate()
        if last.returncode != process.returncode:
            faults.append(f"the last run ended with status {last.returncode}")
        if rows_of(table) != rows_of(alone):
            faults.append("the table differs from that of the run that was left alone")
        left = sorted(path.name for path in Path(work).iterdir())
        sys.stdout.write(
            f"continued: {len(rows_of(table))} files, exit status {last.returncode}; left: {', '.join(left)}\n"
        )
    sys.stdout.write("".join(f"FAULT: {fault}\n" for fault in faults) or "The tables are equal.\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
