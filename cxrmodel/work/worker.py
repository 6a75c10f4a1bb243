"""The worker: inboxes, one reader, an outbox, each on its own threads, around one store."""

import secrets
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from importlib import import_module

from cxrmodel import logs
from cxrmodel.artefacts import cores
from cxrmodel.configuration.schema import Configuration, FilterSection
from cxrmodel.demo import demo_images
from cxrmodel.errors import StoreError, StoreUnavailable
from cxrmodel.exchange.admission import Admission, Outcome, Receipt
from cxrmodel.exchange.inbox.inboxes import make_inbox
from cxrmodel.exchange.outbox.targets import make_target
from cxrmodel.model.spec import load_spec
from cxrmodel.monitoring.endpoint import published
from cxrmodel.monitoring.metrics import Metrics
from cxrmodel.reading import Reader
from cxrmodel.store.opening import open_store
from cxrmodel.store.store import Store
from cxrmodel.work.jobs import Jobs
from cxrmodel.work.leases import Leases
from cxrmodel.work.sending import Sending
from cxrmodel.work.shared import Shared
from cxrmodel.work.upkeep import Upkeep
from cxrmodel.work.waiting import BackOff, Bell, Outage, note_store

Part = tuple[str, Callable[[], None]]
"""Name of a thread, and what it runs."""


class RingingAdmission(Admission):
    """Admission that rings a bell for each new image.

    Parameters
    ----------
    store, model, filters
        As for ``Admission``.
    bell : Bell
    """

    def __init__(self, store: Store, model: str, filters: FilterSection, bell: Bell) -> None:
        super().__init__(store, model, filters)
        self._bell = bell

    def deliver(self, data: bytes, source: str, expected: str | None = None) -> Receipt:
        """Take a file in; see ``Admission.deliver``."""
        receipt = super().deliver(data, source, expected)
        if receipt.outcome is Outcome.RECEIVED:
            self._bell.ring()
        return receipt


class Worker:
    """Everything that ``cxrmodel work`` runs.

    Parameters
    ----------
    configuration : Configuration
    reader : Reader, optional
        Already loaded; else that of the configuration is loaded where images are to be read.

    Attributes
    ----------
    name : str
        In the store: 32 random hexadecimal digits.
    ready : threading.Event
        Set once everything runs.
    """

    def __init__(self, configuration: Configuration, reader: Reader | None = None) -> None:
        self.configuration, self.name = configuration, secrets.token_hex(16)
        self.ready = threading.Event()
        self._bell, self._stop = Bell(), threading.Event()
        self._reader = reader
        self.metrics = Metrics([target.name for target in configuration.outbox.all])

    def stop(self) -> None:
        """End ``run`` once what is in progress is done, or its time is over. May be called from any thread."""
        self._stop.set()
        self._bell.stop()

    def run(self) -> None:
        """Work until ``stop``.

        Raises
        ------
        CxrError
            When the model cannot be loaded, or the store is not one that can be used. A store that is only down is
            waited for.
        """
        reader = self._load()
        with ExitStack() as stack:
            store = self._open()
            if store is None:
                return
            stack.callback(store.close)
            if self.configuration.worker.metrics_port is not None:
                stack.enter_context(published(self.metrics, self.configuration.worker.metrics_port))
            leases = Leases(store, self.configuration.worker.lease_seconds)
            shared = Shared(self.name, store, leases, self.metrics, self._bell)
            threads = [_start(name, run) for name, run in self._parts(shared, reader)]
            keeper = _start("leases", lambda: leases.run(self._bell))
            self.ready.set()
            self._stop.wait()
            logs.event("logs.work_stopping", count=leases.number)
            _join(threads, self.configuration.worker.stop_seconds)
            logs.event("logs.work_stopped", count=leases.give_back())
            _join([keeper], 2.0)
            with suppress(StoreError):
                store.leave(self.name)

    def _load(self) -> Reader | None:
        """Load the reader and all that the first use takes time for, so that the first image does not wait for it."""
        if self.configuration.worker.at_once == 0:
            return None
        reader = self._reader or Reader.load(
            self.configuration.reader.model, prevalence=self.configuration.reader.prevalence
        )
        import_module("cxrmodel.results.makers")
        image = demo_images()[0].path
        for read in (reader.read, reader.read_beside_others):
            read(image.read_bytes(), image.name)
        return reader

    def _open(self) -> Store | None:
        """Open the store, waiting for one that is down; None where the worker is stopped meanwhile."""
        settings = self.configuration
        back_off = BackOff(settings.worker.retry_seconds, settings.worker.longest_retry_seconds)
        outage, attempt = Outage(note_store), 0
        while not self._bell.stopped:
            try:
                store = open_store(settings.store.address(), settings.store.folder)
            except StoreUnavailable as error:
                attempt += 1
                outage.begins(error.message.code)
                self._bell.rest(back_off.seconds(attempt))
            else:
                outage.ends()
                return store
        return None

    def _parts(self, shared: Shared, reader: Reader | None) -> Iterator[Part]:
        settings, version = self.configuration, self._version(reader)
        at_once = 0 if reader is None else cores() if settings.worker.at_once is None else settings.worker.at_once
        self.metrics.model(version)
        logs.event("logs.work_started", worker=self.name, count=at_once, model=version)
        yield "upkeep", Upkeep(shared, version, at_once, settings.retention).run
        if reader is not None:
            jobs = Jobs(
                shared,
                reader,
                settings=settings.worker,
                results=settings.results,
                targets=[target.name for target in settings.outbox.all],
                known_image=demo_images()[0].path,
            )
            yield from (("read", jobs.run) for _ in range(at_once))
        for target in settings.outbox.all:
            sending = Sending(shared, make_target(target), settings.outbox)
            yield "send", sending.run
        admission = RingingAdmission(shared.store, version, settings.filters, self._bell)
        for entry in settings.inbox.all:
            inbox = make_inbox(entry)
            yield "inbox", lambda inbox=inbox: inbox.run(self._stop, admission)  # type: ignore[misc]

    def _version(self, reader: Reader | None) -> str:
        return reader.spec.version if reader else load_spec(self.configuration.reader.model).version


def _start(name: str, run: Callable[[], None]) -> threading.Thread:
    # As a daemon: one that hangs in a library must not keep the process from ending.
    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    return thread


def _join(threads: Sequence[threading.Thread], seconds: float) -> None:
    until = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
