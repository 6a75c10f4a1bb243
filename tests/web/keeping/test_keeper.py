"""A list is kept while it changes, comes back to the browser that it belongs to, and to no other."""

import numpy as np
import pytest

from cxrmodel.errors import StoreUnavailable
from cxrmodel.store.lists import Lists
from cxrmodel.store.store import Store
from cxrmodel.web.keeping.keeper import Keeper
from cxrmodel.web.room.rooms import open_room
from tests.support.rooms import announce, give, names, settle, statuses, until
from tests.support.stand_ins import FakeReader


@pytest.fixture
def lists(tmp_path):
    """The lists of an empty store."""
    store = Store.open(None, tmp_path / "data")
    yield Lists(store)
    store.close()


@pytest.fixture
def open_page(lists):
    """A function that opens a page of a browser, whose earlier pages are still open unless ``left``."""
    pages = []

    def open_one(browser: str = "mine", images: bool = False, left: bool = False):
        room = open_room(browser, lambda cookie: Keeper(lists, cookie, images), lambda _: left)
        pages.append(room)
        room.use(FakeReader())
        return room

    return open_one


@pytest.fixture
def files(make_image, png) -> list[tuple[str, bytes]]:
    """Three images."""
    return [(f"{number}.png", png(make_image(number, (96, 96)))) for number in range(3)]


def stored(room) -> None:
    """Wait until a room's list is stored as it is now."""
    until(lambda: room.keeper._version == room.version and not room.keeper._working)


def test_a_list_survives_its_server(open_page, files):
    """Rows, readings, marks, notes, order, selection and prevalence."""
    room = open_page()
    ids = give(room, *files)
    room.select(ids[1])
    room.annotate(ids[1], mark="disagree", note="look again")
    room.set_prevalence(0.2)
    room.remove([ids[0]])
    stored(room)
    again = open_page()
    assert again is not room
    assert names(again) == ["1.png", "2.png"]
    first = again.rows()[0]
    assert (first.mark, first.note, first.seen, first.is_gone) == ("disagree", "look again", True, True)
    assert first.reading.probability == room.row(ids[1]).reading.probability
    state = again.state(0)
    assert (state["selected"], state["prevalence"], state["unkept"]) == (ids[1], 0.2, False)


def test_another_browser_sees_nothing_of_it(open_page, files):
    """Nor one without a cookie."""
    stored_room = open_page()
    give(stored_room, *files)
    stored(stored_room)
    assert names(open_page("yours")) == []
    assert open_page("").keeper is None


def test_a_page_loaded_anew_goes_on(open_page, files):
    """With the same room: what is being read is read to its end."""
    room = open_page()
    give(room, *files)
    assert open_page(left=False) is not room
    assert open_page("yours", left=True) is not room
    assert open_page(left=True) is room
    assert all(row.restored and row.has_image and not row.is_gone for row in room.rows())


def test_undo_after_it_was_stored(open_page, files):
    """What comes back is stored again, in its place."""
    room = open_page()
    give(room, *files)
    room.remove([room.rows()[1].id])
    stored(room)
    assert names(open_page()) == ["0.png", "2.png"]
    room.undo()
    stored(room)
    assert names(open_page()) == ["0.png", "1.png", "2.png"]


def test_an_image_that_is_not_kept_comes_back_with_its_file(open_page, files):
    """Nothing else brings it: neither a click nor a repair, which would lose its numbers."""
    room = open_page()
    give(room, files[0])
    stored(room)
    again = open_page()
    (row,) = again.rows()
    again.again(row.id)
    again.repair(row.id, None)
    assert (row.status, row.wanted, row.is_gone) == ("read", False, True)
    give(again, files[0])
    assert [one.has_image for one in again.rows()] == [True, True]


def test_kept_images_are_read_again_without_the_browser(open_page, files, lists):
    """Until their time is over; then the row says so, and stays."""
    room = open_page(images=True)
    give(room, *files)
    stored(room)
    again = open_page(images=True)
    rows = again.rows()
    assert [(row.is_gone, row.thumbnail is not None) for row in rows] == [(False, True)] * 3
    again.again(rows[0].id)
    settle(again)
    assert rows[0].has_image
    assert np.array_equal(rows[0].reading.radiograph.pixels, room.rows()[0].reading.radiograph.pixels)
    lists.expire(0, 1)
    again.again(rows[1].id)
    assert (rows[1].has_image, rows[1].wanted) == (False, True)
    again.lose(rows[1].id)
    assert (rows[1].status, rows[1].is_gone) == ("read", True)


def test_without_images_no_picture_is_stored(open_page, files, lists):
    """Neither file nor small picture."""
    room = open_page()
    give(room, *files)
    stored(room)
    assert {entry.thumbnail for entry in lists.load("mine").entries} == {None}
    assert not lists.files.folder.exists()


def test_files_that_never_arrived_are_asked_for(open_page):
    """The browser that has them no longer says so."""
    room = open_page()
    announce(room, "a.png")
    stored(room)
    again = open_page()
    assert [row.wanted for row in again.rows()] == [True]
    again.lose(again.rows()[0].id)
    assert statuses(again) == ["failed"]


def test_forgetting_leaves_nothing(open_page, files, lists):
    """Here, in the store, on disk, and no way back."""
    room = open_page(images=True)
    give(room, *files)
    room.remove([room.rows()[0].id])
    stored(room)
    room.forget()
    room.keeper.save(room)  # as its thread may, later
    assert lists.load("mine") is None
    assert [path for path in lists.files.folder.rglob("*") if path.is_file()] == []
    room.undo()
    assert names(room) == []
    give(room, files[0])  # and a new list begins
    stored(room)
    assert names(open_page()) == ["0.png"]


def test_rows_forgotten_elsewhere_leave_the_page(open_page, files, lists):
    """With the next change of theirs."""
    room = open_page()
    ids = give(room, *files)
    stored(room)
    lists.forget("mine")
    room.annotate(ids[0], note="still here?")
    until(lambda: names(room) == ["1.png", "2.png"])


def test_a_store_that_is_down_is_named_and_caught_up(open_page, files, lists, monkeypatch):
    """The page works on; what changed meanwhile is stored once the store is back."""
    monkeypatch.setattr("cxrmodel.web.keeping.keeper._FIRST_PAUSE", 0.01)
    room, save = open_page(), lists.save
    broken = [True]

    def fail(*given):
        if broken:
            raise StoreUnavailable("store.busy")
        return save(*given)

    monkeypatch.setattr(lists, "save", fail)
    give(room, *files)
    until(lambda: room.state(0)["unkept"])
    broken.clear()
    until(lambda: not room.state(0)["unkept"])
    stored(room)
    assert names(open_page()) == ["0.png", "1.png", "2.png"]


def test_a_list_that_cannot_be_loaded_is_not_overwritten(open_page, files, lists, monkeypatch):
    """The page begins empty and says that nothing is kept."""
    room = open_page()
    give(room, *files)
    stored(room)

    def fail(_: str) -> None:
        raise StoreUnavailable("store.busy")

    with monkeypatch.context() as patched:
        patched.setattr(lists, "load", fail)
        empty = open_page()
    give(empty, files[0])
    assert (names(empty), empty.state(0)["unkept"]) == (["0.png"], True)
    assert names(open_page()) == ["0.png", "1.png", "2.png"]
