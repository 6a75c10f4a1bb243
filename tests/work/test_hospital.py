"""From the PACS and back, with a real archive server: every image ends as its results in its study, once."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from cxrmodel.configuration.load import parse_configuration
from cxrmodel.store.records import JobState
from cxrmodel.store.store import Store
from cxrmodel.work.worker import Worker
from tests.support.hospital import chest_image, image_uid, sections, study_uid, toml, wait_until

pytestmark = pytest.mark.slow


@pytest.fixture
def start(tmp_path, loaded) -> Iterator[Callable[..., Worker]]:
    """A function that starts a worker in this process: ``start(inbox_scp=[...], outbox_stow=[...])``."""
    running: list[tuple[Worker, threading.Thread]] = []

    def started(url: str | None = None, **more) -> Worker:
        text = toml(sections(tmp_path / "data", url, **more))
        worker = Worker(parse_configuration(text, tmp_path / "hospital.toml"), loaded)
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
