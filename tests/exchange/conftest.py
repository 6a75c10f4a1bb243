"""A real store, what stands in it afterwards, and images to send."""

import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from cxrmodel.configuration.schema import FilterSection
from cxrmodel.exchange.admission import Admission
from cxrmodel.store.models import ImageRow, JobRow, RefusalRow
from cxrmodel.store.store import Store
from tests.support import waiting
from tests.support.dicom_files import dicom
from tests.support.server import PATIENCE

MODEL = "model"
wait_until = partial(waiting.wait_until, seconds=PATIENCE)


@pytest.fixture
def store(tmp_path) -> Iterator[Store]:
    """An empty store in SQLite."""
    opened = Store.open(None, tmp_path / "data")
    yield opened
    opened.close()


@pytest.fixture
def admission(store) -> Admission:
    """Admission to the store with the filters as they come."""
    return Admission(store, MODEL, FilterSection())


@dataclass(frozen=True)
class Row:
    """An image as the store has it."""

    key: str
    state: str
    code: str | None
    kept: bool
    study: str
    accession: str


@pytest.fixture
def rows(store) -> Callable[[], list[Row]]:
    """A function that gives the images of the store with their jobs, in order of arrival."""

    def read() -> list[Row]:
        with store.database.reading() as session:
            found = session.execute(select(ImageRow, JobRow).join(JobRow).order_by(ImageRow.id)).all()
            return [
                Row(
                    image.key,
                    job.state,
                    job.code,
                    bool(image.sha256) and store.files.path(image.sha256).exists(),
                    image.study_uid,
                    image.accession,
                )
                for image, job in found
            ]

    return read


@pytest.fixture
def refusals(store) -> Callable[[], list[str]]:
    """A function that gives the codes of what was refused before it was an image, in order."""

    def read() -> list[str]:
        with store.database.reading() as session:
            return list(session.scalars(select(RefusalRow.code).order_by(RefusalRow.id)))

    return read


@pytest.fixture
def kept(store) -> Callable[[str], bytes]:
    """A function that gives the file of an image by its key."""

    def read(key: str) -> bytes:
        with store.database.reading() as session:
            return store.files.read(session.scalars(select(ImageRow.sha256).where(ImageRow.key == key)).one())

    return read


def image(number: int = 1, syntax: str = "explicit", **elements) -> bytes:
    """A DICOM image of its own: instance, series, study and patient are numbered alike."""
    rng = np.random.default_rng(number)
    identity = {
        "SOPInstanceUID": f"1.2.826.0.1.{number}.3",
        "SeriesInstanceUID": f"1.2.826.0.1.{number}.2",
        "StudyInstanceUID": f"1.2.826.0.1.{number}.1",
        "PatientID": f"P{number}",
        "AccessionNumber": f"A{number}",
        "StudyDate": time.strftime("%Y%m%d"),
    }
    return dicom(rng.integers(0, 4000, (96, 80)).astype(np.uint16), syntax, **{**identity, **elements})


def key(number: int = 1) -> str:
    """SOP Instance UID of ``image(number)``."""
    return f"1.2.826.0.1.{number}.3"


class Relay:
    """Passes on to the admission of the test that runs, so that one inbox serves all tests of a file."""

    def __init__(self) -> None:
        self.admission: Admission | None = None

    def __getattr__(self, name: str):
        return getattr(self.admission, name)


@contextmanager
def running(inbox, admission) -> Iterator[threading.Event]:
    """An inbox on its thread; gives the event that stops it, and waits for its end."""
    stop = threading.Event()
    thread = threading.Thread(target=inbox.run, args=(stop, admission), daemon=True)
    thread.start()
    try:
        yield stop
    finally:
        stop.set()
        thread.join(PATIENCE)
        assert not thread.is_alive()


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate of this machine, signed by itself, and its key."""
    made = folder / f"{name}.pem", folder / f"{name}.key"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-out", str(made[0]), "-keyout", str(made[1])]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    return made
