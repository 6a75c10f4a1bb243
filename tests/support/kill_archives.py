"""Kill ``archive score`` again and again, continue it, and compare rows: ``python -m tests.support.kill_archives``.

Real images, and files that are refused or fail at the beginning, in the middle and at the end, are scored by a run that
is left alone, and by one that is killed (SIGKILL) at moments drawn from a seed: while the program starts, lists, scores
or writes. After each kill every file of the output must be whole, no image may have two rows, and no row that was there
may be lost. At the end the rows and heatmaps must be those of the run that was left alone, but for the milliseconds of
each reading, and no other file may be left; else the exit status is 1.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cxrmodel.archive.output import Output, read_table
from tests.support.archives import files, rows

PROJECT = Path(__file__).resolve().parents[2]


def lay_out(source: Path, folder: Path, number: int) -> None:
    """Link images of every class into subfolders, with broken files between them."""
    images = sorted(path for path in source.rglob("*") if path.is_file())
    chosen = images[:: max(1, len(images) // number)][:number]
    for place, image in enumerate(chosen):
        inside = folder / f"{place % 7}"
        inside.mkdir(exist_ok=True)
        (inside / f"{place:04} {image.name}").symlink_to(image)
    for place in (0, 3, 6):
        (folder / f"{place}" / "!first.txt").write_text("not an image")
        (folder / f"{place}" / "9 cut.jpeg").write_bytes(chosen[place].read_bytes()[:2000])
        (folder / f"{place}" / "~nowhere").symlink_to("nothing")


def start(folder: Path, out: Path, *more: str) -> subprocess.Popen[bytes]:
    """Start a run in a process group of its own, as a scheduler would."""
    command = [sys.executable, "-m", "cxrmodel", "archive", "score", str(folder), "--to", str(out), "--heatmaps", *more]
    return subprocess.Popen(
        command, cwd=PROJECT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill the driver alone; what it started must notice."""
    process.send_signal(signal.SIGKILL)
    process.wait()


def everything(out: Path) -> tuple[list[int], int]:
    """Items that have a row in a part or a segment, as often as they have one, and the number of segments."""
    output, items = Output(out), []
    parts, segments = output.parts(), output.segments()
    for path in parts.values():
        items += read_table(path)["item"].to_pylist()
    for block, paths in segments.items():
        found = [number for path in paths for number in read_table(path)["item"].to_pylist()]
        items += [] if block in parts else found  # a part that is there holds them already
    return items, sum(map(len, segments.values()))


def written(new: set[str]) -> bool:
    """Whether there are results among new files."""
    return any(name.endswith(".parquet") and "/." not in name and "asked" not in name for name in new)


def heatmaps(out: Path) -> list[dict[str, Any]]:
    """Every heatmap of an output."""
    return [row for path in sorted((out / "heatmaps").glob("part-*")) for row in read_table(path).to_pylist()]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the kills and report."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--images", type=Path, default=Path(os.environ.get("CXR_DATA", "data")) / "chest_xray" / "test")
    parser.add_argument("--number", type=int, default=250)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--part-images", type=int, default=64)
    parser.add_argument("more", nargs="*", help="further options of archive score, after --")
    options = parser.parse_args(argv)
    more = ["--part-images", str(options.part_images), *options.more]
    rng, faults, known = np.random.default_rng(options.seed), [], set[int]()
    with tempfile.TemporaryDirectory() as work:
        folder, alone, out = Path(work) / "images", Path(work) / "alone", Path(work) / "killed"
        folder.mkdir()
        lay_out(options.images, folder, options.number)
        began, process = time.monotonic(), start(folder, alone, *more)
        while process.poll() is None and not everything(alone)[0]:
            time.sleep(0.05)
        starting = time.monotonic() - began
        process.wait()
        whole, expected = time.monotonic() - began, rows(alone)
        say(f"alone: {len(expected)} rows in {whole:.1f} s, the first after {starting:.1f} s")
        for number in range(1, options.kills + 1):
            early = number % 4 == 0
            delay = float(rng.uniform(0, starting if early else 3 * (whole - starting) / options.kills))
            before, process = files(out), start(folder, out, *more)
            while not early and process.poll() is None and not written(files(out) - before):
                time.sleep(0.01)
            time.sleep(delay)
            ended = process.poll() is not None
            kill(process)
            items, segments = everything(out)
            faults += [f"kill {number}: item {item} has {n} rows" for item, n in Counter(items).items() if n > 1]
            faults += [f"kill {number}: the row of item {item} is lost" for item in sorted(known - set(items))]
            known = set(items)
            say(
                f"kill {number}: {delay:.2f} s after {'the start' if early else 'its first new rows'}"
                f"{' (it had ended)' if ended else ''}; {len(items)} rows, "
                f"{len(Output(out).parts())} parts, {segments} segments"
            )
        last = start(folder, out, *more)
        last.wait()
        if last.returncode != process_status(expected):
            faults.append(f"the last run ended with status {last.returncode}")
        if rows(out) != expected:
            faults.append("the rows differ from those of the run that was left alone")
        if heatmaps(out) != heatmaps(alone):
            faults.append("the heatmaps differ from those of the run that was left alone")
        if files(out) != files(alone):
            faults.append(f"other files are left: {', '.join(sorted(files(out) ^ files(alone)))}")
        by_status = Counter(row["status"] for row in expected)
        say(f"continued: {len(rows(out))} rows, {len(heatmaps(out))} heatmaps; {dict(by_status)}")
    for fault in faults:
        say(f"FAULT: {fault}")
    if not faults:
        say("Rows and heatmaps are equal.")
    return 1 if faults else 0


def process_status(expected: list[dict[str, Any]]) -> int:
    """The exit status of a run that has these rows."""
    return 0 if all(row["status"] == "read" for row in expected) else 3


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
