"""Show that memory of driver and workers stays flat on a cluster: ``python -m tests.support.cluster_memory``.

Images are decoded, checked and cropped as in any run, by the real worker on a local Ray cluster; only the network is
replaced by one that gives the same numbers at once, because 50,000 readings would take an hour. The images are links to
the demo images, each with a name of its own, so listing, fetching, hashing, calls, rows and parts are those of a real
run. ``--slow`` makes the disk slow: every result takes so many milliseconds. Each line is memory that no file backs.
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

from cxrmodel.archive.cluster.connection import on_cluster
from cxrmodel.archive.cluster.worker import Worker
from cxrmodel.archive.manifest import Run
from cxrmodel.archive.score import score_archive
from cxrmodel.archive.sources.registry import source_names
from cxrmodel.archive.tasks import Runner, Scored, Settings, Task
from cxrmodel.demo import demo_images
from cxrmodel.errors import CxrError
from cxrmodel.model.spec import load_spec
from cxrmodel.models import DEFAULT_MODEL
from tests.support.ray_nodes import workers


class StillEngine:
    """A network that gives for every image what the real one gave for the first."""

    def __init__(self, spec, folder) -> None:
        from cxrmodel.model.engine import OnnxEngine

        blank = np.zeros((1, spec.input_size, spec.input_size, 1), np.float32)
        self._answer = OnnxEngine(spec, folder).read(blank)

    def read(self, inputs):
        """The same for each input."""
        return tuple(np.repeat(part, len(inputs), axis=0) for part in self._answer)

    def single_threaded(self):
        """Itself."""
        return self


class StillWorker(Worker):
    """A worker with that network."""

    def start(self) -> CxrError | None:
        """Load everything else."""
        from cxrmodel import reading

        reading.load_engine = StillEngine
        return super().start()


def anonymous(pid: int | str) -> float:
    """MB of a process that no file backs."""
    try:
        fields = Path(f"/proc/{pid}/smaps_rollup").read_text().split()
    except OSError:
        return float("nan")
    return int(fields[fields.index("Anonymous:") + 1]) / 1e3


class Watched:
    """A runner that reports as results are taken from it."""

    def __init__(self, runner: Runner, every: int, slow: float) -> None:
        self._runner, self._every, self._slow = runner, every, slow
        self._taken, self._start = 0, time.monotonic()

    def _counted(self, tasks: Iterator[Task]) -> Iterator[Task]:
        for self._taken, task in enumerate(tasks, 1):
            yield task

    def score(self, tasks: Iterator[Task]) -> Iterator[Scored]:
        """Score, and print a line from time to time."""
        for number, scored in enumerate(self._runner.score(self._counted(tasks)), 1):
            yield scored
            time.sleep(self._slow)
            if number % self._every == 0:
                seconds = time.monotonic() - self._start
                held = ", ".join(f"{anonymous(pid):.0f}" for pid in workers(os.getpid()))
                sys.__stdout__.write(
                    f"{number:,} images, {seconds:.0f} s: driver {anonymous('self'):.0f} MB, workers {held} MB, "
                    f"{self._taken - number} tasks ahead\n"
                )


def main(argv: Sequence[str] | None = None) -> None:
    """Lay out links, and score them."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--images", type=int, default=50_000)
    parser.add_argument("--slow", type=float, default=0.0, metavar="MS")
    options = parser.parse_args(argv)

    @contextmanager
    def start(settings: Settings) -> Iterator[Runner]:
        with on_cluster(settings) as runner:
            import ray  # which reads its environment then

            runner._worker = ray.remote(StillWorker)
            yield Watched(runner, max(1, options.images // 10), options.slow / 1000)

    demo = [image.path for image in demo_images()]
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work) / "images"
        for number in range(options.images):
            inside = folder / f"{number // 1000:04}"
            inside.mkdir(parents=True, exist_ok=True)
            (inside / f"{number:06}.png").symlink_to(demo[number % len(demo)])
        run = Run(
            model=DEFAULT_MODEL,
            version=load_spec(DEFAULT_MODEL).version,
            prevalence=0.5,
            identity=False,
            heatmaps=True,
            part_images=4096,
            sources=source_names([str(folder)]),
        )
        counts = score_archive(Path(work) / "out", run, start)
        sys.__stdout__.write(f"{counts}\n")


if __name__ == "__main__":
    main()
