"""The database behind the store: connections, transactions, clock, and its failures in words."""

import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, create_engine, event, func, inspect, make_url, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection
from sqlalchemy.orm import Session, sessionmaker

from cxrmodel.errors import SettingError, StoreUnavailable
from cxrmodel.extras import need
from cxrmodel.sinks import shortened
from cxrmodel.store.models import Base

SQLITE_FILE = "store.sqlite"
BUSY_SECONDS = 30.0
"""Longest wait for another writer of SQLite, or for a lock of PostgreSQL."""
CONNECT_SECONDS = 5
_IMMEDIATE, _NO_TRANSACTION = "cxr_immediate", "cxr_no_transaction"
_FULL: Final = {"53100", sqlite3.SQLITE_FULL}
"""Codes of a full disk: SQLSTATE of PostgreSQL, result code of SQLite."""
_BUSY: Final = {"55P03", "57014", "40001", "40P01", sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
"""Codes of a lock that was not given in time."""

Clock = Callable[[], datetime]


class Database:
    """Transactions on SQLite or PostgreSQL. Safe to use from several threads.

    Parameters
    ----------
    url : URL
    clock : callable or None
        Gives the time, with its zone. None: the clock of PostgreSQL, which all workers share; for SQLite this
        machine's.
    """

    def __init__(self, url: URL, clock: Clock | None = None) -> None:
        self.engine = _engine(url)
        self._clock = clock
        self._reading = sessionmaker(self.engine, expire_on_commit=False)
        self._writing = sessionmaker(
            self.engine.execution_options(**{_IMMEDIATE: True}), expire_on_commit=False, autoflush=False
        )

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a file of this machine."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Run a transaction that writes: whole, or not at all.

        Raises
        ------
        StoreUnavailable
            Nothing was changed, unless the connection broke while the change was being confirmed.
        """
        with _failures(), self._writing.begin() as session:
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Run a transaction that only reads.

        Raises
        ------
        StoreUnavailable
        """
        with _failures(), self._reading.begin() as session:
            yield session

    def now(self, session: Session) -> datetime:
        """Give the time of the store, with its zone."""
        if self._clock is not None:
            return self._clock()
        if self.is_sqlite:
            return datetime.now(UTC)
        now: datetime = session.execute(select(func.clock_timestamp())).scalar_one()
        return now.astimezone(UTC)

    def insert_new(self, session: Session, table: type[Base], rows: Sequence[Mapping[str, Any]]) -> int:
        """Insert the rows that break no unique constraint; give how many."""
        insert = sqlite.insert if self.is_sqlite else postgresql.insert
        count = 0
        for row in rows:
            done = insert(table).values(**row).on_conflict_do_nothing().returning(*inspect(table).primary_key)
            count += len(session.connection().execute(done).all())
        return count

    def overwrite_deleted(self) -> None:
        """Leave nothing of what was deleted in the files of the database."""
        with _failures(), self.engine.connect() as connection:
            if self.is_sqlite:  # deleted bytes are overwritten at once, in the log of the last changes too after this
                connection = connection.execution_options(**{_NO_TRANSACTION: True})
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
                return
            free = connection.execution_options(isolation_level="AUTOCOMMIT")
            for table in Base.metadata.tables:
                free.exec_driver_sql(f'VACUUM "{table}"')

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def store_url(url: str | None, folder: Path) -> URL:
    """Understand the address of a store.

    Parameters
    ----------
    url : str or None
        ``postgresql+psycopg://...``, or ``sqlite:///FILE``; None is the SQLite file of the folder.
    folder : Path
        The data folder.

    Raises
    ------
    SettingError
        When it is no address of PostgreSQL. The message does not repeat it, as it may hold a password.
    MissingExtra
    """
    if not url:
        return URL.create("sqlite", database=str(folder / SQLITE_FILE))
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise SettingError("store.wrong_url") from None
    if parsed.drivername == "sqlite" and parsed.database:
        return parsed
    if parsed.drivername not in ("postgresql", "postgresql+psycopg"):
        raise SettingError("store.wrong_url")
    need("psycopg", extra="postgres")
    return parsed.set(drivername="postgresql+psycopg")


def _engine(url: URL) -> Engine:
    if url.drivername != "sqlite":
        options = f"-c lock_timeout={int(BUSY_SECONDS * 1000)}"
        return create_engine(
            url,
            hide_parameters=True,
            pool_pre_ping=True,
            pool_timeout=BUSY_SECONDS,
            connect_args={"connect_timeout": CONNECT_SECONDS, "options": options},
        )
    assert url.database
    try:
        with suppress(FileExistsError):
            os.close(os.open(url.database, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except OSError as error:
        raise StoreUnavailable("store.unavailable", reason=error.strerror or str(error)) from error
    engine = create_engine(url, hide_parameters=True, connect_args={"timeout": BUSY_SECONDS})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _: object) -> None:
    connection.isolation_level = None  # transactions begin below, not where Python's driver thinks
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that begins as a reader cannot become a writer once another has written: it must begin as one.
    options = connection.get_execution_options()
    if not options.get(_NO_TRANSACTION):
        connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get(_IMMEDIATE) else "BEGIN")


@contextmanager
def _failures() -> Iterator[None]:
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        raise _unavailable(error) from error
    except NoConnection as error:
        raise StoreUnavailable("store.busy") from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise _unavailable(error) from error
        raise


def _unavailable(error: DBAPIError) -> StoreUnavailable:
    cause = error.orig
    code = getattr(cause, "sqlstate", None) or (getattr(cause, "sqlite_errorcode", None) or 0) & 0xFF
    if code in _FULL:
        return StoreUnavailable("store.disk_full")
    if code in _BUSY:
        return StoreUnavailable("store.busy")
    first = (str(cause).strip().splitlines() or [type(cause).__name__])[0]
    return StoreUnavailable("store.unavailable", reason=shortened(first.rstrip("."), 200))
