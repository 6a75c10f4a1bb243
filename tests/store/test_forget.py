"""Forgetting deletes all of an image, also when it is interrupted; targets keep their copies, the audit its entries."""

import itertools
from contextlib import contextmanager

import pytest
from sqlalchemy import event, select

from cxrmodel.errors import StoreError
from cxrmodel.messages import Message
from cxrmodel.store.audit import AuditEvent, first_broken, pseudonym
from cxrmodel.store.forget import Copy, OfPatient, OfStudy, OlderThan, drop_files, forget, forgettable, sweep
from cxrmodel.store.models import AuditRow, ImageRow
from cxrmodel.store.store import Store
from tests.support.stored import MODEL, READ, received, report, rows_of

ONE = OfPatient("P1", "A")


def fill(store: Store) -> dict[str, str]:
    """Patients 1 of two issuers, and 2; the first has one result sent and one pending. Files by key."""
    files = {}
    for key, patient, issuer in (("11", "P1", "A"), ("12", "P1", "A"), ("13", "P1", "B"), ("21", "P2", "A")):
        files[key] = store.files.keep(f"file {key}".encode())
        image = received(key, files[key], patient_id=patient, issuer=issuer, study_uid=f"{key[0]}.{key}")
        store.receive(image, MODEL)
        store.finish(store.lease("w", MODEL, 60), READ, [report(f"{key}.9")], ["pacs", "archive"])
    assert store.delivered(store.lease_delivery("w", "pacs", 60))
    return files


@pytest.mark.parametrize(
    ("selection", "images", "pending"),
    [
        (ONE, ["11", "12"], 3),
        (OfPatient("P1"), ["11", "12", "13"], 5),
        (OfPatient("P1", ""), [], 0),
        (OfPatient("nobody"), [], 0),
        (OfStudy("1.12"), ["12"], 2),
        (OlderThan(0), ["11", "12", "13", "21"], 7),
        (OlderThan(1), [], 0),
    ],
)
def test_all_of_the_chosen_images_goes(store, selection, images, pending):
    """And nothing of any other."""
    files, store_before = fill(store), rows_of(store)
    found = forgettable(store, selection)
    assert (found.images, found.readings, found.objects, found.pending) == (*[len(images)] * 3, pending)
    assert found.copies == ((Copy("pacs", "11.9"),) if "11" in images else ())
    assert rows_of(store) == store_before
    assert forget(store, selection) == found
    assert forgettable(store, selection).is_empty
    left = rows_of(store)
    for table in ("image", "job", "reading", "object"):
        assert left[table] == 4 - len(images)
    assert left["delivery"] == 2 * (4 - len(images))
    assert store.known(files, MODEL) == set(files) - set(images)
    for key, sha256 in files.items():
        assert store.files.path(sha256).exists() == (key not in images)


def test_old_refusals_go_with_old_images(store, clock):
    """They name their inbox and their reason."""
    store.reject("scp", Message("imaging.empty"))
    clock.move(3 * 86400)
    store.reject("scp", Message("imaging.empty"))
    assert forget(store, OlderThan(2)).refusals == 1
    assert store.state().refusals == {"imaging.empty": 1}


def test_the_audit_stays_and_loses_the_image(store):
    """Its entries have the pseudonym; the key that leads to it is gone."""
    fill(store)
    with store.database.reading() as session:
        key = session.scalars(select(ImageRow.pseudonym_key).where(ImageRow.key == "11")).one()
    forget(store, ONE)
    with store.database.reading() as session:
        entries = session.scalars(
            select(AuditRow).where(AuditRow.subject == pseudonym(key, "11")).order_by(AuditRow.id)
        )
        assert [entry.event for entry in entries] == [
            AuditEvent.RECEIVED,
            AuditEvent.READ,
            AuditEvent.DELIVERED,
            AuditEvent.FORGOTTEN,
        ]
        assert key not in session.scalars(select(ImageRow.pseudonym_key)).all()
        assert first_broken(session) is None


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_the_database_file_keeps_nothing_of_it(store):
    """Neither the file nor the log of its last changes."""
    image = received("1.2.777.1", store.files.keep(b"x"), patient_id="HIDDEN-PATIENT")
    store.receive(image, MODEL)
    everything = lambda: b"".join(path.read_bytes() for path in store.folder.glob("store.sqlite*"))  # noqa: E731
    assert b"HIDDEN-PATIENT" in everything()
    forget(store, OfPatient("HIDDEN-PATIENT"))
    assert b"HIDDEN-PATIENT" not in everything()
    assert b"1.2.777.1" not in everything()


class Killed(BaseException):
    """The process ends here."""


@contextmanager
def killed_at(store: Store, monkeypatch, step: int):
    """End the process before its step-th statement or deletion of a file."""
    steps = itertools.count()

    def count(*_: object) -> None:
        if next(steps) == step:
            raise Killed

    delete = store.files.delete
    with monkeypatch.context() as patched:
        patched.setattr(store.files, "delete", lambda sha256: (count(), delete(sha256)))
        event.listen(store.database.engine, "before_cursor_execute", count)
        try:
            yield
        finally:
            event.remove(store.database.engine, "before_cursor_execute", count)


