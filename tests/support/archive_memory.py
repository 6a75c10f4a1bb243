"""Score many images with a stand-in and show that memory stays flat: ``python -m tests.support.archive_memory``.

The images are links to one small file, each with a name of its own, so that listing, fetching, hashing, rows, segments
and parts are those of a real run; only the network is missing. Each line is the memory of the process, without files
that are mapped, when so many images are kept. ``--slow`` makes the disk slow: every result takes so many milliseconds.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from cxrmodel.archive.score import score_archive
from cxrmodel.archive.scoring import Scorer
from cxrmodel.archive.tasks import Runner, Scored, Settings, Task
from cxrmodel.explain.interpolation import CropMap
from tests.support.archives import picture, run_of
from tests.support.stand_ins import FakeReader, fake_reading


class SameReading(FakeReader):
    """Gives one reading for every image."""

    def __init__(self) -> None:
        super().__init__()
        map_ = CropMap(np.ones((14, 14), np.float32), (0, 0, 224, 224))
        self._reading = fake_reading(np.zeros((8, 8)), crop_map=map_)

    def read_many(self, sources, repairs=None):
        """The same for each source."""
        for source, _ in sources:
            source()
            yield self._reading


def private_memory() -> int:
    """Bytes of this process that no file backs."""
    fields = Path("/proc/self/smaps_rollup").read_text().split()
    return 1024 * int(fields[fields.index("Anonymous:") + 1])


class Watched:
    """A scorer that reports as results are taken from it."""

    def __init__(self, settings: Settings, every: int, slow: float) -> None:
        self._scorer, self._every, self._slow = Scorer(SameReading(), settings), every, slow
        self._start = time.monotonic()

    def score(self, tasks: Iterator[Task]) -> Iterator[Scored]:
        """Score, and print a line from time to time."""
        for number, scored in enumerate(self._scorer.score(tasks), 1):
            yield scored
            time.sleep(self._slow)
            if number % self._every == 0:
                seconds = time.monotonic() - self._start
                sys.stdout.write(f"{number:,} images, {seconds:.0f} s, {private_memory() / 1e6:.0f} MB\n")
                sys.stdout.flush()


def main(argv: Sequence[str] | None = None) -> None:
    """Lay out links, and score them."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--images", type=int, default=50_000)
    parser.add_argument("--slow", type=float, default=0.0, metavar="MS")
    options = parser.parse_args(argv)

    @contextmanager
    def start(settings: Settings) -> Iterator[Runner]:
        yield Watched(settings, max(1, options.images // 10), options.slow / 1000)

    with tempfile.TemporaryDirectory() as work:
        folder = Path(work) / "images"
        for number in range(options.images):
            inside = folder / f"{number // 1000:04}"
            if number % 1000 == 0:
                inside.mkdir(parents=True)
                (inside / "0.png").write_bytes(picture(number))
            else:
                os.link(inside / "0.png", inside / f"{number % 1000}.png")
        run = run_of(folder, identity=False, heatmaps=True, part_images=4096)
        sys.stdout.write(f"begin: {private_memory() / 1e6:.0f} MB\n")
        counts = score_archive(Path(work) / "out", run, start)
        sys.stdout.write(f"{counts}, {private_memory() / 1e6:.0f} MB\n")


if __name__ == "__main__":
    main()
