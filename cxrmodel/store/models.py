"""Tables of the store. docs/reference/store.md describes them; ``migrations`` creates them."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, DateTime, ForeignKey, ForeignKeyConstraint, Index, LargeBinary, UniqueConstraint
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator


class Moment(TypeDecorator[datetime]):
    """A time with its zone, stored as UTC; SQLite has no zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Store."""
        if value is None:
            return None
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Load."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Root of all tables."""


class StoreRow(Base):
    """The store itself: one row."""

    __tablename__ = "store"

    id: Mapped[str] = mapped_column(primary_key=True)
    """Random; the data folder holds the same."""
    created_at: Mapped[datetime] = mapped_column(Moment)


class ImageRow(Base):
    """An image that has arrived; its file is in the data folder under its checksum."""

    __tablename__ = "image"
    __table_args__ = (
        Index("image_patient", "patient_id", "issuer"),
        Index("image_study", "study_uid"),
        Index("image_sha256", "sha256"),
        Index("image_received", "received_at"),
        Index("image_file", "has_file"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    """SOP Instance UID, else ``sha256:`` and the checksum."""
    sha256: Mapped[str]
    """Of the file."""
    has_file: Mapped[bool]
    """Whether the file is still kept."""
    source: Mapped[str]
    """Name of the inbox."""
    sop_class: Mapped[str]
    study_uid: Mapped[str]
    series_uid: Mapped[str]
    patient_id: Mapped[str]
    issuer: Mapped[str]
    accession: Mapped[str]
    modality: Mapped[str]
    body_part: Mapped[str]
    station: Mapped[str]
    age_years: Mapped[float | None]
    received_at: Mapped[datetime] = mapped_column(Moment)
    pseudonym_key: Mapped[bytes] = mapped_column(LargeBinary)
    """32 random bytes: key of the image's pseudonym in the audit. Without it nobody can link the two."""


class JobRow(Base):
    """The reading of an image by a version of a model."""

    __tablename__ = "job"
    __table_args__ = (
        UniqueConstraint("image_id", "model", name="job_image_model"),
        Index("job_queue", "model", "state", "received_at", "id"),
        Index("job_state", "state", "received_at"),
        Index("job_due", "due_at"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    image_id: Mapped[int] = mapped_column(ForeignKey("image.id"))
    model: Mapped[str]
    """Version of the model."""
    state: Mapped[str]
    """A ``JobState``."""
    tries: Mapped[int]
    """Leases so far."""
    received_at: Mapped[datetime] = mapped_column(Moment)
    due_at: Mapped[datetime | None] = mapped_column(Moment)
    """End of the lease, or of the wait for the next try."""
    worker: Mapped[str | None]
    """Who holds the lease."""
    lease: Mapped[str | None]
    """Random; a worker that has lost its lease does not know it."""
    code: Mapped[str | None]
    """Of the message: why it was refused, skipped, tried again or given up."""
    values: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """Of the message of a skipped image."""
    changed_at: Mapped[datetime] = mapped_column(Moment)


class ReadingRow(Base):
    """What a job gave."""

    __tablename__ = "reading"

    job_id: Mapped[int] = mapped_column(ForeignKey("job.id"), primary_key=True)
    record: Mapped[dict[str, Any]] = mapped_column(JSON)
    """A ``ReadingRecord``, the JSON of ``cxrmodel read``."""
    made_at: Mapped[datetime] = mapped_column(Moment)


class ObjectRow(Base):
    """A result as a DICOM file. It never changes."""

    __tablename__ = "object"
    __table_args__ = (Index("object_job", "job_id"),)

    uid: Mapped[str] = mapped_column(primary_key=True)
    """SOP Instance UID."""
    job_id: Mapped[int] = mapped_column(ForeignKey("job.id"))
    kind: Mapped[str]
    """``sr`` (structured report) or ``sc`` (secondary capture)."""
    sop_class: Mapped[str]
    data: Mapped[bytes] = mapped_column(LargeBinary)
    """The whole file."""
    made_at: Mapped[datetime] = mapped_column(Moment)


class DeliveryRow(Base):
    """The outbox: a result for a target."""

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("object_uid", "target", name="delivery_object_target"),
        Index("delivery_queue", "target", "state", "made_at", "id"),
        Index("delivery_state", "state", "made_at"),
        Index("delivery_due", "due_at"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    object_uid: Mapped[str] = mapped_column(ForeignKey("object.uid"))
    target: Mapped[str]
    """Name of the target."""
    state: Mapped[str]
    """A ``DeliveryState``."""
    tries: Mapped[int]
    """Leases so far."""
    made_at: Mapped[datetime] = mapped_column(Moment)
    due_at: Mapped[datetime | None] = mapped_column(Moment)
    """End of the lease, or of the wait for the next try."""
    worker: Mapped[str | None]
    """Who holds the lease."""
    lease: Mapped[str | None]
    """Random; a worker that has lost its lease does not know it."""
    code: Mapped[str | None]
    """Of the message of the last failure."""
    changed_at: Mapped[datetime] = mapped_column(Moment)


class RefusalRow(Base):
    """Something that an inbox refused before it was an image."""

    __tablename__ = "refusal"
    __table_args__ = (
        Index("refusal_code", "code"),
        Index("refusal_at", "refused_at"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str]
    """Name of the inbox."""
    code: Mapped[str]
    """Of the message."""
    values: Mapped[dict[str, Any]] = mapped_column(JSON)
    """Of the message; without identity."""
    refused_at: Mapped[datetime] = mapped_column(Moment)


class WorkerRow(Base):
    """A worker that runs, or did a short while ago."""

    __tablename__ = "worker"

    name: Mapped[str] = mapped_column(primary_key=True)
    """Random; in the log too."""
    model: Mapped[str]
    """Version of the model."""
    at_once: Mapped[int]
    """Images that it reads at one time; 0 where it only receives and sends."""
    started_at: Mapped[datetime] = mapped_column(Moment)
    seen_at: Mapped[datetime] = mapped_column(Moment)
    """Its last sign of life."""


class AuditRow(Base):
    """What happened, to which image. Rows are only added; each seals all before it."""

    __tablename__ = "audit"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(Moment)
    event: Mapped[str]
    """An ``AuditEvent``."""
    subject: Mapped[str | None]
    """Pseudonym of the image: HMAC-SHA-256 of its key under its ``pseudonym_key``."""
    details: Mapped[dict[str, Any]] = mapped_column(JSON)
    """Model, code, target; without identity."""
    hash: Mapped[str]
    """SHA-256 of the previous row's hash and of this row."""


class SessionRow(Base):
    """A browser whose work list is kept."""

    __tablename__ = "session"
    __table_args__ = (Index("session_used", "used_at"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    cookie: Mapped[str] = mapped_column(unique=True)
    """SHA-256 of the browser's cookie, which itself is not stored."""
    prevalence: Mapped[float]
    """That the browser shows."""
    selected: Mapped[str | None]
    """Row that the user looks at."""
    used_at: Mapped[datetime] = mapped_column(Moment)
    """When the list last changed or was opened."""


class EntryRow(Base):
    """A row of a browser's work list."""

    __tablename__ = "entry"
    __table_args__ = (
        Index("entry_patient", "patient_id", "issuer"),
        Index("entry_study", "study_uid"),
        Index("entry_arrived", "arrived_at"),
        Index("entry_file", "has_file", "arrived_at"),
        Index("entry_sha256", "sha256"),
    )

    session_id: Mapped[int] = mapped_column(ForeignKey("session.id"), primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    """Random, made by the browser."""
    position: Mapped[int]
    """Rows are in ascending order of it."""
    name: Mapped[str]
    """Of the file, as the user gave it."""
    size: Mapped[int]
    """Bytes."""
    status: Mapped[str]
    """Waiting, reading, read, refused, failed or cancelled."""
    demo: Mapped[str]
    """File name of a demo image; empty for others."""
    sha256: Mapped[str]
    """Of the file, once it was read."""
    has_file: Mapped[bool]
    """Whether the file is kept."""
    repairs: Mapped[list[str]] = mapped_column(JSON)
    """What the user did to the image before it was read."""
    result: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """The reading, or what is known of a refused image: numbers and codes without pixels."""
    reason: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """Why there is no reading: code and values of a message."""
    read_at: Mapped[datetime | None] = mapped_column(Moment)
    thumbnail: Mapped[str | None]
    """A small picture as a data URL, where the file is kept."""
    seen: Mapped[bool]
    patient_id: Mapped[str]
    """Of a DICOM file, so that it can be forgotten by patient; else empty."""
    issuer: Mapped[str]
    study_uid: Mapped[str]
    arrived_at: Mapped[datetime] = mapped_column(Moment)


class FeedbackRow(Base):
    """What a user thinks of a reading."""

    __tablename__ = "feedback"
    __table_args__ = (ForeignKeyConstraint(["session_id", "entry_id"], ["entry.session_id", "entry.id"]),)

    session_id: Mapped[int] = mapped_column(primary_key=True)
    entry_id: Mapped[str] = mapped_column(primary_key=True)
    mark: Mapped[str | None]
    """``agree`` or ``disagree``."""
    note: Mapped[str]
    given_at: Mapped[datetime] = mapped_column(Moment)
