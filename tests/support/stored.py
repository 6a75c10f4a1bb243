"""Values for tests of the store, and all that a store holds."""

from typing import Any

from sqlalchemy import select

from cxrmodel.reading import ReadingRecord
from cxrmodel.store.models import Base
from cxrmodel.store.records import Received, StoredObject
from cxrmodel.store.store import Store

MODEL = "densenet@1"
READ = ReadingRecord("image", "read", probability=0.25)
REFUSED = ReadingRecord("image", "refused", codes=("imaging.empty",))


def received(key: str, sha256: str = "0" * 64, **values: Any) -> Received:
    """An image, of a patient of its own unless that is given."""
    return Received(key, sha256, "poll", **({"study_uid": f"{key}.1", "patient_id": f"P{key}"} | values))


def report(uid: str, data: bytes = b"first") -> StoredObject:
    """A result."""
    return StoredObject(uid, "sr", "1.2.840.10008.5.1.4.1.1.88.34", data)


def rows_of(store: Store) -> dict[str, int]:
    """Rows by table."""
    with store.database.reading() as session:
        return {name: len(session.execute(select(table)).all()) for name, table in sorted(Base.metadata.tables.items())}
