"""A store, a reader and a worker's parts for tests, with faults where a test wants them."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from cxrmodel.configuration.schema import ResultSection, WorkerSection
from cxrmodel.demo import demo_images
from cxrmodel.monitoring.metrics import Metrics
from cxrmodel.reading import Reader
from cxrmodel.store.records import Received
from cxrmodel.store.store import Store
from cxrmodel.work.jobs import Jobs
from cxrmodel.work.leases import Leases
from cxrmodel.work.shared import Shared
from cxrmodel.work.waiting import Bell
from tests.support.faults import Faulty
from tests.support.hospital import chest_image, image_uid

TARGETS = ("pacs", "archive")


@pytest.fixture(scope="session")
def loaded() -> Reader:
    """The shipped reader."""
    return Reader.load(prevalence=0.5)


@pytest.fixture
def let_pass() -> Callable[[float], datetime]:
    """A function that lets seconds pass in ``store`` and gives the time; it stands still otherwise."""
    now = [datetime(2026, 1, 1, tzinfo=UTC)]

    def passed(seconds: float = 0.0) -> datetime:
        now[0] += timedelta(seconds=seconds)
        return now[0]

    return passed


@pytest.fixture
def store(tmp_path, let_pass) -> Iterator[Faulty]:
    """An empty store in SQLite; ``before`` and ``after`` take faults."""
    opened = Store.open(None, tmp_path / "data", clock=let_pass)
    yield Faulty(opened)
    opened.close()


@pytest.fixture
def reader(loaded) -> Faulty:
    """The shipped reader; ``before`` takes faults."""
    return Faulty(loaded)


@pytest.fixture
def shared(store) -> Shared:
    """What the parts of a worker share."""
    return Shared("a" * 32, store, Leases(store, 30), Metrics(TARGETS), Bell())


@pytest.fixture
def jobs(shared, reader) -> Jobs:
    """The part that reads, with two tries for an image and no waits worth mentioning."""
    return Jobs(
        shared,
        reader,
        settings=WorkerSection(tries=2, retry_seconds=0.001, longest_retry_seconds=0.001),
        results=ResultSection(),
        targets=TARGETS,
        known_image=demo_images()[0].path,
    )


@pytest.fixture
def receive(store, loaded) -> Callable[..., str]:
    """A function ``receive(number, data=None)`` that takes an image in and gives its key."""

    def taken(number: int = 1, data: bytes | None = None) -> str:
        sha256 = store.files.keep(chest_image(number) if data is None else data)
        assert store.receive(Received(image_uid(number), sha256, "folder"), loaded.spec.version)
        return image_uid(number)

    return taken
