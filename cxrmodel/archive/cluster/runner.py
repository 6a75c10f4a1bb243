"""Share tasks between the machines of a cluster, and have every lost one scored again."""

import hashlib
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import ray
from ray.exceptions import RayError, RayTaskError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from cxrmodel.archive.cluster.calls import Call, Calls
from cxrmodel.archive.cluster.worker import Worker
from cxrmodel.archive.scoring import FETCHERS, scored
from cxrmodel.archive.sources.registry import open_source
from cxrmodel.archive.sources.source import Fetched, Source
from cxrmodel.archive.tasks import Scored, Settings, Task
from cxrmodel.errors import ClusterError, CxrError, SourceUnavailable

IN_FLIGHT = 3
"""Calls of one machine: one is finished while the next fills the cores and the third is on its way."""
POLL_SECONDS = 1.0
"""How long results are waited for before machines are counted again."""
START_SECONDS = 120.0
"""How long to wait for a machine while there is none."""
PROBE_SECONDS = 60.0
"""How long a machine may take to look for one image."""
FAILED_STARTS = 5
"""Workers of one machine that may end in a row before they have started."""


@dataclass(eq=False)
class _Machine:
    """One machine and its worker.

    Attributes
    ----------
    node, name : str
        Ray's identifier, and the name of the host.
    cores : int
    worker : ActorHandle
    starting : ObjectRef or None
        Of the worker's start, until it has started.
    calls : dict of ObjectRef to Call
        In flight.
    sees : dict of int to bool
        Whether it reaches a source itself, once that was tried.
    """

    node: str
    name: str
    cores: int
    worker: Any
    starting: Any
    calls: dict[Any, Call] = field(default_factory=dict)
    sees: dict[int, bool] = field(default_factory=dict)

    @property
    def waited(self) -> list[Any]:
        """All that will come of it."""
        return [*self.calls, *([self.starting] if self.starting else [])]

    @property
    def takes_more(self) -> bool:
        """Whether another call may be sent."""
        suspected = any(call.suspect for call in self.calls.values())
        return self.starting is None and len(self.calls) < IN_FLIGHT and not suspected


