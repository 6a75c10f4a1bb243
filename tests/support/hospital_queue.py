"""Ten thousand small images through a hospital: ``python -m tests.support.hospital_queue``.

A process receives all of them by C-STORE while nothing reads. Then a worker reads them, refuses each as too small, and
sends a report of each to the archive. Time is given for each part of the images, in their order: it stays flat however
many wait, and however many are done. In the end every study has one report.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from cxrmodel.store.records import DeliveryState, JobState
from cxrmodel.store.store import Store
from tests.support.hospital import Sender, WorkProcess, chest_image, objects_by_study, sections, toml
from tests.support.orthanc import make_orthanc
from tests.support.postgres import chosen_database
from tests.support.server import free_port
from tests.support.waiting import wait_until

PIXELS = np.full((32, 32), 128, np.uint8)
LONGEST = 4 * 3600.0
"""Seconds; guards against hanging."""


def tell(title: str, first: int, part: int, start: float) -> float:
    """Write how long a part has taken; the time now."""
    now = time.monotonic()
    sys.stdout.write(f"{title} {first:,} to {first + part - 1:,}: {1000 * (now - start) / part:.1f} ms an image\n")
    sys.stdout.flush()
    return now


def passing(title: str, count: Callable[[], int], number: int, part: int) -> None:
    """Write how long each part takes, from the first image on until all are done."""
    wait_until(lambda: count() >= 1, LONGEST)
    start = time.monotonic()
    for first in range(1, number + 1, part):
        wait_until(lambda first=first: count() >= first + part - 1, LONGEST)
        start = tell(title, first, part, start)


def run(folder: Path, url: str | None, number: int, part: int) -> list[str]:
    """Receive, read and send all images; tell what is wrong in the end."""
    archive, port = make_orthanc(folder / "orthanc", sys.exit).start(), free_port()
    receiving = {"worker": {"at_once": 0}, "inbox_scp": [{"name": "receiver", "port": port}]}
    for name, more in (
        ("receiver", receiving),
        ("worker", {"outbox_stow": [{"name": "pacs", "url": archive.dicom_web}]}),
    ):
        (folder / f"{name}.toml").write_text(toml(sections(folder / "data", url, **more)), encoding="utf-8")
    receiver, worker = (WorkProcess(folder / f"{name}.toml", folder / f"{name}.log") for name in ("receiver", "worker"))
    store = Store.open(url, folder / "data")
    try:
        receiver.start()
        Sender(port).send([chest_image(1, PIXELS)])
        start = time.monotonic()
        for first in range(1, number + 1, part):
            Sender(port).send([chest_image(place, PIXELS) for place in range(first, first + part)])
            now = time.monotonic()
            sys.stdout.write(
                f"received {first:,} to {first + part - 1:,}: {1000 * (now - start) / part:.1f} ms an image\n"
            )
            sys.stdout.flush()
            start = now
        worker.start()
        passing("sent", lambda: store.state().deliveries[DeliveryState.DELIVERED], number, part)
        ended = [receiver.end(), worker.end()]
        state, objects = store.state(), objects_by_study(archive)
        sys.stdout.write(f"exit status {ended}; refusals {dict(state.refusals)}; {len(objects):,} studies\n")
        found = [f"{study}: {dict(kinds)}" for study, kinds in objects.items() if kinds != Counter(SR=1)]
        if len(objects) != number or state.jobs[JobState.REFUSED] != number:
            found.append(f"{len(objects)} studies, jobs {state.jobs}")
        return found
    finally:
        receiver.kill()
        worker.kill()
        store.close()
        archive.kill()


def main(argv: Sequence[str] | None = None) -> int:
    """Run and report."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--number", type=int, default=10_000)
    parser.add_argument("--part", type=int, default=1_000)
    parser.add_argument("--postgres", action="store_true", help="keep the store in PostgreSQL")
    options = parser.parse_args(argv)
    with chosen_database(options.postgres) as url, tempfile.TemporaryDirectory() as work:
        wrong = run(Path(work), url, options.number, options.part)
    sys.stdout.write("".join(f"FAULT: {fault}\n" for fault in wrong) or "Every study has one report.\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
