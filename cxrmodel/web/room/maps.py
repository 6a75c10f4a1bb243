"""Further maps of a session's images, and tests of maps: computed in the background, one at a time, when asked for."""

import threading
import weakref
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from cxrmodel.errors import CxrError
from cxrmodel.explain.explainer import Explainer, Report
from cxrmodel.explain.image_test import image_test
from cxrmodel.explain.interpolation import CropMap
from cxrmodel.explain.methods import INSTANT
from cxrmodel.logs import log_failure
from cxrmodel.messages import Message
from cxrmodel.reading import Reader, Reading

Kind = Literal["map", "test"]
Key = tuple[str, str, Kind]
"""Identity of the image, method, and what is computed."""
Status = Literal["none", "waiting", "computing", "done", "failed", "stopped"]
Made = TypeVar("Made")

MOST_KEPT = 64
"""Results of a room; the oldest makes room."""

_EXPLAINERS: "weakref.WeakKeyDictionary[Reader, Explainer]" = weakref.WeakKeyDictionary()
_MAKING = threading.Lock()


class Stopped(Exception):
    """The user, or the end of the session, stopped the work."""


@dataclass(eq=False)
class Task:
    """Something to compute, and how it stands.

    Attributes
    ----------
    status : str
    share : float
        Done, 0..1.
    words : Message or None
        The step, or why it failed.
    result : object
        Where it is done.
    """

    status: Status = "waiting"
    share: float = 0.0
    words: Message | None = None
    result: Any = None
    work: Callable[[Report], Any] | None = field(default=None, repr=False)


class Maps:
    """The maps of one room. Safe to use from several threads."""

    def __init__(self) -> None:
        self._tasks: dict[Key, Task] = {}
        self._queue: deque[Task] = deque()
        self._working = False
        self._lock = threading.Lock()

    def start(self, reader: Reader, identity: str, reading: Reading, method: str, kind: Kind) -> None:
        """Compute a map, or test one, unless that is done or under way.

        Parameters
        ----------
        reader : Reader
        identity : str
            Of the image.
        reading : Reading
            With its pixels.
        method : str
            Name in ``METHODS``.
        kind : {"map", "test"}
            A test needs the map, which is computed first where it is not known.
        """
        with self._lock:
            known = self._tasks.get((identity, method, kind))
            if known is not None and known.status in ("waiting", "computing", "done"):
                return
            task = Task(work=self._work(reader, identity, reading, method, kind))
            self._tasks.pop((identity, method, kind), None)
            self._tasks[identity, method, kind] = task
            self._queue.append(task)
            self._make_room()
            if self._working:
                return
            self._working = True
        threading.Thread(target=_run, args=(weakref.ref(self),), name="computes maps", daemon=True).start()

    def task(self, identity: str, method: str, kind: Kind) -> Task:
        """Tell how something stands; the status is "none" where it was never asked for."""
        with self._lock:
            return self._tasks.get((identity, method, kind)) or Task("none")

    def stop(self, identity: str, method: str, kind: Kind) -> None:
        """Stop computing; nothing of it is kept."""
        with self._lock:
            task = self._tasks.get((identity, method, kind))
            if task is not None and task.status in ("waiting", "computing"):
                task.status, task.work = "stopped", None

    def keep(self, identities: set[str]) -> None:
        """Forget the results of all images but these, and stop what is computed of others."""
        with self._lock:
            for key in [key for key in self._tasks if key[0] not in identities]:
                task = self._tasks.pop(key)
                task.status, task.work, task.result = "stopped", None, None

    def next(self) -> Task | None:
        """Give the next task; None where none waits, and then the thread ends."""
        with self._lock:
            while self._queue:
                task = self._queue.popleft()
                if task.status == "waiting":
                    task.status = "computing"
                    return task
            self._working = False
            return None

    def _work(
        self, reader: Reader, identity: str, reading: Reading, method: str, kind: Kind
    ) -> Callable[[Report], object]:
        ready = reader.model_input(reading)
        known = self._tasks.get((identity, method, "map"))

        def compute_map(progress: Report) -> CropMap:
            return explainer_of(reader).image_map(method, ready, progress)

        def test(progress: Report) -> object:
            if method == INSTANT:
                heat = reading.heat
            else:
                found = known.result if known is not None and known.result is not None else compute_map(progress)
                heat = found.on_image()
            return image_test(explainer_of(reader), method, ready, heat, progress)

        return compute_map if kind == "map" else test

    def _make_room(self) -> None:
        done = [key for key, task in self._tasks.items() if task.status not in ("waiting", "computing")]
        for key in done[: max(0, len(self._tasks) - MOST_KEPT)]:
            del self._tasks[key]


def explainer_of(reader: Reader) -> Explainer:
    """The explanation methods of a loaded model, shared by all sessions."""
    with _MAKING:
        if reader not in _EXPLAINERS:
            _EXPLAINERS[reader] = Explainer.shipped(reader.spec, reader.engine)
        return _EXPLAINERS[reader]


def _run(reference: "weakref.ref[Maps]") -> None:
    while (maps := reference()) is not None:
        task = maps.next()
        del maps  # a session may end while a map is computed
        if task is None:
            return
        _compute(task, reference)
        del task


def _compute(task: Task, reference: "weakref.ref[Maps]") -> None:
    def progress(share: float, words: Message) -> None:
        if task.status != "computing" or reference() is None:
            raise Stopped
        task.share, task.words = min(max(share, 0.0), 1.0), words

    work, task.work = task.work, None
    status: Status = "failed"
    try:
        if work is not None:
            task.result, status = work(progress), "done"
    except Stopped:
        return
    except CxrError as error:
        task.words = error.message
    except Exception as error:
        task.words = Message("viewer.map_failed", reference=log_failure(error))
    if task.status == "computing":
        task.status = status
    else:
        task.result = None