class ClusterRunner:
    """Scores tasks on every machine of the cluster that this process has joined. Machines may come and go.

    Parameters
    ----------
    settings : Settings
    """

    def __init__(self, settings: Settings) -> None:
        self._settings, self._worker = settings, ray.remote(Worker)
        self._machines: list[_Machine] = []
        self._sources: dict[int, Source] = {}
        self._failed_starts: dict[str, int] = {}
        self._given_up: list[Scored] = []
        self._alive = self._looked = float("-inf")

    def score(self, tasks: Iterator[Task]) -> Iterator[Scored]:
        """Score tasks; see ``Runner.score``.

        Raises
        ------
        ClusterError
            When a machine cannot score, for example because it has another version of the model, or when no machine is
            left.
        SourceUnavailable
        """
        calls = Calls(tasks)
        self._alive = time.monotonic()
        try:
            while calls.left or any(machine.calls for machine in self._machines):
                self._look_for_machines()
                self._send(calls)
                yield from self._received(calls)
        finally:
            for machine in self._machines:
                ray.kill(machine.worker)
            self._machines.clear()

    def _look_for_machines(self) -> None:
        """Start a worker on every machine that has none.

        Raises
        ------
        ClusterError
            When there was none for too long.
        """
        now = time.monotonic()
        if any(machine.starting is None for machine in self._machines):
            self._alive = now
        elif now - self._alive > START_SECONDS:
            raise ClusterError("archive.cluster.no_machine", seconds=round(START_SECONDS))
        if now - self._looked < POLL_SECONDS:
            return
        self._looked = now
        known = {machine.node for machine in self._machines}
        for node in ray.nodes():  # type: ignore[no-untyped-call]  # Ray's own lacks its types
            cores = int(node["Resources"].get("CPU", 0))
            if node["Alive"] and cores and node["NodeID"] not in known:
                self._machines.append(self._started(node["NodeID"], node["NodeManagerHostname"], cores))

    def _started(self, node: str, name: str, cores: int) -> _Machine:
        place = NodeAffinitySchedulingStrategy(node, soft=False)
        options = {"num_cpus": cores, "scheduling_strategy": place, "max_concurrency": IN_FLIGHT + 1}
        worker: Any = self._worker.options(**options).remote(self._settings)
        return _Machine(node, name, cores, worker, worker.start.remote())

    def _send(self, calls: Calls) -> None:
        """Give every machine as many calls as it may have, first to those that have fewest."""
        for _ in range(IN_FLIGHT):
            for machine in sorted(self._machines, key=lambda machine: len(machine.calls)):
                if machine.takes_more and (call := calls.take(machine.cores, not machine.calls)):
                    self._send_call(machine, call, calls)

    def _send_call(self, machine: _Machine, call: Call, calls: Calls) -> None:
        try:
            away = [task for task in call.tasks if not self._sees(machine, task)]
        except RayError:
            calls.put_back(call)
            self._drop(machine, calls)
            return
        machine.calls[machine.worker.score.remote(call.tasks, self._fetched(away))] = call

    def _sees(self, machine: _Machine, task: Task) -> bool:
        """Whether a machine reaches a task's source. One image decides; one that is not there leaves it open.

        Raises
        ------
        SourceUnavailable, RayError
        """
        if (known := machine.sees.get(task.source)) is not None:
            return known
        found = self._fetch(task)
        if isinstance(found, Exception):
            return True
        digest = hashlib.sha256(found.data).hexdigest()
        seen = ray.get(machine.worker.sees.remote(task.source, task.item, digest), timeout=PROBE_SECONDS)
        return machine.sees.setdefault(task.source, bool(seen))

    def _fetched(self, tasks: Sequence[Task]) -> Mapping[int, Fetched | Exception]:
        with ThreadPoolExecutor(FETCHERS) as pool:
            return {task.number: found for task, found in zip(tasks, pool.map(self._fetch, tasks), strict=True)}

    def _fetch(self, task: Task) -> Fetched | Exception:
        if task.source not in self._sources:
            self._sources[task.source] = open_source(self._settings.sources[task.source])
        try:
            return self._sources[task.source].fetch(task.item)
        except SourceUnavailable:
            raise
        except (CxrError, OSError) as error:
            return error

    def _received(self, calls: Calls) -> Iterator[Scored]:
        """Wait until some machine has done something, and take its results."""
        waited = [ref for machine in self._machines for ref in machine.waited]
        if not waited:
            time.sleep(POLL_SECONDS)
        for ref in ray.wait(waited, timeout=POLL_SECONDS)[0] if waited else []:
            yield from self._taken(ref, calls)
        yield from self._given_up
        self._given_up.clear()

    def _taken(self, ref: Any, calls: Calls) -> list[Scored]:
        """Take what a machine has done.

        Raises
        ------
        ClusterError
            When the machine cannot score.
        SourceUnavailable
        """
        machine = next(machine for machine in self._machines if ref in machine.waited)
        try:
            found = ray.get(ref)
        except RayTaskError as error:
            reason = type(error.cause).__name__
            raise ClusterError("archive.cluster.not_installed", machine=machine.name, reason=reason) from error
        except RayError:
            self._drop(machine, calls)
            return []
        if isinstance(found, SourceUnavailable):
            raise found
        if isinstance(found, CxrError):
            raise ClusterError("archive.cluster.cannot_score", machine=machine.name, reason=found.message) from found
        if ref == machine.starting:
            machine.starting = None
            self._failed_starts.pop(machine.node, None)
            return []
        del machine.calls[ref]
        return list(found)

    def _drop(self, machine: _Machine, calls: Calls) -> None:
        """Give up a worker that has ended, and keep its calls for others, but for an image that ends every worker.

        Raises
        ------
        ClusterError
            When workers of that machine always end before they have started.
        """
        ray.kill(machine.worker)
        self._machines.remove(machine)
        if machine.starting is not None:
            self._failed_starts[machine.node] = self._failed_starts.get(machine.node, 0) + 1
            if self._failed_starts[machine.node] >= FAILED_STARTS:
                raise ClusterError("archive.cluster.ends", machine=machine.name, tries=FAILED_STARTS)
        for lost in machine.calls.values():
            for call in lost.after_death(alone=len(machine.calls) == 1):
                if call.guilty:
                    error = ClusterError("archive.cluster.ends_workers")
                    self._given_up.append(scored(call.tasks[0], error, self._settings))
                else:
                    calls.put_back(call)