def test_forgetting_can_be_interrupted_anywhere(open_again, monkeypatch, tmp_path):
    """Run again, it comes to the same end."""
    store, step, interrupted = open_again(), 0, True
    while interrupted:
        files = {}
        for key in ("1", "2"):
            name = f"{step}.{key}"
            files[key] = store.files.keep(name.encode())
            store.receive(received(name, files[key], patient_id=f"{step}P{key}"), MODEL)
            store.finish(store.lease("w", MODEL, 60), READ, [report(f"{name}.9")], ["pacs"])
        before, chosen = rows_of(store), OfPatient(f"{step}P1")
        try:
            with killed_at(store, monkeypatch, step):
                forget(store, chosen)
            interrupted = False
        except Killed:
            forget(store, chosen)
        after = rows_of(store)
        changed = {table: before[table] - after[table] for table in before if table not in ("audit",)}
        assert {table: count for table, count in changed.items() if count} == {
            "image": 1,
            "job": 1,
            "reading": 1,
            "object": 1,
            "delivery": 1,
        }
        assert (store.files.path(files["1"]).exists(), store.files.path(files["2"]).exists()) == (False, True)
        step += 3 if interrupted else 0
    assert step > 10


def test_a_worker_that_reads_what_is_forgotten_stores_nothing(store):
    """Its lease is gone with the job."""
    store.receive(received("1", store.files.keep(b"x"), patient_id="P1", issuer="A"), MODEL)
    job = store.lease("w", MODEL, 60)
    forget(store, ONE)
    with pytest.raises(StoreError) as caught:
        store.files.read(job.image.sha256)
    assert caught.value.message == Message("store.file_missing")
    assert not store.finish(job, READ, [report("9")], ["pacs"])
    assert not store.retry(job, "store.file_missing", 1)
    assert {table: count for table, count in rows_of(store).items() if count} == {"audit": 3, "store": 1}


def test_files_go_once_their_images_are_read(store, clock):
    """After the days of the setting; those that may be read again stay."""
    files = {key: store.files.keep(key.encode()) for key in ("read", "failed", "waiting")}
    for key in files:
        store.receive(received(key, files[key]), MODEL)
    store.finish(store.lease("w", MODEL, 60), READ, [], [])
    store.give_up(store.lease("w", MODEL, 60), "store.busy")
    clock.move(86400)
    assert drop_files(store, 2) == 0
    assert drop_files(store, 1) == 1
    assert [key for key in files if store.files.path(files[key]).exists()] == ["failed", "waiting"]
    assert drop_files(store, 0) == 0
    # Another model needs the file again.
    assert store.files.keep(b"read") == files["read"]
    assert store.receive(received("read", files["read"]), "other")
    assert drop_files(store, 0) == 0


def test_files_without_an_image_go(store):
    """Also unfinished ones; those that are still new stay."""
    kept, orphan = store.files.keep(b"kept"), store.files.keep(b"orphan")
    store.receive(received("1", kept), MODEL)
    unfinished = store.files.path(orphan).with_name(f"{orphan[:2]}0123456789abcdef.part")
    unfinished.write_bytes(b"half")
    assert sweep(store) == 0
    assert sweep(store, seconds=-1) == 2
    assert [path.name for path in store.files.folder.glob("*/*")] == [kept]


@pytest.mark.parametrize("selection", [OfPatient("P1"), OfStudy("1.1"), OlderThan(0)])
def test_an_image_without_a_file_is_forgotten(store, selection):
    """What was skipped was never kept; what was dropped is gone already."""
    store.receive(received("1", "", patient_id="P1"), MODEL, skipped=Message("exchange.skipped.age"))
    dropped = store.files.keep(b"dropped")
    store.receive(received("2", dropped, patient_id="P1", study_uid="1.1"), MODEL)
    store.finish(store.lease("w", MODEL, 60), READ, [], [])
    assert drop_files(store, 0) == 1
    assert forget(store, selection).images == 2
    assert forgettable(store, selection).is_empty


def test_an_image_that_was_skipped_is_read_by_a_model_that_wants_it(store):
    """It is whose the file says that came then, and goes with that."""
    store.receive(received("1", "", patient_id=""), MODEL, skipped=Message("exchange.skipped.patient_id"))
    sha256 = store.files.keep(b"image")
    assert store.receive(received("1", sha256, patient_id="P1"), "other")
    job = store.lease("w", "other", 60)
    assert (store.files.read(job.image.sha256), job.image.patient_id) == (b"image", "P1")
    store.finish(job, READ, [], [])
    assert drop_files(store, 0) == 1
    store.receive(received("1", "", patient_id=""), "third", skipped=Message("exchange.skipped.patient_id"))
    assert store.files.keep(b"image") == sha256
    assert forget(store, OfPatient("P1")).images == 1
