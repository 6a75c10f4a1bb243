"""What the store takes and gives: plain values, without a database."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

Kind = Literal["sr", "sc"]
"""Of a result: a structured report, or a secondary capture."""


class JobState(StrEnum):
    """How the reading of an image stands."""

    WAITING = "waiting"
    """It can be leased."""
    RETRYING = "retrying"
    """It failed, and waits for its next try."""
    LEASED = "leased"
    """A worker reads it."""
    READ = "read"
    """There is a reading."""
    REFUSED = "refused"
    """There is a reading that says why the image has no number."""
    FAILED = "failed"
    """Given up; a person can revive it."""
    SKIPPED = "skipped"
    """Not for this reader: a filter left it out."""


class DeliveryState(StrEnum):
    """How the sending of a result to a target stands."""

    WAITING = "waiting"
    RETRYING = "retrying"
    LEASED = "leased"
    DELIVERED = "delivered"
    DEAD = "dead"
    """Given up; a person can revive it."""


@dataclass(frozen=True, kw_only=True, repr=False)
class ImageTags:
    """What the header of an image says of it, without spaces around.

    Attributes
    ----------
    sop_class, study_uid, series_uid : str
        UIDs; empty where the file has none.
    patient_id, issuer, accession : str
        Patient ID, Issuer of Patient ID, Accession Number; empty where the file has none.
    modality, body_part, station : str
        Modality, Body Part Examined, Station Name; empty where the file has none.
    age_years : float or None
        Of the patient.
    """

    sop_class: str = ""
    study_uid: str = ""
    series_uid: str = ""
    patient_id: str = ""
    issuer: str = ""
    accession: str = ""
    modality: str = ""
    body_part: str = ""
    station: str = ""
    age_years: float | None = None


@dataclass(frozen=True)
class Received(ImageTags):
    """An image that has arrived, its file on disk. Its ``repr``, and that of its job, has no value of the file.

    Attributes
    ----------
    key : str
        Identifies the image: SOP Instance UID, else ``sha256:`` and the checksum.
    sha256 : str
        Of the file, 64 hexadecimal digits; names it in the folder. Empty where the file was not kept.
    source : str
        Name of the inbox.
    """

    key: str
    sha256: str
    source: str

    def __repr__(self) -> str:
        return f"Received(source={self.source!r})"


@dataclass(frozen=True)
class Job:
    """An image leased for reading.

    Attributes
    ----------
    id : int
    image : Received
    model : str
        Version of the model that is to read it.
    tries : int
        Leases so far, this one among them.
    lease : str
        Random; proves that the job is still this worker's.
    lease_until : datetime
        With zone. Afterwards another worker may take the job over.
    received_at : datetime
        With zone.
    """

    id: int
    image: Received
    model: str
    tries: int
    lease: str = field(repr=False)
    lease_until: datetime
    received_at: datetime


@dataclass(frozen=True)
class StoredObject:
    """A result as a DICOM file.

    Attributes
    ----------
    uid : str
        SOP Instance UID.
    kind : {"sr", "sc"}
    sop_class : str
        SOP Class UID.
    data : bytes
        The whole file. It never changes once it is stored.
    """

    uid: str
    kind: Kind
    sop_class: str
    data: bytes = field(repr=False)


@dataclass(frozen=True)
class Delivery:
    """A result leased for sending to a target.

    Attributes
    ----------
    id : int
    object : StoredObject
    target : str
        Name of the target.
    tries : int
        Leases so far, this one among them.
    lease : str
        Random; proves that the delivery is still this worker's.
    """

    id: int
    object: StoredObject
    target: str
    tries: int
    lease: str = field(repr=False)


@dataclass(frozen=True)
class Dead:
    """Something that was given up, for a person to look at: a delivery, or a job.

    Attributes
    ----------
    id : int
        Of the delivery or of the job.
    what : {"delivery", "job"}
    target : str
        Of a delivery; empty for a job.
    code : str
        Of the message of the last failure.
    tries : int
    since : datetime
        With zone.
    """

    id: int
    what: Literal["delivery", "job"]
    target: str
    code: str
    tries: int
    since: datetime

    @property
    def name(self) -> str:
        """Name of it for a person, such as ``delivery-12``."""
        return f"{self.what}-{self.id}"


@dataclass(frozen=True)
class StoreState:
    """The store in numbers, without identity.

    Attributes
    ----------
    jobs : mapping of JobState to int
    deliveries : mapping of DeliveryState to int
    refusals : mapping of str to int
        Images without a number by code: refused, skipped, given up, and never taken in.
    oldest_waiting : float or None
        Seconds since the oldest image arrived that waits, is being read or is tried again.
    oldest_delivery : float or None
        Seconds since the oldest result was made that is not sent yet.
    readers : int
        Workers that read images and gave a sign of life within the last minute.
    """

    jobs: Mapping[JobState, int]
    deliveries: Mapping[DeliveryState, int]
    refusals: Mapping[str, int]
    oldest_waiting: float | None
    oldest_delivery: float | None
    readers: int


@dataclass(frozen=True)
class Entry:
    """A row of a browser's work list, as it is kept.

    Attributes
    ----------
    id, name : str
    size : int
        Bytes of the file.
    status : str
        Waiting, reading, read, refused, failed or cancelled.
    demo : str
        File name of a demo image; empty for others.
    sha256 : str
        Of the file, once it was read; else empty.
    has_file : bool
        Whether the file is kept.
    repairs : tuple of str
    result : dict or None
        The reading, or what is known of a refused image, as JSON without pixels.
    reason : dict or None
        A packed message: why there is no reading.
    read_at : datetime or None
    thumbnail : str or None
        A data URL, where the file is kept.
    seen : bool
    mark : str or None
    note : str
    patient_id, issuer, study_uid : str
        Of a DICOM file; else empty.
    """

    id: str
    name: str
    size: int
    status: str
    demo: str
    sha256: str
    has_file: bool
    repairs: tuple[str, ...]
    result: dict[str, Any] | None = field(repr=False)
    reason: dict[str, Any] | None
    read_at: datetime | None
    thumbnail: str | None = field(repr=False)
    seen: bool
    mark: str | None
    note: str
    patient_id: str = ""
    issuer: str = ""
    study_uid: str = ""


@dataclass(frozen=True)
class KeptList:
    """The work list of a browser, as it is kept: entries in their order, and what the user last chose."""

    entries: tuple[Entry, ...]
    prevalence: float
    selected: str | None
