"""Forgetting: images with all that was made of them, by patient, by study or by age.

Files go first, rows after them in one transaction: who is interrupted begins again and comes to the same end.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from sqlalchemy import ColumnElement, Select, delete, exists, func, or_, select, update
from sqlalchemy.orm import Session

from cxrmodel.store import audit, lists
from cxrmodel.store.audit import AuditEvent, pseudonym
from cxrmodel.store.models import DeliveryRow, EntryRow, ImageRow, JobRow, ObjectRow, ReadingRow, RefusalRow
from cxrmodel.store.records import DeliveryState, JobState
from cxrmodel.store.store import Store

UNKNOWN_AGE: Final = 3600.0
"""Seconds after which a file without a row is of no use: its sender was never told that it had arrived."""
_AT_ONCE = 500
"""Ids in one statement."""
_DONE: Final = (JobState.READ, JobState.REFUSED, JobState.SKIPPED)

Item = TypeVar("Item")


@dataclass(frozen=True)
class OfPatient:
    """All images of a patient.

    Attributes
    ----------
    patient_id : str
    issuer : str or None
        Who issued the ID; None takes every issuer, an empty text the images that name none.
    """

    patient_id: str
    issuer: str | None = None


@dataclass(frozen=True)
class OfStudy:
    """All images of a study, by Study Instance UID."""

    study_uid: str


@dataclass(frozen=True)
class OlderThan:
    """All images and rows of work lists that arrived so many days ago, or earlier, and what inboxes refused then."""

    days: float


Selection = OfPatient | OfStudy | OlderThan


@dataclass(frozen=True)
class Copy:
    """A result that a target has, or may have: it stays there until it is deleted there."""

    target: str
    uid: str


@dataclass(frozen=True)
class Forgettable:
    """What there is to forget.

    Attributes
    ----------
    images, readings, objects, pending, refusals, entries : int
        Images with their files; readings; results; deliveries that are not made yet; notes of refusals; rows of work
        lists.
    copies : tuple of Copy
        Results that targets have; those stay.
    """

    images: int
    readings: int
    objects: int
    pending: int
    refusals: int
    entries: int
    copies: tuple[Copy, ...]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing."""
        return not (self.images or self.refusals or self.entries)


def forgettable(store: Store, selection: Selection) -> Forgettable:
    """Tell what `forget` would delete, and what stays elsewhere.

    Raises
    ------
    StoreUnavailable
    """
    with store.database.reading() as session:
        return _found(session, selection, store.database.now(session))


def forget(store: Store, selection: Selection) -> Forgettable:
    """Delete images, files, readings, results and deliveries; the audit loses the keys of its pseudonyms.

    Parameters
    ----------
    store : Store
    selection : Selection

    Returns
    -------
    Forgettable
        What was deleted.

    Raises
    ------
    StoreUnavailable
        Run it again then: it goes on where it was interrupted.
    """
    kept = lists.files_of(store)
    with store.database.reading() as session:
        chosen = _images(selection, store.database.now(session))
        files = set(session.scalars(chosen.with_only_columns(ImageRow.sha256).where(ImageRow.has_file)))
        listed = lists.files_of_entries(session, _of_entries(selection, store.database.now(session)))
    for sha256 in files:
        store.files.delete(sha256)
    for sha256 in listed:
        kept.delete(sha256)
    with store.database.writing() as session:
        now = store.database.now(session)
        # Whoever adds to an image, or finishes a job of it, waits for this transaction and then finds nothing.
        rows = session.execute(
            _images(selection, now)
            .with_only_columns(ImageRow.id, ImageRow.key, ImageRow.pseudonym_key, ImageRow.sha256, ImageRow.has_file)
            .with_for_update()
        ).all()
        found = _found(session, selection, now)
        for part in _parts([row.id for row in rows]):
            _delete_images(session, part)
        lists.delete_entries(session, _of_entries(selection, now))
        if isinstance(selection, OlderThan):
            session.execute(delete(RefusalRow).where(RefusalRow.refused_at <= _limit(selection, now)))
        audit.append(session, now, [(AuditEvent.FORGOTTEN, pseudonym(row.pseudonym_key, row.key), {}) for row in rows])
    for sha256 in {row.sha256 for row in rows if row.has_file} - files:  # arrived in between
        store.files.delete(sha256)
    store.database.overwrite_deleted()
    return found


def sweep(store: Store, seconds: float = UNKNOWN_AGE) -> int:
    """Delete files that no image has: unfinished ones, and those of senders that were never answered.

    Parameters
    ----------
    seconds : float
        Younger files stay: their images may be on their way.

    Returns
    -------
    int
        How many.

    Raises
    ------
    StoreUnavailable
    """
    count = 0
    for files, table in ((store.files, ImageRow), (lists.files_of(store), EntryRow)):
        for part in _parts(sorted(files.older_than(seconds))):
            with store.database.reading() as session:
                known = set(session.scalars(select(table.sha256).where(table.sha256.in_(part), table.has_file)))
            for name in set(part) - known:
                files.delete(name)
                count += 1
    return count


