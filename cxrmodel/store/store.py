"""The store: jobs are taken in, leased, finished; results wait for their targets. Every operation is a transaction."""

import secrets
import uuid
from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, Literal, Self

from sqlalchemy import and_, delete, exists, func, insert, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from cxrmodel.errors import StoreError, StoreUnavailable
from cxrmodel.messages import Message
from cxrmodel.reading import ReadingRecord
from cxrmodel.store import audit, leasing, schema
from cxrmodel.store.audit import AuditEvent, pseudonym
from cxrmodel.store.database import Clock, Database, store_url
from cxrmodel.store.files import Files
from cxrmodel.store.leasing import RELEASED, changed
from cxrmodel.store.models import DeliveryRow, ImageRow, JobRow, ObjectRow, ReadingRow, RefusalRow, StoreRow, WorkerRow
from cxrmodel.store.packing import pack_values
from cxrmodel.store.records import (
    Dead,
    Delivery,
    DeliveryState,
    Job,
    JobState,
    Kind,
    Received,
    StoredObject,
    StoreState,
)

MARKER = "store.id"
"""File of the data folder: id of the store that it belongs to."""
ALIVE_SECONDS = 60.0
"""Since its last sign of life, within which a worker counts as alive."""
NEWER_VERSION = "store.newer_version"
"""Code of a job that was not done as a newer version of its model has the image."""
_OPEN_JOBS: Final = (JobState.WAITING, JobState.RETRYING, JobState.LEASED)
_OPEN_DELIVERIES: Final = (DeliveryState.WAITING, DeliveryState.RETRYING, DeliveryState.LEASED)
_NO_NUMBER: Final = (JobState.REFUSED, JobState.SKIPPED, JobState.FAILED)
_IMAGE_FIELDS: Final = tuple(Received.__dataclass_fields__)


