"""Ray nodes as separate processes of this machine, each with a number of cores, for measurements and for kills."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cxrmodel.archive.cluster.connection import ENVIRONMENT, LOCAL_ENVIRONMENT

STORE_BYTES = 150 * 2**20
NAMES = ("ray::Worker", "ray::Still")
"""Of processes that hold a reader: the program's worker, and the stand-in of the measurement of memory."""


class Nodes:
    """A head with one core, and further nodes.

    Parameters
    ----------
    cores : sequence of set of int
        Cores of each node; the first is the head. Its processes run on no other.
    """

    def __init__(self, *cores: set[int]) -> None:
        os.environ.update(ENVIRONMENT | LOCAL_ENVIRONMENT | {"RAY_AUTH_MODE": "disabled"})
        from ray.cluster_utils import Cluster

        self._cluster = Cluster()
        self.nodes = [self.add(each) for each in cores]
        self.environment = os.environ | {"RAY_ADDRESS": self._cluster.address}

    def add(self, cores: set[int]) -> Any:
        """Start a node on some cores."""
        ours = os.sched_getaffinity(0)
        os.sched_setaffinity(0, cores)
        try:
            return self._cluster.add_node(num_cpus=len(cores), include_dashboard=False, object_store_memory=STORE_BYTES)
        finally:
            os.sched_setaffinity(0, ours)

    def kill(self, node: Any) -> None:
        """Kill all processes of a node with SIGKILL."""
        self._cluster.remove_node(node, allow_graceful=False)

    def stop(self) -> None:
        """End the cluster."""
        self._cluster.shutdown()


@contextmanager
def nodes_on(*cores: set[int]) -> Iterator[Nodes]:
    """Nodes for the time of a block."""
    nodes = Nodes(*cores)
    try:
        yield nodes
    finally:
        nodes.stop()


def below(root: int) -> dict[int, str]:
    """Processes that a process has started, and those that they have, with the first word of their command lines."""
    found = {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            name = (path / "cmdline").read_bytes().split(b"\0")[0].decode(errors="replace")
            parent = int((path / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        found[int(path.name)] = (parent, name)
    ours = {root}
    while more := {pid for pid, (parent, _) in found.items() if parent in ours} - ours:
        ours |= more
    return {pid: found[pid][1] for pid in ours if pid in found and pid != root}


def workers(root: int) -> list[int]:
    """Those that hold a reader."""
    return [pid for pid, name in below(root).items() if name.startswith(NAMES)]


def used(pids: Iterable[int]) -> dict[int, float]:
    """Seconds of processor time of processes themselves."""
    found = {}
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        found[pid] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return found