def drop_files(store: Store, days: float) -> int:
    """Delete the files of images whose jobs were all done so many days ago, or earlier; rows and results stay.

    Files of jobs that were given up stay, so that they can be revived.

    Returns
    -------
    int
        How many.

    Raises
    ------
    StoreUnavailable
    """
    count = 0
    while True:
        with store.database.writing() as session:
            limit = store.database.now(session) - timedelta(days=days)
            needed = exists().where(
                JobRow.image_id == ImageRow.id, or_(JobRow.state.not_in(_DONE), JobRow.changed_at > limit)
            )
            query = select(ImageRow.id, ImageRow.sha256).where(ImageRow.has_file, ~needed).limit(_AT_ONCE)
            rows = session.execute(query.with_for_update(skip_locked=True)).all()
            for row in rows:
                store.files.delete(row.sha256)
            session.execute(update(ImageRow).where(ImageRow.id.in_([row.id for row in rows])).values(has_file=False))
        count += len(rows)
        if len(rows) < _AT_ONCE:
            return count


def _limit(selection: OlderThan, now: datetime) -> datetime:
    return now - timedelta(days=selection.days)


def _images(selection: Selection, now: datetime) -> Select[*tuple[Any, ...]]:
    """Ids of the images of a selection, the oldest first."""
    query: Select[*tuple[Any, ...]] = select(ImageRow.id).order_by(ImageRow.id)
    if isinstance(selection, OfStudy):
        return query.where(ImageRow.study_uid == selection.study_uid)
    if isinstance(selection, OlderThan):
        return query.where(ImageRow.received_at <= _limit(selection, now))
    query = query.where(ImageRow.patient_id == selection.patient_id)
    return query if selection.issuer is None else query.where(ImageRow.issuer == selection.issuer)


def _of_entries(selection: Selection, now: datetime) -> list[ColumnElement[bool]]:
    """What holds for the rows of work lists of a selection."""
    if isinstance(selection, OfStudy):
        return [EntryRow.study_uid == selection.study_uid]
    if isinstance(selection, OlderThan):
        return [EntryRow.arrived_at <= _limit(selection, now)]
    issued = [] if selection.issuer is None else [EntryRow.issuer == selection.issuer]
    return [EntryRow.patient_id == selection.patient_id, *issued]


def _found(session: Session, selection: Selection, now: datetime) -> Forgettable:
    images = list(session.scalars(_images(selection, now)))
    counts = dict.fromkeys(("readings", "objects", "pending"), 0)
    copies: list[Copy] = []
    for part in _parts(images):
        jobs = select(JobRow.id).where(JobRow.image_id.in_(part))
        objects = select(ObjectRow.uid).where(ObjectRow.job_id.in_(jobs))
        sent = select(DeliveryRow.target, DeliveryRow.object_uid, DeliveryRow.state)
        counts["readings"] += _count(session, select(ReadingRow.job_id).where(ReadingRow.job_id.in_(jobs)))
        counts["objects"] += _count(session, objects)
        for target, uid, state in session.execute(sent.where(DeliveryRow.object_uid.in_(objects)).order_by("id")):
            counts["pending"] += state != DeliveryState.DELIVERED
            if state in (DeliveryState.DELIVERED, DeliveryState.LEASED):  # what is on its way may arrive
                copies.append(Copy(target, uid))
    refusals = 0
    if isinstance(selection, OlderThan):
        refusals = _count(session, select(RefusalRow.id).where(RefusalRow.refused_at <= _limit(selection, now)))
    entries = _count(session, select(EntryRow.id).where(*_of_entries(selection, now)))
    return Forgettable(len(images), **counts, refusals=refusals, entries=entries, copies=tuple(copies))


def _count(session: Session, query: Select[*tuple[Any, ...]]) -> int:
    return session.scalars(select(func.count()).select_from(query.subquery())).one()


def _delete_images(session: Session, ids: Sequence[int]) -> None:
    jobs = list(session.scalars(select(JobRow.id).where(JobRow.image_id.in_(ids)).with_for_update()))
    objects = select(ObjectRow.uid).where(ObjectRow.job_id.in_(jobs))
    for change in (
        delete(DeliveryRow).where(DeliveryRow.object_uid.in_(objects)),
        delete(ObjectRow).where(ObjectRow.job_id.in_(jobs)),
        delete(ReadingRow).where(ReadingRow.job_id.in_(jobs)),
        delete(JobRow).where(JobRow.id.in_(jobs)),
        delete(ImageRow).where(ImageRow.id.in_(ids)),
    ):
        session.connection().execute(change)


def _parts(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    return (items[start : start + _AT_ONCE] for start in range(0, len(items), _AT_ONCE))
