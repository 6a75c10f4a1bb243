"""Kill what scores on a cluster again and again, and compare rows: ``python -m tests.support.kill_clusters``.

Two Ray nodes of this machine score an archive. At moments drawn from a seed a worker, all processes of the second node,
or the driver is killed (SIGKILL). A killed node comes back, a killed driver is started again; workers are the program's
own affair. No image may have two rows, and no row that was there may be lost. At the end, rows and heatmaps must be
those of a run without Ray that was left alone, but for the milliseconds of each reading; else the exit status is 1.
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

import numpy as np

from cxrmodel.errors import DataError
from tests.support.archives import rows
from tests.support.kill_archives import PROJECT, everything, heatmaps, lay_out, process_status, say
from tests.support.ray_nodes import Nodes, nodes_on, workers

KINDS = ("worker", "node", "driver")


def start(folder: Path, out: Path, environment: dict[str, str], *more: str) -> subprocess.Popen[bytes]:
    """Start a run."""
    command = [sys.executable, "-m", "cxrmodel", "archive", "score", folder, "--to", out, "--heatmaps", *more]
    return subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def interrupt(kind: str, driver: subprocess.Popen[bytes], nodes: Nodes, core: int) -> None:
    """Kill something, and bring back what does not come back by itself."""
    if kind == "driver":
        driver.kill()
        driver.wait()
    elif kind == "worker":
        while driver.poll() is None and not (found := workers(os.getpid())):
            time.sleep(0.1)
        if driver.poll() is None:
            os.kill(found[0], signal.SIGKILL)
    else:
        nodes.kill(nodes.nodes.pop())
        nodes.nodes.append(nodes.add({core}))


def items_of(out: Path) -> list[int]:
    """Items that have a row, while a run may write: a segment that is merged into its part is looked for again."""
    for _ in range(100):
        try:
            return everything(out)[0]
        except DataError:
            time.sleep(0.05)
    return everything(out)[0]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the kills and report."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--images", type=Path, default=Path(os.environ.get("CXR_DATA", "data")) / "chest_xray" / "test")
    parser.add_argument("--number", type=int, default=600)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(argv)
    rng, faults, known, cores = np.random.default_rng(options.seed), [], set[int](), sorted(os.sched_getaffinity(0))
    done = Counter[str]()
    with tempfile.TemporaryDirectory() as work, nodes_on({cores[0]}, {cores[-1]}) as nodes:
        folder, alone, out = Path(work) / "images", Path(work) / "alone", Path(work) / "killed"
        folder.mkdir()
        lay_out(options.images, folder, options.number)
        more = ("--part-images", "64")
        began = time.monotonic()
        start(folder, alone, dict(os.environ), *more).wait()
        expected = rows(alone)
        say(f"alone, without Ray: {len(expected)} rows in {time.monotonic() - began:.1f} s")
        driver = start(folder, out, nodes.environment, "--ray", *more)
        for number in range(1, options.kills + 1):
            kind = KINDS[number % 3]
            while driver.poll() is None and len(items_of(out)) < (number - 1) * options.number / options.kills:
                time.sleep(0.1)
            time.sleep(delay := float(rng.uniform(0, 2)))
            ended = driver.poll() is not None
            interrupt(kind, driver, nodes, cores[-1])
            items = items_of(out)
            faults += [f"kill {number}: item {item} has {n} rows" for item, n in Counter(items).items() if n > 1]
            faults += [f"kill {number}: the row of item {item} is lost" for item in sorted(known - set(items))]
            known = set(items)
            done[kind] += not ended
            say(f"kill {number}: {kind}, {delay:.2f} s{' (the run had ended)' if ended else ''}; {len(items)} rows")
            if driver.poll() is not None:
                driver = start(folder, out, nodes.environment, "--ray", *more)
        status = driver.wait()
        while status == 1:
            say("the run ended in words and is started again")
            status = start(folder, out, nodes.environment, "--ray", *more).wait()
        if status != process_status(expected):
            faults.append(f"the last run ended with status {status}")
        if rows(out) != expected:
            faults.append("the rows differ from those of the run that was left alone")
        if heatmaps(out) != heatmaps(alone):
            faults.append("the heatmaps differ from those of the run that was left alone")
        say(f"killed while it ran: {dict(done)}; at the end {len(rows(out))} rows")
    for fault in faults:
        say(f"FAULT: {fault}")
    if not faults:
        say("Rows and heatmaps are equal.")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
