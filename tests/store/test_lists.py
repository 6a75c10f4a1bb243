"""Work lists: each browser has its own; files go after their time, and lists that nobody opens any more."""

from dataclasses import replace

import pytest

from cxrmodel.errors import StoreError
from cxrmodel.store.forget import OfPatient, OfStudy, OlderThan, forget, forgettable, sweep
from cxrmodel.store.lists import Lists
from cxrmodel.store.records import Entry, KeptList
from cxrmodel.store.store import Store
from tests.support.stored import rows_of

DAY = 86400.0


@pytest.fixture
def lists(store) -> Lists:
    """The lists of an empty store."""
    return Lists(store)


def entry(entry_id: str, **values) -> Entry:
    """A row that was read."""
    given = {
        "name": f"{entry_id}.png",
        "size": 3,
        "status": "read",
        "demo": "",
        "sha256": "",
        "has_file": False,
        "repairs": ("invert",),
        "result": {"probability": 0.25},
        "reason": None,
        "read_at": None,
        "thumbnail": None,
        "seen": False,
        "mark": None,
        "note": "",
    }
    return Entry(entry_id, **(given | values))


def save(lists: Lists, browser: str, *entries: Entry) -> None:
    """Store the list of a browser for the first time."""
    ids = [one.id for one in entries]
    kept = KeptList(entries, 0.5, ids[0] if ids else None)
    assert lists.save(browser, kept, {one: place for place, one in enumerate(ids)}, ids, ()) == set()


def test_a_list_comes_back_to_its_browser_alone(lists):
    """In its order, with what the user chose and thought."""
    entries = (entry("b", mark="agree", note="look again"), entry("a", seen=True))
    save(lists, "mine", *entries)
    assert lists.load("mine") == KeptList(entries, 0.5, "b")
    assert lists.load("another") is None
    assert lists.load("") is None


def test_the_cookie_is_not_stored(lists):
    """Who reads the store cannot take a browser's place."""
    save(lists, "secret-cookie", entry("a"))
    if lists.database.is_sqlite:
        assert b"secret-cookie" not in b"".join(path.read_bytes() for path in lists.store.folder.glob("store.sqlite*"))
    with lists.database.reading() as session:
        assert "secret-cookie" not in str(session.connection().exec_driver_sql("SELECT * FROM session").all())


def test_changes_are_stored(lists):
    """A changed row, another order, a removed row, a mark taken back."""
    save(lists, "mine", entry("a", mark="agree"), entry("b"), entry("c"))
    changed = replace(entry("a"), seen=True)
    kept = KeptList((changed,), 0.2, "c")
    assert lists.save("mine", kept, {"c": 0, "a": 1}, (), {"b"}) == set()
    assert lists.load("mine") == KeptList((entry("c"), changed), 0.2, "c")
    assert rows_of(lists.store)["feedback"] == 0


def test_what_was_forgotten_does_not_come_back(lists):
    """A page that still has it hears of it."""
    save(lists, "mine", entry("a", patient_id="P1"), entry("b"))
    forget(lists.store, OfPatient("P1"))
    kept = KeptList((entry("a", patient_id="P1"), entry("b")), 0.5, None)
    assert lists.save("mine", kept, {}, (), ()) == {"a"}
    assert [one.id for one in lists.load("mine").entries] == ["b"]


@pytest.mark.parametrize(
    ("selection", "left"),
    [
        (OfPatient("P1"), ["b", "c"]),
        (OfPatient("P1", "B"), ["a", "b", "c"]),
        (OfStudy("1.2"), ["a", "c"]),
        (OlderThan(0), []),
        (OlderThan(1), ["a", "b", "c"]),
    ],
)
def test_forgetting_reaches_the_lists(lists, selection, left):
    """By patient, study and age, with the files that no other row has."""
    shared, own = lists.files.keep(b"shared"), lists.files.keep(b"own")
    save(
        lists,
        "mine",
        entry("a", patient_id="P1", issuer="A", sha256=own, has_file=True, note="x"),
        entry("b", study_uid="1.2", sha256=shared, has_file=True),
    )
    save(lists, "yours", entry("c", sha256=shared, has_file=True))
    assert forgettable(lists.store, selection).entries == 3 - len(left)
    forget(lists.store, selection)
    found = [one.id for browser in ("mine", "yours") for one in lists.load(browser).entries]
    assert found == left
    assert lists.files.path(own).exists() == ("a" in left)
    assert lists.files.path(shared).exists() == ("c" in left)


def test_a_browser_forgets_its_own(lists):
    """Rows, notes, files; nothing of others."""
    shared, own = lists.files.keep(b"shared"), lists.files.keep(b"own")
    save(lists, "mine", entry("a", sha256=own, has_file=True, note="x"), entry("b", sha256=shared, has_file=True))
    save(lists, "yours", entry("c", sha256=shared, has_file=True, note="y"))
    lists.forget("mine")
    assert lists.load("mine") is None
    assert [one.note for one in lists.load("yours").entries] == ["y"]
    assert (lists.files.path(own).exists(), lists.files.path(shared).exists()) == (False, True)
    lists.forget("mine")


def test_files_and_lists_end_with_their_time(lists, clock):
    """The file first, with its small picture; the list when nobody has opened it for its own time."""
    sha256 = lists.files.keep(b"image")
    save(lists, "mine", entry("a", sha256=sha256, has_file=True, thumbnail="data:image/jpeg;base64,AA"))
    clock.move(6 * DAY)
    assert lists.expire(7, 30) == (0, 0)
    clock.move(DAY)
    assert lists.expire(7, 30) == (1, 0)
    (left,) = lists.load("mine").entries  # which is a use
    assert (left.has_file, left.thumbnail, left.result) == (False, None, {"probability": 0.25})
    with pytest.raises(StoreError):
        lists.files.read(sha256)
    clock.move(29 * DAY)
    assert lists.expire(7, 30) == (0, 0)
    clock.move(DAY)
    assert lists.expire(7, 30) == (0, 1)
    assert lists.load("mine") is None


def test_files_without_a_row_go(lists):
    """A page ended between the two."""
    kept, orphan = lists.files.keep(b"kept"), lists.files.keep(b"orphan")
    save(lists, "mine", entry("a", sha256=kept, has_file=True))
    assert sweep(lists.store) == 0
    assert sweep(lists.store, seconds=-1) == 1
    assert (lists.files.path(kept).exists(), lists.files.path(orphan).exists()) == (True, False)


def test_an_older_store_is_upgraded_on_request(url, tmp_path, monkeypatch):
    """Opening it refuses with a sentence; what it holds stays."""
    from alembic import command

    from cxrmodel.store import schema
    from tests.support.stored import MODEL, received

    upgrade = command.upgrade
    with monkeypatch.context() as patched:
        patched.setattr(command, "upgrade", lambda configuration, _: upgrade(configuration, "0001"))
        patched.setattr(schema, "newest", lambda: "0001")
        store = Store.open(url, tmp_path)
        store.receive(received("1"), MODEL)
        store.close()
    with pytest.raises(StoreError) as caught:
        Store.open(url, tmp_path)
    assert caught.value.message.code == "store.older"
    store = Store.open(url, tmp_path, upgrade=True)
    assert store.known({"1"}, MODEL) == {"1"}
    assert Lists(store).load("mine") is None
    store.close()
    Store.open(url, tmp_path).close()
