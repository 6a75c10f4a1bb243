"""Speed of inboxes and targets on this machine: ``python -m tests.support.measure_exchange [IMAGES]``.

Milliseconds for each image, from the first byte sent to the last job in a fresh SQLite store, and for each object that
is sent to an empty archive. "Admission alone" is without a network: header, durable file, database.
"""

import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from cxrmodel.configuration.schema import CstoreTarget, DicomwebInbox, FilterSection, FolderInbox, ScpInbox, StowTarget
from cxrmodel.exchange.admission import Admission
from cxrmodel.exchange.inbox.dicomweb import DicomwebPoll
from cxrmodel.exchange.inbox.folder import WatchedFolder
from cxrmodel.exchange.inbox.scp import StoreScp
from cxrmodel.exchange.outbox.targets import make_target
from cxrmodel.store.store import Store
from tests.exchange.conftest import running
from tests.support.hospital import chest_image
from tests.support.orthanc import Orthanc, make_orthanc
from tests.support.programs import require_program
from tests.support.server import free_port
from tests.support.waiting import wait_until


def report(name: str, images: int, work: Callable[[], None]) -> None:
    """Time a piece of work and write a line of a table."""
    begin = time.monotonic()
    work()
    sys.stdout.write(f"| {name} | {1000 * (time.monotonic() - begin) / images:.1f} |\n")


def jobs(store: Store) -> int:
    """Images in a store."""
    return sum(store.state().jobs.values())


def main() -> None:
    """Measure each route with as many images."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    files = [chest_image(number) for number in range(count)]
    sys.stdout.write(
        f"{count} images of {sum(map(len, files)) // count // 1024} kB\n\n| route | ms an image |\n|---|---|\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        archive = make_orthanc(root / "orthanc", sys.exit).start()
        try:
            inboxes(root, files, archive)
            targets(root, files, archive)
        finally:
            archive.kill()


def inboxes(root: Path, files: list[bytes], archive: Orthanc) -> None:
    """Measure each inbox; images are in the archive afterwards."""
    count = len(files)

    def admission(name: str) -> tuple[Store, Admission]:
        store = Store.open(None, root / name)
        return store, Admission(store, "model", FilterSection())

    _, direct = admission("direct")
    report("admission alone", count, lambda: [direct.deliver(data, "inbox") for data in files] and None)

    place = root / "images"
    place.mkdir()
    for number, data in enumerate(files):
        (place / f"{number}.dcm").write_bytes(data)
    store, receiving = admission("scp")
    settings = ScpInbox(name="receiver", port=free_port())
    program = require_program("storescu", sys.exit)
    command = [program, "-aec", "CXRMODEL", "127.0.0.1", str(settings.port), "+sd", str(place)]
    with running(StoreScp(settings), receiving):
        time.sleep(1)
        report("C-STORE, one association", count, lambda: subprocess.run(command, check=True) and None)
    assert jobs(store) == count

    for data in files:
        archive.store(data)
    store, receiving = admission("poll")
    poll = DicomwebPoll(DicomwebInbox(name="pacs", url=archive.dicom_web))
    report("DICOMweb poll, one study each", count, lambda: poll.round(threading.Event(), receiving))
    assert jobs(store) == count
    poll._next_search = 0.0
    report("a search that finds nothing new", count, lambda: poll.round(threading.Event(), receiving))

    store, receiving = admission("folder")
    watched = WatchedFolder(FolderInbox(name="folder", path=place, settle_seconds=0.1))
    stop = threading.Event()
    watched.round(stop, receiving)
    time.sleep(0.2)
    report("folder", count, lambda: watched.round(stop, receiving))
    assert jobs(store) == count


def targets(root: Path, files: list[bytes], archive: Orthanc) -> None:
    """Measure each target with an empty archive."""
    entries = {
        "STOW-RS": lambda to: StowTarget(name="pacs", url=to.dicom_web),
        "C-STORE out, one association each": lambda to: CstoreTarget(
            name="pacs", host="127.0.0.1", port=to.dicom_port, called_ae_title=to.ae_title
        ),
    }
    for name, settings in entries.items():
        archive.kill()
        empty = make_orthanc(root / name.partition(",")[0], sys.exit).start()
        try:
            target = make_target(settings(empty))
            report(name, len(files), lambda target=target: [target.send(data) for data in files] and None)
            wait_until(lambda empty=empty: len(empty.find()) == len(files))
        finally:
            empty.kill()


if __name__ == "__main__":
    main()
