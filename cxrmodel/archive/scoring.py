"""Score tasks with one reader: the work of each process, alone or on a cluster."""

import hashlib
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from typing import NamedTuple

from cxrmodel.archive.columns import make_row, without_identity
from cxrmodel.archive.heatmaps import heatmap_row
from cxrmodel.archive.sources.registry import open_source
from cxrmodel.archive.sources.source import Fetched, Source
from cxrmodel.archive.tasks import Scored, Settings, Task
from cxrmodel.artefacts import cores
from cxrmodel.errors import ModelError, SourceUnavailable
from cxrmodel.imaging.dicom.study import NOTHING, Study, read_study
from cxrmodel.imaging.sandbox.pool import start_sandbox
from cxrmodel.reading import Reader, Reading
from cxrmodel.report.table import make_record

DECODER_IMAGES = 100
"""Images that one decoder process may decode: the files of one archive belong to one user."""
FETCHERS = max(8, 2 * cores())
"""Images that are fetched at one time, and held until they are decoded: enough to hide the time of a network."""
_NAME = "image"
"""Of every image within the reader, which no row shows."""


def start_decoders() -> None:
    """Start the sandbox of this process, in which files are decoded."""
    start_sandbox(images=DECODER_IMAGES)


class Scorer:
    """Scores tasks on all cores of this process, in order. It is the runner of one machine.

    Parameters
    ----------
    reader : Reader
        Of the version and prevalence of the settings.
    settings : Settings
    sources : sequence of Source, optional
        In the place of those that the settings name.

    Raises
    ------
    ModelError
        When the reader has another version of the model.
    DataError, SettingError, MissingExtra
        When a source cannot be opened.
    """

    def __init__(self, reader: Reader, settings: Settings, sources: Sequence[Source] | None = None) -> None:
        if reader.spec.version != settings.version:
            raise ModelError("archive.other_version", found=reader.spec.version, wanted=settings.version)
        self.reader, self.settings = reader, settings
        self._sources = [open_source(name) for name in settings.sources] if sources is None else sources

    @classmethod
    def load(cls, settings: Settings, sources: Sequence[Source] | None = None) -> "Scorer":
        """Load the model, in any process.

        Raises
        ------
        ModelError, DataError, SettingError, MissingExtra
        """
        return cls(Reader.load(settings.model, prevalence=settings.prevalence), settings, sources)

    def score(self, tasks: Iterator[Task]) -> Iterator[Scored]:
        """Score tasks; see ``Runner.score``.

        Parameters
        ----------
        tasks : iterator of Task

        Yields
        ------
        Scored
            In the order of the tasks, each once.
        """
        fetching: deque[_Flight] = deque()
        reading: deque[_Flight] = deque()
        with ThreadPoolExecutor(FETCHERS) as pool:

            def flights() -> Iterator[_Flight]:
                for task in tasks:
                    fetching.append(_Flight(task, pool.submit(self._fetch, task)))
                    if len(fetching) == FETCHERS:
                        yield fetching.popleft()
                while fetching:
                    yield fetching.popleft()

            def sources() -> Iterator[tuple[_Flight, str]]:
                for flight in flights():
                    reading.append(flight)
                    yield flight, _NAME

            try:
                # It is a generator, which its type does not say.
                with closing(self.reader.read_many(sources())) as outcomes:  # type: ignore[type-var]
                    for outcome in outcomes:
                        if isinstance(outcome, SourceUnavailable):
                            raise outcome
                        flight = reading.popleft()
                        yield scored(flight.task, outcome, self.settings, flight.facts)
            finally:
                for flight in fetching:
                    flight.fetching.cancel()

    def _fetch(self, task: Task) -> "_Fetched":
        found = self._sources[task.source].fetch(task.item)
        return _Fetched(found, hashlib.sha256(found.data).hexdigest(), read_study(found.data))


class _Fetched(NamedTuple):
    found: Fetched
    sha256: str
    study: Study


class _Facts(NamedTuple):
    """What is known of an image beside its reading; nothing where it was not fetched."""

    sha256: str | None = None
    size: int | None = None
    modified: int | None = None
    changed: bool = False
    study: Study = NOTHING


_NOT_FETCHED = _Facts()


def scored(task: Task, outcome: Reading | Exception, settings: Settings, facts: _Facts = _NOT_FETCHED) -> Scored:
    """Make the result of a task."""
    record = make_record(task.item.id, outcome, settings.version)
    record = replace(record, file_bytes=facts.size, file_modified=facts.modified)
    row = make_row(
        record,
        outcome.logit if isinstance(outcome, Reading) else None,
        facts.study,
        item=task.number,
        source=task.source,
        sha256=facts.sha256,
        changed=facts.changed,
    )
    heatmap = heatmap_row(task.number, outcome) if isinstance(outcome, Reading) and settings.heatmaps else None
    return Scored(task.number, row if settings.identity else without_identity(row), heatmap)


class _Flight:
    """One task while it is fetched and read. Called by the reader, it gives the bytes and lets go of them."""

    def __init__(self, task: Task, fetching: "Future[_Fetched]") -> None:
        self.task, self.facts = task, _Facts()
        self.fetching = fetching

    def __call__(self) -> bytes:
        found, sha256, study = self.fetching.result()
        del self.fetching
        item, size = self.task.item, len(found.data)
        pairs = ((item.size, size), (item.modified, found.modified), (item.version, found.version))
        changed = any(None not in pair and pair[0] != pair[1] for pair in pairs)
        self.facts = _Facts(sha256, size, found.modified, changed, study)
        return found.data
