"""Work lists of browsers, each found by the cookie of its browser alone."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.orm import Session

from cxrmodel.store.files import Files
from cxrmodel.store.models import EntryRow, FeedbackRow, SessionRow
from cxrmodel.store.records import Entry, KeptList
from cxrmodel.store.store import Store

FOLDER: Final = "worklist"
"""Of the data folder: kept files."""
_FEEDBACK: Final = ("mark", "note")
_FIELDS: Final = tuple(field.name for field in fields(Entry) if field.name not in _FEEDBACK)
_NO_FILE: Final = {"has_file": False, "thumbnail": None}


class Lists:
    """The work lists in a store.

    Parameters
    ----------
    store : Store
    """

    def __init__(self, store: Store) -> None:
        self.store, self.database = store, store.database
        self.files = files_of(store)

    def load(self, cookie: str) -> KeptList | None:
        """Give the list of a browser; None where none is kept.

        Raises
        ------
        StoreUnavailable
        """
        with self.database.writing() as session:
            found = session.scalars(select(SessionRow).where(SessionRow.cookie == _hashed(cookie))).one_or_none()
            if found is None:
                return None
            found.used_at = self.database.now(session)
            rows = session.execute(
                select(EntryRow, FeedbackRow)
                .outerjoin(
                    FeedbackRow,
                    (FeedbackRow.session_id == EntryRow.session_id) & (FeedbackRow.entry_id == EntryRow.id),
                )
                .where(EntryRow.session_id == found.id)
                .order_by(EntryRow.position, EntryRow.id)
            )
            entries = tuple(_entry(row, feedback) for row, feedback in rows)
            return KeptList(entries, found.prevalence, found.selected)

    def save(
        self,
        cookie: str,
        kept: KeptList,
        positions: Mapping[str, int],
        fresh: Collection[str],
        removed: Collection[str],
    ) -> set[str]:
        """Store what has changed of a list.

        Parameters
        ----------
        cookie : str
        kept : KeptList
            With the entries that are new or have changed.
        positions : mapping of str to int
            Of entries that are new or have moved, by id.
        fresh : collection of str
            Ids of entries that were never stored.
        removed : collection of str
            Ids of entries that the user took out of the list.

        Returns
        -------
        set of str
            Ids of entries that are no longer kept: they were forgotten meanwhile.

        Raises
        ------
        StoreUnavailable
        """
        unused: list[str] = []
        with self.database.writing() as session:
            now = self.database.now(session)
            row = {"cookie": _hashed(cookie), "prevalence": kept.prevalence, "selected": kept.selected, "used_at": now}
            self.database.insert_new(session, SessionRow, [row])
            session.execute(update(SessionRow).where(SessionRow.cookie == row["cookie"]).values(**row))
            number = session.scalars(select(SessionRow.id).where(SessionRow.cookie == row["cookie"])).one()
            if removed:
                unused = self._delete(session, number, removed)
            made = [
                _values(entry) | {"session_id": number, "position": positions[entry.id], "arrived_at": now}
                for entry in kept.entries
                if entry.id in fresh
            ]
            self.database.insert_new(session, EntryRow, made)
            gone = set()
            for entry in kept.entries:
                change = _values(entry) | ({"position": positions[entry.id]} if entry.id in positions else {})
                here = (EntryRow.session_id == number, EntryRow.id == entry.id)
                if not session.connection().execute(update(EntryRow).where(*here).values(**change)).rowcount:
                    gone.add(entry.id)
                    continue
                self._note(session, number, entry)
            for entry_id in set(positions) - {entry.id for entry in kept.entries}:
                here = (EntryRow.session_id == number, EntryRow.id == entry_id)
                session.execute(update(EntryRow).where(*here).values(position=positions[entry_id]))
        self._delete_files(unused)
        return gone

    def forget(self, cookie: str) -> None:
        """Delete the list of a browser with everything in it.

        Raises
        ------
        StoreUnavailable
        """
        with self.database.writing() as session:
            number = session.scalars(select(SessionRow.id).where(SessionRow.cookie == _hashed(cookie))).one_or_none()
            unused = [] if number is None else self._delete_sessions(session, [number])
        self._delete_files(unused)
        self.database.overwrite_deleted()

    def expire(self, image_days: float, list_days: float) -> tuple[int, int]:
        """Delete files that are kept longer than their time, and lists that nobody has used for theirs.

        Parameters
        ----------
        image_days, list_days : float

        Returns
        -------
        int, int
            Files and lists deleted.

        Raises
        ------
        StoreUnavailable
        """
        with self.database.writing() as session:
            now = self.database.now(session)
            late = (EntryRow.has_file, EntryRow.arrived_at <= now - timedelta(days=image_days))
            files = list(session.scalars(select(EntryRow.sha256).where(*late)))
            session.execute(update(EntryRow).where(*late).values(**_NO_FILE))
            old = list(
                session.scalars(select(SessionRow.id).where(SessionRow.used_at <= now - timedelta(days=list_days)))
            )
            files += self._delete_sessions(session, old)
        self._delete_files(files)
        if files or old:
            self.database.overwrite_deleted()
        return len(set(files)), len(old)

    def _delete(self, session: Session, number: int, ids: Collection[str]) -> list[str]:
        """Delete entries; give the checksums of their files."""
        here = (EntryRow.session_id == number, EntryRow.id.in_(ids))
        files = list(session.scalars(select(EntryRow.sha256).where(*here, EntryRow.has_file)))
        session.execute(delete(FeedbackRow).where(FeedbackRow.session_id == number, FeedbackRow.entry_id.in_(ids)))
        session.execute(delete(EntryRow).where(*here))
        return files

    def _delete_sessions(self, session: Session, numbers: Sequence[int]) -> list[str]:
        files: list[str] = []
        for number in numbers:
            ids = list(session.scalars(select(EntryRow.id).where(EntryRow.session_id == number)))
            files += self._delete(session, number, ids)
            session.execute(delete(SessionRow).where(SessionRow.id == number))
        return files

    def _delete_files(self, checksums: Collection[str]) -> None:
        """Delete those files that no entry has any more."""
        for sha256 in set(checksums):
            with self.database.reading() as session:
                used = session.scalar(select(EntryRow.id).where(EntryRow.sha256 == sha256, EntryRow.has_file).limit(1))
            if used is None:
                self.files.delete(sha256)

    def _note(self, session: Session, number: int, entry: Entry) -> None:
        here = (FeedbackRow.session_id == number, FeedbackRow.entry_id == entry.id)
        known = session.execute(select(FeedbackRow.mark, FeedbackRow.note).where(*here)).one_or_none()
        if known is not None and tuple(known) == (entry.mark, entry.note):
            return
        session.execute(delete(FeedbackRow).where(*here))
        if entry.mark or entry.note:
            values = {"mark": entry.mark, "note": entry.note, "given_at": self.database.now(session)}
            self.database.insert_new(session, FeedbackRow, [values | {"session_id": number, "entry_id": entry.id}])


def files_of(store: Store) -> Files:
    """The files that work lists keep."""
    return Files(store.folder, FOLDER)


def files_of_entries(session: Session, chosen: Sequence[ColumnElement[bool]]) -> set[str]:
    """Give the checksums of files that only some entries have, of all lists."""
    files = session.execute(select(EntryRow.sha256, func.count()).where(*chosen, EntryRow.has_file).group_by("sha256"))
    found: dict[str, int] = dict(files.all())
    everywhere = select(EntryRow.sha256, func.count()).where(EntryRow.sha256.in_(found), EntryRow.has_file)
    return {sha256 for sha256, count in session.execute(everywhere.group_by("sha256")) if count == found[sha256]}


def delete_entries(session: Session, chosen: Sequence[ColumnElement[bool]]) -> None:
    """Delete entries of any lists with what users thought of them."""
    for session_id, entry_id in session.execute(select(EntryRow.session_id, EntryRow.id).where(*chosen)).all():
        here = (FeedbackRow.session_id == session_id, FeedbackRow.entry_id == entry_id)
        session.execute(delete(FeedbackRow).where(*here))
    session.execute(delete(EntryRow).where(*chosen))


def _hashed(cookie: str) -> str:
    return hashlib.sha256(cookie.encode()).hexdigest()


def _values(entry: Entry) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in _FIELDS} | {"repairs": list(entry.repairs)}


def _entry(row: EntryRow, feedback: FeedbackRow | None) -> Entry:
    values = {name: getattr(row, name) for name in _FIELDS} | {"repairs": tuple(row.repairs)}
    noted = (feedback.mark, feedback.note) if feedback else (None, "")
    return Entry(**values, mark=noted[0], note=noted[1])
