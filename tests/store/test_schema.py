"""The schema: what the migrations make is what the models say; other versions are refused with a sentence."""

import threading

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from cxrmodel.errors import CxrError, SettingError, StoreUnavailable
from cxrmodel.messages import Message
from cxrmodel.store import schema
from cxrmodel.store.audit import first_broken
from cxrmodel.store.database import store_url
from cxrmodel.store.models import Base
from cxrmodel.store.store import MARKER, Store
from tests.support.server import free_port
from tests.support.stored import MODEL, received


def test_the_migrations_make_the_models(store):
    """Tables, columns, types, indices and constraints."""
    with store.database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_a_fresh_store_is_private(store):
    """Folder and database are the user's alone."""
    modes = {path.name: path.stat().st_mode & 0o077 for path in (store.folder, *store.folder.glob("store.sqlite*"))}
    assert set(modes.values()) == {0}


def test_programs_that_start_at_once_make_one_store(open_again):
    """One creates it, the others wait."""
    found: list[Store] = []
    threads = [threading.Thread(target=lambda: found.append(open_again())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    found[0].receive(received("1"), MODEL)
    assert [one.known({"1"}, MODEL) for one in found] == [{"1"}] * 4


def refusal(act) -> Message:
    """The message of the error that something raises."""
    with pytest.raises(CxrError) as caught:
        act()
    return caught.value.message


def test_a_newer_store_is_refused(store, open_again):
    """Upgrading it is, too."""
    with store.database.writing() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert refusal(open_again) == Message("store.newer", schema="9999", known=schema.newest())
    assert str(Message("store.newer", schema="9999", known="0001")) == (
        "The store has schema 9999, and this version knows up to 0001. "
        "Install the version that wrote it, or a later one."
    )


def test_a_database_of_another_program_is_refused(store, open_again):
    """It is not touched."""
    with store.database.writing() as session:
        session.execute(text("DROP TABLE alembic_version"))
    assert refusal(open_again) == Message("store.foreign")


def test_a_store_has_one_folder(store, open_again, tmp_path):
    """A machine with another folder would not find the files."""
    if store.database.is_sqlite:
        (tmp_path / "data" / MARKER).write_text("another\n")
        assert refusal(open_again).code == "store.other_folder"
    else:
        assert refusal(lambda: open_again(tmp_path / "other")).code == "store.other_folder"


@pytest.mark.parametrize(
    ("address", "error"),
    [
        ("mysql://user@host/name", SettingError),
        ("no address", SettingError),
        (f"postgresql+psycopg://nobody:secret@127.0.0.1:{free_port()}/none", StoreUnavailable),
    ],
    ids=["another database", "no address", "nobody answers"],
)
def test_a_wrong_address_is_refused_without_its_password(tmp_path, address, error):
    """In one sentence."""
    with pytest.raises(error) as caught:
        Store.open(address, tmp_path)
    assert "secret" not in str(caught.value)
    assert "user@" not in str(caught.value)


def test_the_address_names_the_driver():
    """With or without it, it is the same."""
    drivers = {store_url(f"{scheme}://u@h/d", None).drivername for scheme in ("postgresql", "postgresql+psycopg")}
    assert drivers == {"postgresql+psycopg"}


@pytest.mark.parametrize("change", ["UPDATE audit SET event = 'read'", "DELETE FROM audit"])
def test_the_audit_only_grows(store, change):
    """The database itself refuses a change."""
    store.receive(received("1"), MODEL)
    with pytest.raises(DBAPIError, match="append-only"), store.database.writing() as session:
        session.execute(text(change))


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        ("UPDATE audit SET event = 'read' WHERE id = 2", 2),
        ("DELETE FROM audit WHERE id = 2", 3),
        ("UPDATE audit SET subject = NULL WHERE id = 3", 3),
        ("DELETE FROM audit WHERE id = 1", 2),
    ],
)
def test_a_change_of_the_audit_shows(store, change, broken):
    """At the entry itself, or at the next where one is missing."""
    for key in ("1", "2", "3"):
        store.receive(received(key), MODEL)
    with store.database.writing() as session:
        assert first_broken(session) is None
        lite = store.database.is_sqlite
        for trigger in ["audit_update", "audit_delete"] if lite else ["audit_append_only ON audit"]:
            session.execute(text(f"DROP TRIGGER {trigger}"))
        session.execute(text(change))
        assert first_broken(session) == broken
