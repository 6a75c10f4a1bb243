"""The audit: what happened to which image, under a pseudonym, each entry sealing all before it.

The pseudonym of an image is a keyed hash (HMAC, RFC 2104). The key stands beside the image and is deleted with it; the
audit then says that something happened to an image, and nobody can say to which.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

from cxrmodel.store.models import AuditRow

FIRST = "0" * 64
"""Stands in place of the hash before the first entry."""
_LOCK = 0x63_78_72_02
"""Advisory lock of PostgreSQL: entries are added one after the other."""


class AuditEvent(StrEnum):
    """What an entry of the audit is about."""

    UPGRADED = "upgraded"
    RECEIVED = "received"
    SKIPPED = "skipped"
    READ = "read"
    REFUSED = "refused"
    FAILED = "failed"
    DELIVERED = "delivered"
    DEAD = "dead"
    REVIVED = "revived"
    FORGOTTEN = "forgotten"


def pseudonym(key: bytes, image: str) -> str:
    """Give the pseudonym of an image.

    Parameters
    ----------
    key : bytes
        Its ``pseudonym_key``.
    image : str
        Its ``key``.
    """
    return hmac.new(key, image.encode(), hashlib.sha256).hexdigest()


Entry = tuple[AuditEvent, str | None, Mapping[str, Any]]
"""Event, subject, and details without identity."""


def append(session: Session, at: datetime, entries: Iterable[Entry]) -> None:
    """Add entries, at the end of a transaction: PostgreSQL holds other writers of the audit until it is over.

    Parameters
    ----------
    session : Session
    at : datetime
        With zone.
    entries : iterable of Entry
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    last = session.scalar(select(AuditRow.hash).order_by(AuditRow.id.desc()).limit(1)) or FIRST
    rows = []
    for event, subject, details in entries:
        last = _seal(last, at, event, subject, details)
        rows.append({"at": at, "event": event, "subject": subject, "details": dict(details), "hash": last})
    if rows:
        session.execute(insert(AuditRow), rows)


def first_broken(session: Session) -> int | None:
    """Check the chain; give the id of the first entry that was changed, or before which one is missing.

    Entries missing at the end do not show.
    """
    last = FIRST
    for row in session.scalars(select(AuditRow).order_by(AuditRow.id).execution_options(yield_per=1000)):
        last = _seal(last, row.at, row.event, row.subject, row.details)
        if row.hash != last:
            return row.id
    return None


def _seal(last: str, at: datetime, event: str, subject: str | None, details: Mapping[str, Any]) -> str:
    entry = [last, at.astimezone(UTC).isoformat(), str(event), subject, dict(details)]
    written = json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(written.encode()).hexdigest()
