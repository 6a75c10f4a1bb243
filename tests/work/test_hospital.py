"""From the PACS and back, with a real archive server: every image ends as its results in its study, once."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from cxrmodel.configuration.load import parse_configuration
from cxrmodel.store.records import DeliveryState, JobState, Received
from cxrmodel.store.store import Store
from cxrmodel.work.worker import Worker
from tests.support.hospital import chest_image, image_uid, sections, study_uid, toml
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow


@pytest.fixture
def start(tmp_path, loaded) -> Iterator[Callable[..., Worker]]:
    """A function that starts a worker in this process: ``start(inbox_scp=[...], outbox_stow=[...])``."""
    running: list[tuple[Worker, threading.Thread]] = []

    def started(url: str | None = None, reader=loaded, **more) -> Worker:
        text = toml(sections(tmp_path / "data", url, **more))
        worker = Worker(parse_configuration(text, tmp_path / "hospital.toml"), reader)
        thread = threading.Thread(target=worker.run)
        thread.start()
        running.append((worker, thread))
        assert worker.ready.wait(60)
        return worker

    yield started
    for worker, _ in running:
        worker.stop()
    for _, thread in running:
        thread.join()


@pytest.fixture
def open_store(tmp_path) -> Iterator[Callable[..., Store]]:
    """A function that opens the worker's store."""
    opened: list[Store] = []

    def again(url: str | None = None) -> Store:
        opened.append(Store.open(url, tmp_path / "data"))
        return opened[-1]

    yield again
    for store in opened:
        store.close()


def modalities(orthanc, number: int) -> Counter[str]:
    """Number of objects of the study of an image by modality."""
    found = orthanc.find("Instance", StudyInstanceUID=study_uid(number))
    return Counter(orthanc.tags(one)["Modality"] for one in found)


def test_an_image_in_the_archive_ends_as_its_results_in_its_study(orthanc, start, open_store):
    """Twice without a second object, and the results are never read."""
    poll = {"name": "poll", "url": orthanc.dicom_web, "every_seconds": 0.2}
    worker = start(inbox_dicomweb=[poll], outbox_stow=[{"name": "pacs", "url": orthanc.dicom_web}])
    store = open_store()
    orthanc.store(chest_image(1))
    wait_until(lambda: modalities(orthanc, 1) == {"CR": 1, "SR": 1, "OT": 1})
    before = orthanc.uids(StudyInstanceUID=study_uid(1))
    orthanc.store(chest_image(1))
    orthanc.store(chest_image(2))
    wait_until(lambda: modalities(orthanc, 2) == {"CR": 1, "SR": 1, "OT": 1})
    worker.stop()
    assert orthanc.uids(StudyInstanceUID=study_uid(1)) == before
    assert image_uid(1) in before
    assert store.state().jobs[JobState.READ] == 2


@pytest.fixture
def dropped(tmp_path) -> Callable[[int], None]:
    """A function that puts an image into the watched folder; its attribute ``inbox`` is that inbox."""
    folder = tmp_path / "in"
    folder.mkdir()

    def drop(number: int) -> None:
        (folder / f".{number}").write_bytes(chest_image(number))
        (folder / f".{number}").rename(folder / f"{number}.dcm")

    drop.inbox = {"name": "dropped", "path": str(folder), "every_seconds": 0.05, "settle_seconds": 0.01}
    return drop


def test_an_archive_that_is_down_gets_its_results_later(orthanc, start, open_store, dropped):
    """Once; the image is read meanwhile."""
    orthanc.stop()
    start(inbox_folder=[dropped.inbox], outbox_stow=[{"name": "pacs", "url": orthanc.dicom_web}])
    store = open_store()
    dropped(1)
    wait_until(lambda: store.state().jobs[JobState.READ] == 1)
    orthanc.start()
    wait_until(lambda: store.state().deliveries[DeliveryState.DELIVERED] == 2)
    assert modalities(orthanc, 1) == {"SR": 1, "OT": 1}


class Interrupted:
    """A reader during whose reading something happens, once."""

    def __init__(self, whole, event: Callable[[], None]) -> None:
        self._whole, self._event, self.read_keys = whole, event, []

    def __getattr__(self, name: str):
        return getattr(self._whole, name)

    def read(self, data: bytes, name: str):
        """Read, and let it happen with the first image that is no trial."""
        if name.startswith(study_uid(1)[:-1]):
            self.read_keys.append(name)
            if len(self.read_keys) == 1:
                self._event()
        return self._whole.read(data, name)


def test_a_store_that_goes_down_loses_nothing(orthanc, postgres, start, open_store, dropped, loaded):
    """PostgreSQL ends as if it had crashed while an image is read, and another image comes before it is back."""

    def crash() -> None:
        postgres.stop("immediate")
        dropped(2)
        threading.Timer(0.5, postgres.start).start()

    url, reader = postgres.database(), Interrupted(loaded, crash)
    start(
        url,
        reader,
        worker={"at_once": 1},
        inbox_folder=[dropped.inbox],
        outbox_stow=[{"name": "pacs", "url": orthanc.dicom_web}],
    )
    dropped(1)
    for number in (1, 2):
        wait_until(lambda number=number: modalities(orthanc, number) == {"SR": 1, "OT": 1})
    assert reader.read_keys == [image_uid(1), image_uid(2)]
    assert open_store(url).state().jobs[JobState.READ] == 2


def test_workers_that_share_a_store_read_no_image_twice(postgres, start, open_store, loaded):
    """Each takes what the other has not."""
    url = postgres.database()
    store = open_store(url)
    for number in range(1, 9):
        sha256 = store.files.keep(chest_image(number))
        store.receive(Received(image_uid(number), sha256, "folder"), loaded.spec.version)
    readers = [Interrupted(loaded, lambda: None) for _ in range(2)]
    for reader in readers:
        reader.read_beside_others = reader.read
        start(url, reader)
    wait_until(lambda: store.state().jobs[JobState.READ] == 8)
    assert sorted(key for reader in readers for key in reader.read_keys) == [
        image_uid(number) for number in range(1, 9)
    ]