class Store:
    """The store of a hospital. Safe to use from several threads; several processes and machines may share one.

    Parameters
    ----------
    database : Database
        Of the newest schema.
    folder : Path
        The data folder that belongs to it.
    """

    def __init__(self, database: Database, folder: Path) -> None:
        self.database, self.folder, self.files = database, folder, Files(folder)

    @classmethod
    def open(cls, url: str | None, folder: Path, *, upgrade: bool = False, clock: Clock | None = None) -> Self:
        """Open a store, and create one where there is none.

        Parameters
        ----------
        url : str or None
            ``postgresql+psycopg://...``; None is SQLite in the data folder.
        folder : Path
            The data folder, created if need be. Machines that share a store share its folder.
        upgrade : bool
            Whether an older store is brought to the schema of this program.
        clock : callable, optional
            Gives the time, with its zone.

        Raises
        ------
        SettingError
            When the address is wrong.
        MissingExtra
            When the driver of PostgreSQL is not installed.
        StoreError
            When the store is of an earlier or a later version, of another program, or of another folder.
        StoreUnavailable
            When the database or the folder cannot be reached.
        """
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StoreUnavailable("store.unavailable", reason=error.strerror or str(error)) from error
        store = cls(Database(store_url(url, folder), clock), folder)
        try:
            store._prepare(upgrade)
        except BaseException:
            store.close()
            raise
        return store

    def _prepare(self, upgrade: bool) -> None:
        newest = schema.newest()
        with self.database.writing() as session:
            connection = session.connection()
            schema.lock(connection)
            revision = schema.revision_of(connection)
            if revision is not None and not schema.is_known(revision):
                raise StoreError("store.newer", schema=revision, known=newest)
            if revision != newest:
                if revision is not None and not upgrade:
                    raise StoreError("store.older")
                schema.upgrade(connection)
                now = self.database.now(session)
                if revision is None:
                    session.execute(insert(StoreRow).values(id=self._claim_folder(), created_at=now))
                audit.append(session, now, [(AuditEvent.UPGRADED, None, {"from": revision, "to": newest})])
            if session.scalars(select(StoreRow.id)).one() != self._marked():
                raise StoreError("store.other_folder", folder=str(self.folder))

    def _claim_folder(self) -> str:
        if (known := self._marked()) is not None:
            return known
        fresh = uuid.uuid4().hex
        try:
            (self.folder / MARKER).write_text(f"{fresh}\n", encoding="ascii")
        except OSError as error:
            raise StoreUnavailable("store.unavailable", reason=error.strerror or str(error)) from error
        return fresh

    def _marked(self) -> str | None:
        try:
            return (self.folder / MARKER).read_text(encoding="ascii").strip() or None
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise StoreUnavailable("store.unavailable", reason=reason) from error

    def close(self) -> None:
        """Close all connections."""
        self.database.close()

    def check(self) -> None:
        """Raise ``StoreUnavailable`` where the database does not answer."""
        with self.database.reading() as session:
            session.execute(select(StoreRow.id))

    def receive(self, received: Received, model: str, skipped: Message | None = None) -> bool:
        """Take in an image whose file is on disk, with its job.

        Parameters
        ----------
        received : Received
        model : str
            Version of the model that is to read it.
        skipped : Message, optional
            Why the image is not for this reader.

        Returns
        -------
        bool
            False where this image has a job for this model already; nothing changes then, and the first file counts.

        Raises
        ------
        StoreUnavailable
        """
        with self.database.writing() as session:
            now, key = self.database.now(session), secrets.token_bytes(32)
            own = asdict(received) | {"has_file": bool(received.sha256)}
            image = own | {"received_at": now, "pseudonym_key": key}
            self.database.insert_new(session, ImageRow, [image])
            found = session.execute(
                select(ImageRow.id, ImageRow.pseudonym_key)
                .where(ImageRow.key == received.key)
                .with_for_update(read=True, key_share=True)
            ).one_or_none()
            if found is None:  # it was forgotten in between
                raise StoreUnavailable("store.busy")
            job = {
                "image_id": found.id,
                "model": model,
                "state": JobState.WAITING if skipped is None else JobState.SKIPPED,
                "tries": 0,
                "received_at": now,
                "changed_at": now,
                "code": skipped and skipped.code,
                "values": skipped and pack_values(skipped),
            }
            if not self.database.insert_new(session, JobRow, [job]):
                return False
            if received.sha256:
                lost = update(ImageRow).where(ImageRow.id == found.id, ~ImageRow.has_file)
                again = changed(session, lost.values(**own))  # whose it is, is as this file says
                if again and not self.files.path(received.sha256).exists():  # it was dropped after it was kept
                    raise StoreUnavailable("store.busy")
            subject = pseudonym(found.pseudonym_key, received.key)
            entries: list[audit.Entry] = [(AuditEvent.RECEIVED, subject, {"model": model, "source": received.source})]
            if skipped is not None:
                entries.append((AuditEvent.SKIPPED, subject, {"model": model, "code": skipped.code}))
            audit.append(session, now, entries)
            return True

    def known(self, keys: Collection[str], model: str) -> set[str]:
        """Give those of some images that have a job for a model: they need not be fetched again."""
        with self.database.reading() as session:
            query = select(ImageRow.key).join(JobRow, JobRow.image_id == ImageRow.id)
            return set(session.scalars(query.where(ImageRow.key.in_(keys), JobRow.model == model)))

    def reject(self, source: str, reason: Message) -> None:
        """Note that an inbox has refused something that is no image for it.

        Parameters
        ----------
        source : str
            Name of the inbox.
        reason : Message
            Without identity.
        """
        with self.database.writing() as session:
            row = {"source": source, "code": reason.code, "values": pack_values(reason)}
            session.execute(insert(RefusalRow).values(**row, refused_at=self.database.now(session)))

    def lease(self, worker: str, model: str, seconds: float) -> Job | None:
        """Lease the image that has waited longest; None where none waits.

        Parameters
        ----------
        worker : str
            Name of the worker, without identity.
        model : str
            Version of the model that the worker has.
        seconds : float
            Afterwards another worker may take the job over.
        """
        with self.database.writing() as session:
            now = self.database.now(session)
            leasing.wake(session, JobRow, now)
            query = (
                select(JobRow.id, JobRow.tries, JobRow.received_at, ImageRow)
                .join(ImageRow, ImageRow.id == JobRow.image_id)
                .where(JobRow.model == model, JobRow.state == JobState.WAITING)
                .order_by(JobRow.received_at, JobRow.id)
                .limit(1)
                .with_for_update(of=JobRow, skip_locked=True)
            )
            found = session.execute(query).one_or_none()
            if found is None:
                return None
            tries = found.tries + 1
            lease, until = leasing.take(session, JobRow, found.id, tries=tries, worker=worker, now=now, seconds=seconds)
            image = Received(**{name: getattr(found.ImageRow, name) for name in _IMAGE_FIELDS})
            return Job(found.id, image, model, tries, lease, until, found.received_at)

    def adopt(self, model: str) -> int:
        """Let a version of a model read what waits for other versions of it, such as that before an update.

        Parameters
        ----------
        model : str
            Name and version; jobs of another name stay.

        Returns
        -------
        int
            Jobs taken over.
        """
        with self.database.writing() as session:
            now = self.database.now(session)
            leasing.wake(session, JobRow, now)
            other = aliased(JobRow)
            waiting = (JobState.WAITING, JobState.RETRYING)
            same_name = f"{model.rpartition(' ')[0]} "
            left = (
                JobRow.state.in_(waiting),
                JobRow.model != model,
                JobRow.model.startswith(same_name, autoescape=True),
            )
            later = exists().where(
                other.image_id == JobRow.image_id,
                or_(
                    other.model == model,
                    and_(
                        other.id > JobRow.id,
                        other.state.in_(waiting),
                        other.model.startswith(same_name, autoescape=True),
                    ),
                ),
            )
            skip = update(JobRow).where(*left, later)
            changed(session, skip.values(state=JobState.SKIPPED, code=NEWER_VERSION, changed_at=now, **RELEASED))
            adopted = update(JobRow).where(*left)
            return changed(session, adopted.values(model=model, changed_at=now))

    def beat(self, worker: str, model: str, at_once: int) -> None:
        """Give a sign of life of a worker.

        Parameters
        ----------
        worker, model : str
            Name of the worker, and version of its model.
        at_once : int
            Images that it reads at one time.
        """
        with self.database.writing() as session:
            now = self.database.now(session)
            row = {"name": worker, "model": model, "at_once": at_once, "started_at": now, "seen_at": now}
            if not self.database.insert_new(session, WorkerRow, [row]):
                session.execute(update(WorkerRow).where(WorkerRow.name == worker).values(seen_at=now))
            session.execute(delete(WorkerRow).where(WorkerRow.seen_at <= now - timedelta(days=1)))

    def leave(self, worker: str) -> None:
        """Take back the sign of life of a worker that ends."""
        with self.database.writing() as session:
            session.execute(delete(WorkerRow).where(WorkerRow.name == worker))

    def extend(self, job: Job, seconds: float) -> bool:
        """Extend a lease from now on; False where it was lost."""
        with self.database.writing() as session:
            now = self.database.now(session)
            return leasing.change(session, job, due_at=now + timedelta(seconds=seconds))

    def finish(self, job: Job, record: ReadingRecord, objects: Sequence[StoredObject], targets: Sequence[str]) -> bool:
        """Store what a job gave: the reading, its results, and a delivery of each to each target.

        Parameters
        ----------
        job : Job
        record : ReadingRecord
            Read or refused.
        objects : sequence of StoredObject
            One that is stored already keeps its first bytes.
        targets : sequence of str
            Names.

        Returns
        -------
        bool
            False where the lease was lost; nothing is stored then.
        """
        if record.status == "error":
            raise ValueError("a job that failed is tried again or given up")
        state = JobState.READ if record.status == "read" else JobState.REFUSED
        code = record.codes[0] if state is JobState.REFUSED and record.codes else None
        with self.database.writing() as session:
            now = self.database.now(session)
            if not leasing.change(session, job, state=state, code=code, changed_at=now, **RELEASED):
                return False
            reading = {"job_id": job.id, "record": asdict(record), "made_at": now}
            self.database.insert_new(session, ReadingRow, [reading])
            made = [asdict(one) | {"job_id": job.id, "made_at": now} for one in objects]
            self.database.insert_new(session, ObjectRow, made)
            deliveries = [
                {
                    "object_uid": one.uid,
                    "target": target,
                    "state": DeliveryState.WAITING,
                    "tries": 0,
                    "made_at": now,
                    "changed_at": now,
                }
                for one in objects
                for target in targets
            ]
            self.database.insert_new(session, DeliveryRow, deliveries)
            event = AuditEvent.READ if state is JobState.READ else AuditEvent.REFUSED
            self._note(session, now, event, job.image.key, {"model": job.model, "code": code})
            return True

    def retry(self, job: Job, code: str, seconds: float, *, counted: bool = True) -> bool:
        """Try a job again some seconds from now; False where the lease was lost.

        Parameters
        ----------
        code : str
            Of the message of the failure.
        seconds : float
        counted : bool
            Whether this try counts. It does not where the image is not at fault.
        """
        with self.database.writing() as session:
            return leasing.put_back(session, job, self.database.now(session), code, seconds, counted=counted)

    def give_up(self, job: Job, code: str) -> bool:
        """Give a job up, until a person revives it; False where the lease was lost."""
        with self.database.writing() as session:
            now = self.database.now(session)
            if not leasing.change(session, job, state=JobState.FAILED, code=code, changed_at=now, **RELEASED):
                return False
            self._note(session, now, AuditEvent.FAILED, job.image.key, {"model": job.model, "code": code})
            return True

    def lease_delivery(self, worker: str, target: str, seconds: float) -> Delivery | None:
        """Lease the oldest result that waits for a target; None where none waits.

        Parameters
        ----------
        worker, target : str
            Names.
        seconds : float
            Afterwards another worker may take the delivery over.
        """
        with self.database.writing() as session:
            now = self.database.now(session)
            leasing.wake(session, DeliveryRow, now)
            query = (
                select(DeliveryRow.id, DeliveryRow.tries, ObjectRow)
                .join(ObjectRow, ObjectRow.uid == DeliveryRow.object_uid)
                .where(DeliveryRow.target == target, DeliveryRow.state == DeliveryState.WAITING)
                .order_by(DeliveryRow.made_at, DeliveryRow.id)
                .limit(1)
                .with_for_update(of=DeliveryRow, skip_locked=True)
            )
            found = session.execute(query).one_or_none()
            if found is None:
                return None
            tries = found.tries + 1
            lease, _ = leasing.take(
                session, DeliveryRow, found.id, tries=tries, worker=worker, now=now, seconds=seconds
            )
            row = found.ObjectRow
            kind: Kind = row.kind
            return Delivery(found.id, StoredObject(row.uid, kind, row.sop_class, row.data), target, tries, lease)

    def delivered(self, delivery: Delivery) -> bool:
        """Note that a target has a result; False where the lease was lost."""
        return self._end_delivery(delivery, DeliveryState.DELIVERED, AuditEvent.DELIVERED, None)

    def dead(self, delivery: Delivery, code: str) -> bool:
        """Give a delivery up, until a person revives it; False where the lease was lost."""
        return self._end_delivery(delivery, DeliveryState.DEAD, AuditEvent.DEAD, code)

    def extend_delivery(self, delivery: Delivery, seconds: float) -> bool:
        """Extend a lease from now on; False where it was lost."""
        with self.database.writing() as session:
            now = self.database.now(session)
            return leasing.change(session, delivery, due_at=now + timedelta(seconds=seconds))

    def redeliver(self, delivery: Delivery, code: str, seconds: float, *, counted: bool = True) -> bool:
        """Try a delivery again some seconds from now; as ``retry``."""
        with self.database.writing() as session:
            return leasing.put_back(session, delivery, self.database.now(session), code, seconds, counted=counted)

    def dead_letters(self) -> list[Dead]:
        """Give everything that was given up, the oldest first: deliveries, then jobs."""
        with self.database.reading() as session:
            deliveries = session.scalars(
                select(DeliveryRow).where(DeliveryRow.state == DeliveryState.DEAD).order_by(DeliveryRow.id)
            )
            jobs = session.scalars(select(JobRow).where(JobRow.state == JobState.FAILED).order_by(JobRow.id))
            return [
                *(
                    Dead(row.id, "delivery", row.target, row.code or "", row.tries, row.changed_at)
                    for row in deliveries
                ),
                *(Dead(row.id, "job", "", row.code or "", row.tries, row.changed_at) for row in jobs),
            ]

    def revive(self, what: Literal["delivery", "job"], number: int | None = None) -> int:
        """Let something that was given up be tried again from the start; give how much.

        Parameters
        ----------
        what : {"delivery", "job"}
        number : int or None
            Its id; None revives all of the kind.
        """
        with self.database.writing() as session:
            now = self.database.now(session)
            table, dead, waiting = (
                (DeliveryRow, DeliveryState.DEAD, DeliveryState.WAITING)
                if what == "delivery"
                else (JobRow, JobState.FAILED, JobState.WAITING)
            )
            change = update(table).where(table.state == dead)
            if number is not None:
                change = change.where(table.id == number)
            count = changed(session, change.values(state=waiting, tries=0, changed_at=now, **RELEASED))
            if count:
                audit.append(session, now, [(AuditEvent.REVIVED, None, {"what": what, "count": count})])
            return count

    def state(self) -> StoreState:
        """Count what is in the store."""
        with self.database.reading() as session:
            now = self.database.now(session)
            jobs = session.execute(select(JobRow.state, func.count()).group_by(JobRow.state))
            deliveries = session.execute(select(DeliveryRow.state, func.count()).group_by(DeliveryRow.state))
            refusals: dict[str, int] = {}
            for query in (
                select(JobRow.code, func.count()).where(JobRow.state.in_(_NO_NUMBER)).group_by(JobRow.code),
                select(RefusalRow.code, func.count()).group_by(RefusalRow.code),
            ):
                for code, count in session.execute(query):
                    refusals[code or ""] = refusals.get(code or "", 0) + count
            return StoreState(
                jobs=dict.fromkeys(JobState, 0) | {JobState(state): count for state, count in jobs},
                deliveries=dict.fromkeys(DeliveryState, 0)
                | {DeliveryState(state): count for state, count in deliveries},
                refusals=refusals,
                oldest_waiting=_age(session, now, JobRow.received_at, JobRow.state, _OPEN_JOBS),
                oldest_delivery=_age(session, now, DeliveryRow.made_at, DeliveryRow.state, _OPEN_DELIVERIES),
                readers=session.scalars(
                    select(func.count()).where(
                        WorkerRow.at_once > 0, WorkerRow.seen_at > now - timedelta(seconds=ALIVE_SECONDS)
                    )
                ).one(),
            )

    def _end_delivery(self, delivery: Delivery, state: DeliveryState, event: AuditEvent, code: str | None) -> bool:
        with self.database.writing() as session:
            now = self.database.now(session)
            if not leasing.change(session, delivery, state=state, code=code, changed_at=now, **RELEASED):
                return False
            key = session.scalars(
                select(ImageRow.key)
                .join(JobRow, JobRow.image_id == ImageRow.id)
                .join(ObjectRow, ObjectRow.job_id == JobRow.id)
                .where(ObjectRow.uid == delivery.object.uid)
            ).one()
            details = {"target": delivery.target, "kind": delivery.object.kind, "code": code}
            self._note(session, now, event, key, details)
            return True

    @staticmethod
    def _note(session: Session, now: datetime, event: AuditEvent, key: str, details: dict[str, Any]) -> None:
        secret = session.scalars(select(ImageRow.pseudonym_key).where(ImageRow.key == key)).one()
        audit.append(session, now, [(event, pseudonym(secret, key), details)])


def _age(
    session: Session,
    now: datetime,
    moment: InstrumentedAttribute[datetime],
    state: InstrumentedAttribute[str],
    states: Collection[str],
) -> float | None:
    """Seconds since the oldest of some states; one look into the index for each."""
    first = [select(func.min(moment)).where(state == one) for one in states]
    found = [when for query in first if (when := session.scalar(query)) is not None]
    return max(0.0, (now - min(found)).total_seconds()) if found else None
