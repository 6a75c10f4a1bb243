"""From the durable file to both results in the archive: ``python -m tests.support.hospital_speed``.

First one image after another on a worker that has nothing else to do, then many at once. The images are sent by
C-STORE; the clock starts when the receiver confirms an image, as its file is then durable. The summed stages are those
that the worker measures itself.
"""

import argparse
import re
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import requests

from tests.support.hospital import Sender, WorkProcess, objects_by_study, real_images, sections, study_uid, toml
from tests.support.orthanc import Orthanc, make_orthanc
from tests.support.server import free_port

STAGES = ("read", "sr", "sc", "store")
LOOK_SECONDS = 0.01


def stage_seconds(port: int) -> dict[str, float]:
    """Seconds that each stage has taken so far, as the worker measured them."""
    with requests.Session() as session:
        session.trust_env = False
        text = session.get(f"http://127.0.0.1:{port}/metrics", timeout=60).text
    found = re.findall(r'^cxrmodel_stage_seconds_sum\{source="worker",stage="(\w+)"\} (\S+)$', text, re.MULTILINE)
    return {stage: float(seconds) for stage, seconds in found}


def count(archive: Orthanc) -> int:
    """Number of instances in an archive."""
    return int(archive.ask("/statistics").json()["CountInstances"])


def alone(archive: Orthanc, sender: Sender, images: Sequence[bytes]) -> list[float]:
    """Seconds from the durable file to the last result, one image at a time."""
    seconds = []
    for image in images:
        before = count(archive)
        sender.send([image])
        start = time.perf_counter()
        while count(archive) < before + 2:
            time.sleep(LOOK_SECONDS)
        seconds.append(time.perf_counter() - start)
        time.sleep(0.3)
    return seconds


def together(archive: Orthanc, sender: Sender, images: Sequence[bytes]) -> tuple[float, float]:
    """Seconds from the first durable file to the last one, and to the last result of all images."""
    before, marks = count(archive), []
    sending = threading.Thread(target=sender.send, args=[images, lambda _: marks.append(time.perf_counter())])
    sending.start()
    while count(archive) < before + 2 * len(images):
        time.sleep(0.05)
    end = time.perf_counter()
    sending.join()
    return marks[-1] - marks[0], end - marks[0]


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--alone", type=int, default=20, help="images one after another")
    parser.add_argument("--together", type=int, default=100, help="images at once")
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work)
        archive = make_orthanc(folder / "orthanc", sys.exit).start()
        port, metrics_port = free_port(), free_port()
        file = folder / "hospital.toml"
        file.write_text(
            toml(
                sections(
                    folder / "data",
                    inbox_scp=[{"name": "receiver", "port": port}],
                    outbox_stow=[{"name": "pacs", "url": archive.dicom_web}],
                    worker={"metrics_port": metrics_port},
                )
            ),
            encoding="utf-8",
        )
        process = WorkProcess(file, folder / "log").start()
        try:
            images = real_images(1 + options.alone + options.together)
            sender = Sender(port)
            alone(archive, sender, images[:1])
            before = stage_seconds(metrics_port)
            seconds = alone(archive, sender, images[1 : 1 + options.alone])
            between = stage_seconds(metrics_port)
            sent, whole = together(archive, sender, images[1 + options.alone :])
            after = stage_seconds(metrics_port)
        finally:
            status = process.end()
            by_study = objects_by_study(archive)
            archive.kill()
        kinds = Counter(tuple(sorted(found.items())) for found in by_study.values())
    single = sum(between[stage] - before[stage] for stage in STAGES) / options.alone
    summed = {stage: after[stage] - between[stage] for stage in STAGES}
    sys.stdout.write(
        f"worker's exit status {status}; studies by their objects: {dict(kinds)}\n"
        f"alone: {len(seconds)} images, median {median(seconds):.2f} s, longest {max(seconds):.2f} s; "
        f"stages {single:.2f} s an image\n"
        f"together: {options.together} images received in {sent:.1f} s, all results after {whole:.1f} s; "
        f"summed stages {sum(summed.values()):.1f} s ("
        + ", ".join(f"{stage} {seconds:.1f}" for stage, seconds in summed.items())
        + f"); ratio {whole / sum(summed.values()):.2f}, to the stages of images alone "
        f"{whole / (single * options.together):.2f}\n"
    )
    return 0 if study_uid(1) in by_study and max(seconds) <= 2 and whole <= 1.3 * sum(summed.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
