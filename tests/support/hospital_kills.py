"""Kill a hospital's processes again and again, and count every object: ``python -m tests.support.hospital_kills``.

A worker that reads and sends, a process that receives by C-STORE and one that searches the archive share one store.
Half of the images are sent to the receiver, half lie in the archive. At moments drawn from a seed one of the three is
killed and started again. In the end every image has one reading and, in the archive, one structured report and, where
it was read, one secondary capture, all in its study; numbers equal those of a reader alone.
"""

import argparse
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import select

from cxrmodel.reading import Reader
from cxrmodel.report.table import make_record
from cxrmodel.store.models import ImageRow, JobRow, ReadingRow
from cxrmodel.store.records import DeliveryState, JobState
from cxrmodel.store.store import Store
from tests.support.hospital import (
    Sender,
    WorkProcess,
    image_uid,
    objects_by_study,
    real_images,
    sections,
    study_uid,
    toml,
)
from tests.support.orthanc import Orthanc, make_orthanc
from tests.support.postgres import chosen_database
from tests.support.server import free_port
from tests.support.waiting import wait_until

LONGEST = 3600.0
"""Seconds; guards against hanging."""


def configurations(folder: Path, archive: Orthanc, port: int, url: str | None) -> dict[str, dict[str, Any]]:
    """The configuration of each process."""
    only = {"at_once": 0}
    poll = {"name": "poll", "url": archive.dicom_web, "every_seconds": 1}
    return {
        "worker": sections(folder / "data", url, outbox_stow=[{"name": "pacs", "url": archive.dicom_web}]),
        "receiver": sections(folder / "data", url, worker=only, inbox_scp=[{"name": "receiver", "port": port}]),
        "poll": sections(folder / "data", url, worker=only, inbox_dicomweb=[poll]),
    }


def readings(store: Store) -> dict[str, dict[str, Any]]:
    """Record of each image by its SOP Instance UID; every image has one job."""
    with store.database.reading() as session:
        query = select(ImageRow.key, ReadingRow.record).join(JobRow, JobRow.image_id == ImageRow.id)
        rows = [
            (row.key, row.record) for row in session.execute(query.join(ReadingRow, ReadingRow.job_id == JobRow.id))
        ]
    assert len({key for key, _ in rows}) == len(rows)
    return dict(rows)


def faults(store: Store, archive: Orthanc, number: int, polled: int) -> list[str]:
    """What was lost, doubled or left over."""
    found, state = [], store.state()
    wrong = {
        name: count for name, count in state.jobs.items() if count and name not in (JobState.READ, JobState.REFUSED)
    }
    if wrong or sum(state.jobs.values()) != number:
        found.append(f"jobs: {state.jobs}")
    if {name for name, count in state.deliveries.items() if count} != {DeliveryState.DELIVERED}:
        found.append(f"deliveries: {state.deliveries}")
    records, objects = readings(store), objects_by_study(archive)
    for place in range(1, number + 1):
        record = records.get(image_uid(place))
        wanted = Counter(SR=1) + Counter(OT=int(record is not None and record["status"] == "read"))
        wanted += Counter(CR=int(place <= polled))
        if record is None or objects.get(study_uid(place)) != wanted:
            found.append(f"image {place}: {record and record['status']}, {dict(objects.get(study_uid(place), {}))}")
    if len(objects) != number:
        found.append(f"{len(objects)} studies")
    return found


def differences(store: Store, images: Sequence[bytes]) -> list[str]:
    """Readings that differ from those of a reader alone, times apart."""
    reader, records = Reader.load(prevalence=0.5), readings(store)
    found = []
    for place, outcome in enumerate(reader.read_many((lambda data=data: data, "image") for data in images), 1):
        alone, worked = make_record("", outcome, reader.spec.version), records[image_uid(place)]
        for key in ("status", "probability", "finding", "threshold", "heat_in_lungs", "codes"):
            if list(np.atleast_1d(getattr(alone, key))) != list(np.atleast_1d(worked[key])):
                found.append(f"image {place}: {key} {getattr(alone, key)} alone, {worked[key]} worked")
    return found


