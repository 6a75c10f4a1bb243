"""A worker killed at any point loses and doubles nothing: the next one goes on where it stopped."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import cxrmodel.results.makers  # before the fork, as it takes time  # noqa: F401
from cxrmodel.configuration.load import parse_configuration
from cxrmodel.configuration.schema import Configuration
from cxrmodel.errors import WrongView
from cxrmodel.exchange.outbox.stow import Stow
from cxrmodel.model.spec import load_spec
from cxrmodel.models import DEFAULT_MODEL
from cxrmodel.store.files import Files
from cxrmodel.store.records import DeliveryState, JobState
from cxrmodel.store.store import Store
from cxrmodel.work.jobs import Jobs
from cxrmodel.work.worker import Worker
from tests.support.hospital import chest_image, image_uid, sections, study_uid, toml
from tests.support.orthanc import Orthanc, make_orthanc
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow

POINTS = {
    "the file is on disk": (Files, "keep", "after"),
    "the job is recorded": (Store, "receive", "after"),
    "the job is leased": (Jobs, "do", "before"),
    "the image is read": (Jobs, "_finish", "before"),
    "the results are stored": (Store, "finish", "after"),
    "the result is about to be sent": (Stow, "send", "before"),
    "the result is sent": (Stow, "send", "after"),
}


class RefusingReader:
    """A reader that refuses every image at once and needs no network, so that a forked process can use it."""

    def __init__(self) -> None:
        self.spec, self.prevalence = load_spec(DEFAULT_MODEL), 0.5

    def read(self, data: bytes, name: str) -> None:
        """Refuse an image; the worker's trial at its start is read."""
        if name.startswith(image_uid(0)[:20]):
            raise WrongView("imaging.dicom.wrong_view", view="LATERAL")

    read_beside_others = read


@pytest.fixture(scope="module")
def archive(tmp_path_factory, strict_skip) -> Iterator[Orthanc]:
    """One archive server for every point."""
    server = make_orthanc(tmp_path_factory.mktemp("orthanc"), strict_skip)
    yield server.start()
    server.kill()


@pytest.fixture
def configuration(tmp_path, archive) -> Configuration:
    """A watched folder, and the archive as target; leases are short."""
    watched = {"name": "dropped", "path": str(tmp_path / "in"), "every_seconds": 0.05, "settle_seconds": 0.05}
    stow = {"name": "pacs", "url": archive.dicom_web}
    (tmp_path / "in").mkdir()
    text = toml(
        sections(
            tmp_path / "data", inbox_folder=[watched], outbox_stow=[stow], worker={"lease_seconds": 1, "at_once": 1}
        )
    )
    return parse_configuration(text, tmp_path / "hospital.toml")


def forked(run: Callable[[], None]) -> int:
    """Run a function in a copy of this process, and give the number of that process."""
    number = os.fork()
    if number == 0:
        try:
            run()
        finally:
            os._exit(1)
    return number


def killing(kind: type, operation: str, when: str) -> None:
    """Let this process be killed when an operation begins or has been done."""
    real = getattr(kind, operation)

    def killed(*values, **options):
        if when == "after":
            real(*values, **options)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(kind, operation, killed)


@pytest.mark.parametrize(("number", "point"), list(enumerate(POINTS)), ids=POINTS)
def test_a_killed_worker_loses_and_doubles_nothing(tmp_path, archive, configuration, number, point):
    """One image, one report in its study, one reading, whenever the kill comes."""

    def work() -> None:
        Worker(configuration, RefusingReader()).run()

    def work_and_die() -> None:
        killing(*POINTS[point])
        work()

    (tmp_path / "in" / "image.dcm").write_bytes(chest_image(number))
    first = forked(work_and_die)
    assert os.waitstatus_to_exitcode(os.waitpid(first, 0)[1]) == -signal.SIGKILL
    second = forked(work)
    store = Store.open(None, configuration.store.folder)
    try:
        wait_until(lambda: store.state().deliveries[DeliveryState.DELIVERED] == 1)
        state = store.state()
    finally:
        os.kill(second, signal.SIGKILL)
        os.waitpid(second, 0)
        store.close()
    assert {name: count for name, count in state.jobs.items() if count} == {JobState.REFUSED: 1}
    assert {name: count for name, count in state.deliveries.items() if count} == {DeliveryState.DELIVERED: 1}
    assert len(archive.uids(StudyInstanceUID=study_uid(number))) == 1
    assert not (tmp_path / "in" / "image.dcm").exists()
    assert taken_files(tmp_path / "in") == 1


def taken_files(folder: Path) -> int:
    """Number of files that the watched folder keeps as done."""
    return sum(1 for path in (folder / "done").rglob("*") if path.is_file())
