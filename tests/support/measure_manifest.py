"""Time how long the manifest of a large output takes: ``python -m tests.support.measure_manifest [--images 1000000]``.

An output of made-up rows is written, half of the last part left out and one image in a thousand failed. A new process
opens its manifest, counts the images by status and finds the first images to be scored; each is timed.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from cxrmodel.archive.columns import SCHEMA
from cxrmodel.archive.manifest import Manifest, Run, begin
from cxrmodel.archive.output import Output, write_table
from cxrmodel.archive.sources.source import Fetched, Item, SourceName

PART_IMAGES = 4096


class MadeUp:
    """A source of names."""

    def __init__(self, images: int) -> None:
        self.images = images

    def items(self) -> Iterator[Item]:
        """Paths as of a large archive."""
        for number in range(self.images):
            yield Item(
                f"2019/{number // 10000:04}/{number:09}/IM-0001.dcm", 8_000_000 + number, 1_600_000_000_000 + number
            )

    def fetch(self, item: Item) -> Fetched:
        """Nothing is fetched."""
        raise NotImplementedError


def write(folder: Path, images: int) -> None:
    """Write an output of which little is left to be done."""
    output = Output(folder)
    run = Run(
        model="densenet121",
        version="densenet121 000000000000",
        prevalence=0.5,
        identity=False,
        heatmaps=False,
        part_images=PART_IMAGES,
        sources=(SourceName(kind="files", place="/made/up"),),
    )
    begin(output, run, [MadeUp(images)])
    manifest, rng = Manifest(output), np.random.default_rng(0)
    for block in range(manifest.blocks - 1):
        numbers = np.array(manifest.numbers(block))
        count = len(numbers)
        made = {
            "item": numbers,
            "source": np.zeros(count, np.int16),
            "sha256": [f"{value:064x}" for value in rng.integers(0, 2**62, count)],
            "changed": np.zeros(count, bool),
            "status": np.where(numbers % 1000, "read", "error"),
            "probability": rng.uniform(0, 1, count),
            "finding": rng.choice(["normal", "uncertain", "pneumonia"], count),
            "reasons": [[]] * count,
            "codes": [[]] * count,
            "model": [run.version] * count,
            **{name: rng.uniform(0, 1, count) for name in ("heat_in_lungs", "evidence_left", "logit", "milliseconds")},
        }
        columns = [
            pa.array(made[field.name], field.type) if field.name in made else pa.nulls(count, field.type)
            for field in SCHEMA
        ]
        write_table(output.part(block), pa.table(columns, schema=SCHEMA))


def measure(folder: Path) -> None:
    """Open an output and report."""
    start, busy = time.perf_counter(), time.process_time()
    manifest = Manifest(Output(folder))
    opened = time.perf_counter()
    counts = manifest.counts()
    counted = time.perf_counter()
    block, numbers = next(manifest.pending())
    found = time.perf_counter()
    sys.stdout.write(
        f"{counts.asked:,} images, {counts.done:,} rows in {len(manifest.output.parts())} parts: opened in "
        f"{1000 * (opened - start):.0f} ms, counted in {1000 * (counted - opened):.0f} ms ({counts.failed:,} failed), "
        f"the first of {len(numbers):,} images to be scored, in block {block}, found in "
        f"{1000 * (found - counted):.0f} ms; {1000 * (found - start):.0f} ms in all, "
        f"{1000 * (time.process_time() - busy):.0f} ms of processor time\n"
    )


def main(argv: Sequence[str] | None = None) -> None:
    """Write an output, and time it in new processes."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--images", type=int, default=1_000_000)
    parser.add_argument("--of", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.of:
        measure(options.of)
        return
    with tempfile.TemporaryDirectory() as work:
        start = time.perf_counter()
        write(Path(work), options.images)
        sys.stdout.write(f"written in {time.perf_counter() - start:.0f} s\n")
        sys.stdout.flush()
        for _ in range(3):
            subprocess.run([sys.executable, "-m", "tests.support.measure_manifest", "--of", work], check=True)


if __name__ == "__main__":
    main()
