"""Leases of jobs and deliveries: each waits, is leased to one worker, and waits again when that ends.

Each function is a step of the transaction of its session.
"""

import secrets
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from cxrmodel.store.models import DeliveryRow, JobRow
from cxrmodel.store.records import Delivery, DeliveryState, Job, JobState

Table = type[JobRow] | type[DeliveryRow]

RELEASED: Final = {"due_at": None, "worker": None, "lease": None}
"""Values of a row that nobody holds, and that waits for no moment."""
_STATES: Final[dict[Table, type[JobState] | type[DeliveryState]]] = {JobRow: JobState, DeliveryRow: DeliveryState}


def changed(session: Session, statement: Any) -> int:
    """Carry a change out; give the number of rows that it changed."""
    return int(session.connection().execute(statement).rowcount)


def wake(session: Session, table: Table, now: datetime) -> None:
    """Let those wait again whose lease, or whose wait for the next try, is over."""
    over = select(table.id).where(table.due_at <= now).with_for_update(skip_locked=True)
    changed(session, update(table).where(table.id.in_(over)).values(state=_STATES[table].WAITING, **RELEASED))


def take(
    session: Session, table: Table, number: int, *, tries: int, worker: str, now: datetime, seconds: float
) -> tuple[str, datetime]:
    """Lease a row that waits and is locked.

    Parameters
    ----------
    table : class of rows
    number : int
        Id of the row.
    tries : int
        Leases with this one.
    worker : str
    now : datetime
    seconds : float

    Returns
    -------
    lease : str
        Random; proves that the row is still the worker's.
    until : datetime
    """
    lease, until = secrets.token_hex(16), now + timedelta(seconds=seconds)
    values = {"state": _STATES[table].LEASED, "tries": tries, "due_at": until, "worker": worker, "lease": lease}
    changed(session, update(table).where(table.id == number).values(changed_at=now, **values))
    return lease, until


def change(session: Session, held: Job | Delivery, **values: Any) -> bool:
    """Change what is leased; False where the lease was lost."""
    table: Table = JobRow if isinstance(held, Job) else DeliveryRow
    return bool(changed(session, update(table).where(table.id == held.id, table.lease == held.lease).values(**values)))


def put_back(
    session: Session, held: Job | Delivery, now: datetime, code: str, seconds: float, *, counted: bool
) -> bool:
    """Let it be tried again some seconds from now, with one try less unless this one counts; False as ``change``."""
    state = JobState.RETRYING if isinstance(held, Job) else DeliveryState.RETRYING
    values = RELEASED | {"due_at": now + timedelta(seconds=seconds), "tries": held.tries - (not counted)}
    return change(session, held, state=state, code=code, changed_at=now, **values)
