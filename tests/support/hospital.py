"""A hospital in small: images as DICOM files, configurations, and the worker as a process of its own."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from pydicom import dcmread
from pynetdicom import AE

from cxrmodel.demo import demo_images
from tests.support.dicom_files import CR_CLASS, EXPLICIT, dicom
from tests.support.orthanc import Orthanc

PROJECT = Path(__file__).resolve().parents[2]
PATIENCE = 60.0
"""Seconds; guards against hanging."""
ROOT = "1.2.826.0.1.3680043.8.498.77"
"""Of the UIDs of test images."""


def image_uid(number: int) -> str:
    """SOP Instance UID of a test image."""
    return f"{ROOT}.{number}.1.1"


def study_uid(number: int) -> str:
    """Study Instance UID of a test image."""
    return f"{ROOT}.{number}"


@cache
def _demo_pixels(number: int) -> np.ndarray:
    images = demo_images()
    return cv2.imread(str(images[number % len(images)].path), cv2.IMREAD_GRAYSCALE)


def chest_image(number: int, pixels: np.ndarray | None = None, **elements: Any) -> bytes:
    """A demo image as a DICOM file: the image, its study and its patient have the number in their identifiers.

    Parameters
    ----------
    number : int
    pixels : ndarray of uint8, shape (H, W), or None
        Others than those of the demo image of that number.
    **elements
        As ``tests.support.dicom_files.dicom``.
    """
    identity = {
        "SOPInstanceUID": image_uid(number),
        "SeriesInstanceUID": f"{study_uid(number)}.1",
        "StudyInstanceUID": study_uid(number),
        "PatientID": f"P{number}",
        "PatientName": f"TEST^{number}",
        "AccessionNumber": f"A{number}",
        "StudyDate": time.strftime("%Y%m%d"),
        "StudyTime": "120000",
    }
    return dicom(_demo_pixels(number) if pixels is None else pixels, **(identity | elements))


def toml(sections: Mapping[str, Any]) -> str:
    """Write a configuration; a section with a dot in its name and a list as value is a list of tables."""
    lines = []
    for name, content in sections.items():
        for table in content if isinstance(content, list) else [content]:
            lines.append(f"[[{name}]]" if isinstance(content, list) else f"[{name}]")
            lines += [f"{key} = {json.dumps(value)}" for key, value in table.items()]
    return "\n".join(lines) + "\n"


def sections(folder: Path, url: str | None = None, **more: Any) -> dict[str, Any]:
    """A configuration for tests: short waits, text as log. ``inbox_scp=[...]`` becomes ``[[inbox.scp]]``."""
    store = {"folder": str(folder)} | ({"url": url} if url else {})
    chosen: dict[str, Any] = {
        "store": store,
        "worker": {"lease_seconds": 5, "retry_seconds": 0.1, "longest_retry_seconds": 1, "stop_seconds": 10},
        "outbox": {"retry_seconds": 0.1, "longest_retry_seconds": 1},
        "log": {"format": "text"},
    }
    for name, content in more.items():
        dotted = name.replace("_", ".", 1)
        chosen[dotted] = chosen.get(dotted, {}) | content if isinstance(content, dict) else content
    return chosen


class WorkProcess:
    """``cxrmodel work`` as a process of its own.

    Parameters
    ----------
    configuration : Path
    log : Path
        Where its standard error goes; runs are appended.
    """

    def __init__(self, configuration: Path, log: Path) -> None:
        self.configuration, self.log = configuration, log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> "WorkProcess":
        """Start it, without waiting."""
        environment = {name: value for name, value in os.environ.items() if name not in ("CXR_CONFIG", "CXR_STORE")}
        command: Sequence[str] = [sys.executable, "-m", "cxrmodel", "work", "--config", str(self.configuration)]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=PROJECT, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        return self

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """End it at once."""
        self.end(signal.SIGKILL)

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send it a signal, wait for its end and give its exit status."""
        assert self._process is not None
        if self.running:
            self._process.send_signal(number)
        return self._process.wait(PATIENCE)


class Sender:
    """A modality that sends images by C-STORE to a receiver of this machine, and again until it has success.

    Parameters
    ----------
    port : int
    called : str
        AE title of the receiver.
    """

    def __init__(self, port: int, called: str = "CXRMODEL") -> None:
        self._port, self._called = port, called
        self._entity = AE(ae_title="MODALITY")
        self._entity.add_requested_context(CR_CLASS, EXPLICIT)

    def send(
        self,
        images: Sequence[bytes],
        sent: Callable[[int], None] = lambda number: None,
        patience: float = 10 * PATIENCE,
    ) -> None:
        """Send images in an association, those without success in another one, until all have had it.

        Parameters
        ----------
        images : sequence of bytes
        sent : callable
            Called with the place of each image when the receiver has confirmed it.
        patience : float
            Seconds without any success.
        """
        waiting = dict(enumerate(images))
        until = time.monotonic() + patience
        while waiting:
            assert time.monotonic() < until, "the receiver took nothing for a long time"
            association = self._entity.associate("127.0.0.1", self._port, ae_title=self._called)
            for number in list(waiting) if association.is_established else []:
                try:
                    answer = association.send_c_store(dcmread(BytesIO(waiting[number])))
                except (RuntimeError, ValueError):  # the association has ended
                    break
                if getattr(answer, "Status", None) == 0:
                    del waiting[number]
                    until = time.monotonic() + patience
                    sent(number)
            if association.is_established:
                association.release()
            if waiting:
                time.sleep(0.2)


def real_images(number: int) -> list[bytes]:
    """Public images (CXR_DATA) as DICOM files, demo images where there are none."""
    root = Path(os.environ.get("CXR_DATA", "data")) / "chest_xray" / "test"
    paths = sorted(path for path in root.rglob("*.jpeg") if path.is_file())
    chosen = paths[:: max(1, len(paths) // number)] if paths else []
    return [
        chest_image(place, cv2.imread(str(chosen[place % len(chosen)]), cv2.IMREAD_GRAYSCALE) if chosen else None)
        for place in range(1, number + 1)
    ]


def objects_by_study(archive: Orthanc) -> dict[str, Counter[str]]:
    """Number of objects by modality for each study of an archive."""
    found: dict[str, Counter[str]] = {}
    answer = archive.ask(
        "/tools/find", "POST", json={"Level": "Instance", "Query": {}, "Expand": True, "Limit": 0}
    ).json()
    series = {one["ID"]: one for one in archive.ask("/series?expand").json()}
    studies = {one["ID"]: one["MainDicomTags"]["StudyInstanceUID"] for one in archive.ask("/studies?expand").json()}
    for instance in answer:
        parent = series[instance["ParentSeries"]]
        study = studies[parent["ParentStudy"]]
        found.setdefault(study, Counter())[parent["MainDicomTags"]["Modality"]] += 1
    return found
