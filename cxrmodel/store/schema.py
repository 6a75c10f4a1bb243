"""The schema of a store: which one it has, and its upgrade by the migrations of this program."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from cxrmodel.errors import StoreError

MIGRATIONS = Path(__file__).resolve().parent / "migrations"
_UPGRADE_LOCK = 0x63_78_72_01
"""Advisory lock of PostgreSQL: one program upgrades at a time."""


def newest() -> str:
    """Revision of the schema that this program has."""
    head = ScriptDirectory(str(MIGRATIONS)).get_current_head()
    assert head is not None
    return head


def revision_of(connection: Connection) -> str | None:
    """Revision of a database; None where it is empty.

    Raises
    ------
    StoreError
        When it holds the tables of another program.
    """
    revision = MigrationContext.configure(connection).get_current_revision()
    if revision is None and inspect(connection).get_table_names():
        raise StoreError("store.foreign")
    return revision


def is_known(revision: str) -> bool:
    """Whether this program has the revision among its migrations."""
    return revision in {script.revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions()}


def upgrade(connection: Connection) -> None:
    """Bring a database to the newest schema, within the transaction of the connection."""
    configuration = Config()
    configuration.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    configuration.attributes["connection"] = connection
    command.upgrade(configuration, "head")


def lock(connection: Connection) -> None:
    """Let no other program upgrade until the transaction ends; SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _UPGRADE_LOCK})
