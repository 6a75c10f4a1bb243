"""The worker of one machine: a scorer on all of its cores, fed by calls of many images."""

import hashlib
import queue
import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from functools import cached_property

from cxrmodel.archive.scoring import Scorer, start_decoders
from cxrmodel.archive.sources.registry import open_source
from cxrmodel.archive.sources.source import Fetched, Item, Source, SourceName
from cxrmodel.archive.tasks import Scored, Settings, Task
from cxrmodel.errors import ClusterError, CxrError
from cxrmodel.report.table import unexpected


class Worker:
    """Scores calls of tasks in the order in which they come; Ray runs it in a process of its own.

    Calls arrive on several threads and share one stream of images, so that cores do not wait between calls. Nothing is
    raised but by Ray itself, because Ray writes exceptions into files.

    Parameters
    ----------
    settings : Settings
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._sources = [CarriedSource(name) for name in settings.sources]
        self._calls: queue.SimpleQueue[_Call] = queue.SimpleQueue()

    def start(self) -> CxrError | None:
        """Load the model.

        Returns
        -------
        CxrError or None
            Why this machine cannot score, for example that it has another version of the model.
        """
        try:
            start_decoders()
            scorer = Scorer.load(self._settings, self._sources)
        except Exception as error:
            return error if isinstance(error, CxrError) else _failed(error)
        threading.Thread(target=self._run, args=[scorer], daemon=True).start()
        return None

    def sees(self, source: int, item: Item, sha256: str) -> bool:
        """Whether this machine reaches a source itself: whether it finds the same bytes for one of its images."""
        try:
            data = self._sources[source].fetch(item).data
        except Exception:
            return False
        return hashlib.sha256(data).hexdigest() == sha256

    def score(self, tasks: Sequence[Task], carried: Mapping[int, Fetched | Exception]) -> list[Scored] | CxrError:
        """Score tasks.

        Parameters
        ----------
        tasks : sequence of Task
        carried : mapping of int to Fetched or Exception
            By number of the task, what the driver fetched because this machine does not see the source.

        Returns
        -------
        list of Scored or CxrError
            In the order of the tasks; or why none of them could be scored.
        """
        for task in tasks:
            if task.number in carried:
                self._sources[task.source].carry(task.item, carried[task.number])
        call = _Call(tasks)
        self._calls.put(call)
        return call.result.result()

    def _run(self, scorer: Scorer) -> None:
        """Score calls for ever. A stream ends when no call waits, because only its end completes the last call."""
        while True:
            begun = deque([self._calls.get()])
            try:
                for scored in scorer.score(self._tasks(begun)):
                    call = begun[0]
                    call.found.append(scored)
                    if len(call.found) == len(call.tasks):
                        begun.popleft().result.set_result(call.found)
            except Exception as error:
                known = error if isinstance(error, CxrError) else _failed(error)
                for call in begun:
                    call.result.set_result(known)

    def _tasks(self, begun: "deque[_Call]") -> "Iterator[Task]":
        call = begun[0]
        while True:
            yield from call.tasks
            try:
                call = self._calls.get_nowait()
            except queue.Empty:
                return
            begun.append(call)


class CarriedSource:
    """A source of which some images came with a call; it fetches the others itself.

    Parameters
    ----------
    name : SourceName
        Opened when it is first needed: a machine may not see it.
    """

    def __init__(self, name: SourceName) -> None:
        self._name = name
        self._carried: dict[str, Fetched | Exception] = {}

    @cached_property
    def _source(self) -> Source:
        return open_source(self._name)

    def carry(self, item: Item, found: Fetched | Exception) -> None:
        """Keep what was fetched elsewhere until it is asked for."""
        self._carried[item.id] = found

    def items(self) -> Iterator[Item]:
        """List the source; see ``Source.items``."""
        return self._source.items()

    def fetch(self, item: Item) -> Fetched:
        """Give what was carried, once, or fetch it; see ``Source.fetch``."""
        found = self._carried.pop(item.id, None)
        if isinstance(found, Exception):
            raise found
        return found or self._source.fetch(item)


class _Call:
    """Tasks that came together, and their results so far."""

    def __init__(self, tasks: Sequence[Task]) -> None:
        self.tasks = tasks
        self.found: list[Scored] = []
        self.result: Future[list[Scored] | CxrError] = Future()


def _failed(error: Exception) -> ClusterError:
    """An error of the program itself without its text, which may quote what is private."""
    return ClusterError("archive.cluster.failed", reason=unexpected(error))
