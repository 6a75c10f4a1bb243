"""Jobs: lease an image, read it, make its results, and store all of it in one transaction."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from logging import WARNING
from pathlib import Path
from typing import Any

from cxrmodel import logs
from cxrmodel.configuration.schema import ResultSection, WorkerSection
from cxrmodel.errors import CxrError, DecoderUnavailable, ImageRefused, ResultRefused, StoreError, StoreUnavailable
from cxrmodel.reading import Reader, Reading, ReadingRecord
from cxrmodel.report.table import make_record
from cxrmodel.results.objects import result_objects
from cxrmodel.store.records import Job, StoredObject
from cxrmodel.work.shared import POLL_SECONDS, UNEXPECTED, Shared
from cxrmodel.work.waiting import BackOff, Outage, note_store

KILLED = "work.killed"
"""Code of an image during whose reading the worker died, as often as it may be tried."""
_PASSING = (StoreUnavailable, DecoderUnavailable, MemoryError)
"""Errors of this machine or of the store, not of an image; those with a number of the operating system are, too."""


@dataclass(frozen=True)
class Done:
    """What a job gave."""

    record: ReadingRecord
    objects: tuple[StoredObject, ...]


class Jobs:
    """The part of a worker that reads. Its ``run`` is called on as many threads as images are read at one time.

    Parameters
    ----------
    shared : Shared
    reader : Reader
    settings : WorkerSection
    results : ResultSection
    targets : sequence of str
        Names of the outbox's targets.
    known_image : Path
        An image that the reader reads when it works.
    """

    def __init__(
        self,
        shared: Shared,
        reader: Reader,
        *,
        settings: WorkerSection,
        results: ResultSection,
        targets: Sequence[str],
        known_image: Path,
    ) -> None:
        self._shared, self._store, self._bell = shared, shared.store, shared.bell
        self._reader, self._settings, self._results = reader, settings, results
        self._targets, self._known_image = tuple(targets), known_image
        self._back_off = BackOff(settings.retry_seconds, settings.longest_retry_seconds)
        self._store_outage = Outage(note_store)
        self._busy, self._setbacks, self._lock = 0, Counter[int](), threading.Lock()

    def run(self) -> None:
        """Work until the bell stops. No error of one image, of the reader or of the store ends it."""
        failures = 0
        while not self._bell.stopped:
            rung = self._bell.rung
            try:
                found = self._next()
                failures = 0
            except Exception as error:
                failures += 1
                self._cannot(error)
                self._bell.rest(self._back_off.seconds(failures))
                continue
            if not found:
                self._bell.wait(POLL_SECONDS, rung)

    def _next(self) -> bool:
        """Do the next job; False where there is none."""
        job = self._store.lease(self._shared.worker, self._reader.spec.version, self._shared.leases.seconds)
        self._store_outage.ends()
        if job is None:
            return False
        with self._shared.leases.held(job):
            self.do(job)
        return True

    def do(self, job: Job) -> None:
        """Do a leased job, whatever comes of it."""
        if job.tries > self._settings.tries:
            self._give_up(job, KILLED)
            return
        try:
            done = self.read(job)
        except Exception as error:
            self._failed(job, error)
            return
        with self._lock:
            self._setbacks.pop(job.id, None)
        self._finish(job, done)

    def read(self, job: Job) -> Done:
        """Read the image of a job and make its results; a refused image has a record and results too.

        Raises
        ------
        Exception
            Whatever keeps the image from being read without being its refusal.
        """
        data = self._store.files.read(job.image.sha256)
        with self._alone() as alone, self._shared.timed("read"):
            read = self._reader.read if alone else self._reader.read_beside_others
            try:
                outcome: Reading | ImageRefused = read(data, job.image.key)
            except ImageRefused as refusal:
                outcome = refusal
        record = make_record(job.image.key, outcome, self._reader.spec.version)
        return Done(record, self._objects(job, data, outcome))

    def _objects(self, job: Job, data: bytes, outcome: Reading | ImageRefused) -> tuple[StoredObject, ...]:
        objects: list[StoredObject] = []
        try:
            for kind in self._results.kinds:
                with self._shared.timed(kind):
                    made = result_objects(
                        data,
                        outcome,
                        self._reader.spec,
                        prevalence=self._reader.prevalence,
                        kinds=(kind,),
                        profile=self._results.profile,
                    )
                objects += (StoredObject(one.uid, kind, one.sop_class, one.data) for one in made)
        except ResultRefused as error:  # a picture, or a file without the UIDs that a result refers to
            logs.event("logs.no_results", WARNING, job=job.id, cause=error.message.code)
            return ()
        return tuple(objects)

    @contextmanager
    def _alone(self) -> Iterator[bool]:
        """Whether this image may have every core: no other is being read when it begins."""
        with self._lock:
            self._busy += 1
            alone = self._busy == 1
        try:
            yield alone
        finally:
            with self._lock:
                self._busy -= 1

    def _finish(self, job: Job, done: Done) -> None:
        """Store what a job gave; while the store is down, keep it and try again."""
        attempt = 0
        while True:
            try:
                with self._shared.timed("store"):
                    kept = self._store.finish(job, done.record, done.objects, self._targets)
                break
            except StoreUnavailable as error:
                attempt += 1
                self._cannot(error)
                if self._bell.stopped:
                    return
                self._bell.rest(self._back_off.seconds(attempt))
            except Exception as error:
                self._failed(job, error)
                return
        self._store_outage.ends()
        if not kept:
            logs.event("logs.lease_lost", WARNING, job=job.id)
            return
        self._shared.metrics.image("worker", done.record.status, done.record.codes)
        values: dict[str, Any] = {"milliseconds": done.record.milliseconds}
        if done.record.status == "refused":
            values = {"cause": done.record.codes[0]}
        logs.event("logs.finished", job=job.id, outcome=done.record.status, count=len(done.objects), **values)
        self._bell.ring()

    def _failed(self, job: Job, error: Exception) -> None:
        """Put a job back, or give it up where the image itself has failed as often as it may."""
        if self._is_passing(error):
            with self._lock:
                self._setbacks[job.id] += 1
                wait = self._back_off.seconds(self._setbacks[job.id])
            self._put_back(job, _code(error), wait, counted=False)
            self._bell.rest(self._settings.retry_seconds)  # the machine may recover, and the next image be read
        elif job.tries >= self._settings.tries:
            self._give_up(job, _code(error))
        else:
            self._put_back(job, _code(error), self._back_off.seconds(job.tries), counted=True)

    def _is_passing(self, error: Exception) -> bool:
        """Whether an error belongs to the machine, the store or the reader, not to the image."""
        if isinstance(error, _PASSING) or (isinstance(error, OSError) and error.errno is not None):
            self._cannot(error)
            return True
        if isinstance(error, StoreError):
            return False
        logs.log_failure(error)
        return not self._reader_works()

    def _reader_works(self) -> bool:
        try:
            self._reader.read_beside_others(self._known_image.read_bytes(), self._known_image.name)
        except Exception as error:
            logs.log_failure(error)
            return False
        return True

    def _put_back(self, job: Job, code: str, seconds: float, *, counted: bool) -> None:
        logs.event("logs.put_back", WARNING, job=job.id, cause=code, tries=job.tries, seconds=round(seconds, 1))
        self._settle(lambda: self._store.retry(job, code, seconds, counted=counted))

    def _give_up(self, job: Job, code: str) -> None:
        logs.event("logs.given_up", WARNING, job=job.id, cause=code, tries=job.tries)
        self._shared.metrics.image("worker", "error", [code])
        self._settle(lambda: self._store.give_up(job, code))

    def _settle(self, change: Callable[[], object]) -> None:
        """Change a job where the store can; where not, its lease ends and it is tried again."""
        try:
            change()
        except StoreError as error:
            self._cannot(error)

    def _cannot(self, error: Exception) -> None:
        if isinstance(error, StoreUnavailable):
            self._store_outage.begins(error.message.code)
        elif isinstance(error, CxrError):
            logs.event("logs.trouble", WARNING, cause=error.message.code)
        else:
            logs.log_failure(error)


def _code(error: Exception) -> str:
    if isinstance(error, CxrError):
        return error.message.code
    if isinstance(error, MemoryError):
        return "work.no_memory"
    return "work.machine" if isinstance(error, OSError) and error.errno is not None else UNEXPECTED