def finished(store: Store) -> int:
    """Number of images that were read or refused."""
    jobs = store.state().jobs
    return jobs[JobState.READ] + jobs[JobState.REFUSED]


def open_deliveries(store: Store) -> int:
    """Number of results that are not sent yet."""
    deliveries = store.state().deliveries
    return sum(deliveries[state] for state in (DeliveryState.WAITING, DeliveryState.RETRYING, DeliveryState.LEASED))


def kill_often(
    processes: Mapping[str, WorkProcess], store: Store, number: int, kills: int, rng: np.random.Generator
) -> None:
    """Kill processes and start them again, spread over the work."""
    for kill, share in enumerate(sorted(rng.uniform(0.0, 0.95, kills)), 1):
        wait_until(lambda share=share: finished(store) >= share * number, LONGEST)
        time.sleep(float(rng.uniform(0.0, 2.0)))
        victim = str(rng.choice([*processes]))
        processes[victim].kill()
        sys.stdout.write(f"kill {kill}: {victim}, {finished(store)} of {number} images done\n")
        sys.stdout.flush()
        time.sleep(float(rng.uniform(0.0, 2.0)))
        processes[victim].start()


def run(folder: Path, url: str | None, images: Sequence[bytes], options: argparse.Namespace) -> list[str]:
    """Feed the images to the three processes, kill these, wait for the end, and tell what is wrong."""
    archive, port, polled = make_orthanc(folder / "orthanc", sys.exit).start(), free_port(), len(images) // 2
    processes: dict[str, WorkProcess] = {}
    for name, content in configurations(folder, archive, port, url).items():
        (folder / f"{name}.toml").write_text(toml(content), encoding="utf-8")
        processes[name] = WorkProcess(folder / f"{name}.toml", folder / f"{name}.log").start()
    store = Store.open(url, folder / "data")
    try:
        began = time.monotonic()
        feeding = [
            threading.Thread(target=Sender(port).send, args=[images[polled:]]),
            threading.Thread(target=lambda: [archive.store(image) for image in images[:polled]]),
        ]
        for thread in feeding:
            thread.start()
        kill_often(processes, store, len(images), options.kills, np.random.default_rng(options.seed))
        for thread in feeding:
            thread.join()
        wait_until(lambda: finished(store) == len(images) and not open_deliveries(store), LONGEST)
        took = time.monotonic() - began
        time.sleep(5.0)  # time for a second object to appear, if one ever would
        ended = {name: process.end() for name, process in processes.items()}
        jobs, objects = store.state().jobs, objects_by_study(archive)
        sys.stdout.write(
            f"{len(images)} images after {took:.0f} s: {jobs[JobState.READ]} read, {jobs[JobState.REFUSED]} refused; "
            f"exit status {ended}\nin the archive: {len(objects)} studies, objects by modality "
            f"{dict(sum(objects.values(), Counter()))}\n"
        )
        wrong = faults(store, archive, len(images), polled) + differences(store, images[: options.compared])
        sys.stdout.write(f"numbers of {options.compared} images compared with those of a reader alone\n")
        return wrong
    finally:
        for process in processes.values():
            process.kill()
        store.close()
        archive.kill()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the kills and report."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--number", type=int, default=500)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--compared", type=int, default=100, help="images whose numbers are compared")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--postgres", action="store_true", help="keep the store in PostgreSQL")
    options = parser.parse_args(argv)
    with chosen_database(options.postgres) as url, tempfile.TemporaryDirectory() as work:
        wrong = run(Path(work), url, real_images(options.number), options)
    sys.stdout.write("".join(f"FAULT: {fault}\n" for fault in wrong) or "Nothing was lost, doubled or changed.\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
