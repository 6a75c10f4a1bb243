"""A database that is down, a disk that is full: one clear error, nothing lost, and on it goes afterwards."""

import threading
import time

import pytest
from sqlalchemy import event, text

from cxrmodel.errors import StoreError, StoreUnavailable
from cxrmodel.messages import Message
from cxrmodel.store.records import JobState
from cxrmodel.store.store import Store
from tests.support.full_disk import disk_with
from tests.support.postgres import make_postgres
from tests.support.stored import MODEL, READ, received, report, rows_of


@pytest.fixture
def own_postgres(strict_skip):
    """A server for one test, which may stop it."""
    server = make_postgres(strict_skip)
    try:
        yield server.start()
    finally:
        server.remove()


def test_a_crash_of_the_database_loses_nothing(own_postgres, tmp_path):
    """The same store goes on once it is back."""
    store = Store.open(own_postgres.database(), tmp_path / "data")
    store.receive(received("1"), MODEL)
    job = store.lease("w", MODEL, 600)
    own_postgres.stop("immediate")
    for act in (
        store.check,
        store.state,
        lambda: store.receive(received("2"), MODEL),
        lambda: store.finish(job, READ, [report("9")], ["pacs"]),
        lambda: store.lease("w", MODEL, 1),
    ):
        with pytest.raises(StoreUnavailable):
            act()
    own_postgres.start()
    assert store.receive(received("2"), MODEL)
    assert store.finish(job, READ, [report("9")], ["pacs"])
    assert store.state().jobs[JobState.READ] == 1
    store.close()


def test_a_crash_in_a_transaction_leaves_none_of_it(own_postgres, tmp_path):
    """All of a result is stored, or nothing."""
    store = Store.open(own_postgres.database(), tmp_path / "data")
    store.receive(received("1"), MODEL)
    job, before = store.lease("w", MODEL, 600), rows_of(store)

    def crash(connection, cursor, statement, *_: object) -> None:
        if "INSERT INTO delivery" in statement:
            own_postgres.stop("immediate")

    event.listen(store.database.engine, "before_cursor_execute", crash)
    with pytest.raises(StoreUnavailable):
        store.finish(job, READ, [report("9")], ["pacs"])
    event.remove(store.database.engine, "before_cursor_execute", crash)
    own_postgres.start()
    assert rows_of(store) == before
    assert store.finish(job, READ, [report("9")], ["pacs"])
    store.close()


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_full_disk_of_the_database_loses_nothing(store):
    """The result waits with its worker, and is stored once there is space."""
    store.receive(received("1"), MODEL)
    job, before = store.lease("w", MODEL, 60), rows_of(store)
    with store.database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count=1")  # of this connection, which the pool gives again
    with pytest.raises(StoreUnavailable) as caught:
        store.finish(job, READ, [report("9", b"x" * 200_000)], ["pacs"])
    assert caught.value.message == Message("store.disk_full")
    assert rows_of(store) == before
    with store.database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count=1000000")
    assert store.finish(job, READ, [report("9", b"x" * 200_000)], ["pacs"])


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_full_disk_of_the_files_leaves_nothing(store):
    """Neither half a file nor a job; the sender was not answered and comes again."""
    with disk_with(1000), pytest.raises(StoreUnavailable) as caught:
        store.files.keep(b"x" * 2000)
    assert caught.value.message == Message("store.disk_full")
    assert [path for path in store.files.folder.rglob("*") if path.is_file()] == []
    assert store.files.read(store.files.keep(b"x" * 2000)) == b"x" * 2000


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_damaged_file_is_not_read(store):
    """What is read is what was received."""
    sha256 = store.files.keep(b"image")
    store.files.path(sha256).write_bytes(b"other")
    with pytest.raises(StoreError) as caught:
        store.files.read(sha256)
    assert caught.value.message == Message("store.file_damaged")


def test_a_writer_that_holds_the_database_only_delays_others(open_again):
    """They wait their turn."""
    store, other = open_again(), open_again()
    store.receive(received("1"), MODEL)
    started, leased = threading.Event(), []

    def hold() -> None:
        with other.database.writing() as session:
            session.execute(text("UPDATE store SET id = id"))
            started.set()
            time.sleep(0.3)

    holder = threading.Thread(target=hold)
    holder.start()
    started.wait()
    leased.append(store.lease("w", MODEL, 60))
    holder.join()
    assert leased[0].image.key == "1"
