"""Compare two Ray nodes with two processes of the local reader: ``python -m tests.support.archive_throughput``.

Each has one core of this machine to itself, the daemons of Ray and its driver share them. Both sides score the same
images in turn, with outputs on disk. The rate counts the images after the first results; the time before is the start.

Memory, caches and disk are those of one machine, and nothing crosses a network: this shows what Ray, its calls and its
processes cost, not how storage, network or many machines behave.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from cxrmodel.archive.cluster.connection import on_cluster
from cxrmodel.archive.manifest import Run
from cxrmodel.archive.score import score_archive
from cxrmodel.archive.scoring import Scorer, start_decoders
from cxrmodel.archive.sources.registry import source_names
from cxrmodel.archive.tasks import Runner, Scored, Settings, Task
from cxrmodel.model.spec import load_spec
from cxrmodel.models import DEFAULT_MODEL
from tests.support.ray_nodes import Nodes, below, nodes_on, used

PROJECT = Path(__file__).resolve().parents[2]
SAMPLE = 0.2
"""Seconds between looks at the processor time of all processes."""
TOGETHER = 0.05
"""Seconds within which results come with the first: those of one call."""


class Timed:
    """A runner that notes when its first and its last result came."""

    def __init__(self, runner: Runner) -> None:
        self._runner, self.times = runner, []

    def score(self, tasks: Iterator[Task]) -> Iterator[Scored]:
        """Score, and note the times."""
        for scored in self._runner.score(tasks):
            self.times.append(time.time())
            yield scored


def score(folders: Sequence[str], out: Path, ray: bool) -> None:
    """Score folders in this process or on the cluster, and print when results came."""
    timed: list[Timed] = []

    @contextmanager
    def start(settings: Settings) -> Iterator[Runner]:
        if ray:
            with on_cluster(settings) as runner:
                timed.append(Timed(runner))
                yield timed[0]
        else:
            start_decoders()
            timed.append(Timed(Scorer.load(settings)))
            yield timed[0]

    run = Run(
        model=DEFAULT_MODEL,
        version=load_spec(DEFAULT_MODEL).version,
        prevalence=0.5,
        identity=False,
        heatmaps=True,
        part_images=4096,
        sources=source_names(folders),
    )
    score_archive(out, run, start)
    sys.stdout.write(json.dumps(timed[0].times))


def rate(times: Sequence[float]) -> float:
    """Images a second after those that came with the first one."""
    later = [each for each in times if each > times[0] + TOGETHER]
    return len(later) / (times[-1] - times[0])


def measure(commands: Sequence[Sequence[str]], environment: dict[str, str], nodes: Nodes | None) -> dict[str, float]:
    """Run commands at the same time; seconds to the first result, images a second after it, processor time an image."""
    before = used(below(os.getpid()))
    began = time.time()
    running = [
        subprocess.Popen(
            command, cwd=PROJECT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        for command in commands
    ]
    after = dict(before)
    with ThreadPoolExecutor(len(running)) as pool:
        waiting = [pool.submit(process.communicate) for process in running]
        while not all(future.done() for future in waiting):
            after |= used(below(os.getpid()))  # those that have ended since keep their last figure
            time.sleep(SAMPLE)
    ended = time.time()
    times = [json.loads(future.result()[0]) for future in waiting]
    cluster = sum(after[pid] - seconds for pid, seconds in before.items())
    processor = sum(after.values()) - sum(before.values()) - (0 if nodes else cluster)
    images = sum(map(len, times))
    return {
        "start": max(each[0] for each in times) - began,
        "rate": sum(map(rate, times)),
        "processor": 1000 * processor / images,
        "whole": ended - began,
    }


def main(argv: Sequence[str] | None = None) -> None:
    """Measure in turn and compare."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--images", type=Path, default=Path(os.environ.get("CXR_DATA", "data")) / "chest_xray" / "train"
    )
    parser.add_argument("--number", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--score", nargs="+", help=argparse.SUPPRESS)
    parser.add_argument("--ray", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.score:
        out, *folders = options.score
        score(folders, Path(out), options.ray)
        return
    cores = sorted(os.sched_getaffinity(0))[:2]
    found: dict[str, list[dict[str, float]]] = {"local": [], "ray": []}
    with tempfile.TemporaryDirectory() as work:
        images = sorted(path for path in options.images.rglob("*") if path.is_file())
        for place, image in enumerate(images[:: max(1, len(images) // options.number)][: options.number]):
            half = Path(work) / f"half{place % 2}"
            half.mkdir(exist_ok=True)
            (half / f"{place:05}.jpeg").symlink_to(image)
        halves = [f"{work}/half0", f"{work}/half1"]
        module = [sys.executable, "-m", "tests.support.archive_throughput", "--score"]
        with nodes_on({cores[0]}, {cores[1]}) as nodes:
            for turn in range(options.rounds):
                pinned = [
                    ["taskset", "-c", str(core), *module, f"{work}/local{turn}{core}", half]
                    for core, half in zip(cores, halves, strict=True)
                ]
                found["local"].append(measure(pinned, dict(os.environ), None))
                found["ray"].append(
                    measure([[*module, f"{work}/ray{turn}", *halves, "--ray"]], nodes.environment, nodes)
                )
                for name in found:
                    values = ", ".join(f"{key} {value:.2f}" for key, value in found[name][-1].items())
                    sys.stdout.write(f"round {turn + 1}, {name}: {values}\n")
                    sys.stdout.flush()
    median = {
        name: {key: float(np.median([each[key] for each in rounds])) for key in rounds[0]}
        for name, rounds in found.items()
    }
    local, ray = median["local"], median["ray"]
    ratio = ray["rate"] / local["rate"]
    sys.stdout.write(
        f"{options.number} images, medians of {options.rounds} rounds\n"
        f"images per second: local {local['rate']:.1f}, ray {ray['rate']:.1f}, ratio {ratio:.3f}\n"
        f"seconds to the first result: local {local['start']:.1f}, ray {ray['start']:.1f}\n"
        f"processor time an image, start included: local {local['processor']:.1f} ms, ray {ray['processor']:.1f} ms\n"
        f"one core's time an image: local {2000 / local['rate']:.1f} ms, ray {2000 / ray['rate']:.1f} ms\n"
    )


if __name__ == "__main__":
    main()
