"""The thread that reads the files of a room, one after the other, while there are any."""

import hashlib
import threading
import weakref
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING

from cxrmodel.apart import apart
from cxrmodel.errors import CxrError, ImageRefused
from cxrmodel.imaging.formats.dicom import is_dicom
from cxrmodel.imaging.repairs import Repairs
from cxrmodel.logs import log_failure
from cxrmodel.messages import Message
from cxrmodel.pipeline import RefusedImage
from cxrmodel.reading import Reader, Reading
from cxrmodel.report.thumbnail import thumbnail
from cxrmodel.scheduling import Client
from cxrmodel.web.room.row import Status

if TYPE_CHECKING:
    from cxrmodel.imaging.dicom.attributes import Attributes


class Needless(Exception):
    """The room, or the row, is gone while its file waits for its turn."""


@dataclass(eq=False)
class Job:
    """One file to be read.

    Attributes
    ----------
    id, name : str
        Of its row.
    data : bytes
    reader : Reader
    client : Client
        Who takes turns in the queue of the server.
    repairs : Repairs
        Made before the image is read.
    """

    id: str
    name: str
    data: bytes
    reader: Reader
    client: Client
    repairs: Repairs

    @cached_property
    def identity(self) -> str:
        """Tells images apart: checksum of the file, and the repairs."""
        return ",".join([hashlib.sha256(self.data).hexdigest(), *self.repairs.steps])


@dataclass(frozen=True, eq=False)
class Outcome:
    """What became of a file; fields as of a row."""

    status: Status
    reading: Reading | None
    reason: Message | None
    read_at: datetime
    thumbnail: str | None = None
    refused: RefusedImage | None = None
    attributes: "Attributes | None" = None


class Work:
    """What a worker asks of a room. It holds no room alive."""

    def next_job(self) -> Job | None:
        """Give the next file; None where none waits, and then the thread ends."""
        raise NotImplementedError

    def known(self, job: Job) -> Outcome | None:
        """Give the outcome of the same file where it was read before."""
        raise NotImplementedError

    def is_needed(self, job: Job, place: int) -> bool:
        """Take the place in the queue of the server, and tell whether the file is still to be read."""
        raise NotImplementedError

    def finish(self, job: Job, outcome: Outcome | None) -> None:
        """Take the outcome; None where the file was not read after all."""
        raise NotImplementedError

    def broken(self, reference: str) -> None:
        """Note that the thread has ended by an error, which the log has under a reference."""
        raise NotImplementedError


def start(work: Work) -> None:
    """Start a thread that reads what waits, and ends when nothing does or the room is gone."""
    threading.Thread(target=_run, args=(weakref.ref(work),), name="reads images", daemon=True).start()


def _run(reference: "weakref.ref[Work]") -> None:
    try:
        _read_all(reference)
    except Exception as error:
        logged = log_failure(error)
        if (work := reference()) is not None:
            work.broken(logged)


def _read_all(reference: "weakref.ref[Work]") -> None:
    while (work := reference()) is not None:
        job = work.next_job()
        if job is None:
            return
        outcome = work.known(job)
        del work  # a session may end while its image is read
        if outcome is None:
            outcome = _outcome(reference, job)
            if outcome is not None and is_dicom(job.data):
                outcome = replace(outcome, attributes=_attributes(job.data))
        if (work := reference()) is not None:
            work.finish(job, outcome)
        del work, job, outcome


def _attributes(data: bytes) -> "Attributes":
    # Takes half a second, which no other image needs; apart, since a failed import within it would keep the file.
    found: Attributes = apart(import_module, "cxrmodel.imaging.dicom.attributes").read_attributes(data)
    return found


def _outcome(reference: "weakref.ref[Work]", job: Job) -> Outcome | None:
    def notify(place: int) -> None:
        work = reference()
        if work is None or not work.is_needed(job, place):
            raise Needless

    now = datetime.now().astimezone()
    try:
        reading = job.reader.read(job.data, job.name, job.client, notify, job.repairs)
        return Outcome("read", reading, None, now, thumbnail(reading.radiograph.pixels))
    except Needless:
        return None
    except ImageRefused as refusal:
        seen = refusal.seen
        shown = None if seen is None else thumbnail(seen.radiograph.pixels)
        return Outcome("refused", None, refusal.message, now, shown, seen)
    except CxrError as failure:
        return Outcome("failed", None, failure.message, now)
    except Exception as error:
        return Outcome("failed", None, Message("web.read.failed", reference=log_failure(error)), now)
