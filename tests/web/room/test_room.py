"""The images of a session: their order, their outcomes, and what the user does with them."""

import gc
import threading
import time
import weakref
from datetime import UTC, datetime

import numpy as np
import pytest

from cxrmodel.errors import MissingWeights
from cxrmodel.imaging.radiograph import MAX_BYTES
from cxrmodel.imaging.repairs import Repairs
from cxrmodel.messages import Message
from cxrmodel.web.room import memory
from cxrmodel.web.room import room as rooms
from cxrmodel.web.room.room import Announced, Room
from tests.support.hostile import HOSTILE, is_contained
from tests.support.rooms import announce, give, names, settle, statuses, until
from tests.support.stand_ins import FakeReader


@pytest.fixture
def coded(make_image, png):
    """Four different images as files."""
    return [png(make_image(seed, (40, 50))) for seed in range(4)]


class Waits(FakeReader):
    """A reader at which every reading waits until it may go on."""

    def __init__(self):
        super().__init__()
        self.begun, self.may = threading.Event(), threading.Event()

    def read(self, data, name, *given, **also):
        """Begins, and waits."""
        self.begun.set()
        assert self.may.wait(60)
        return super().read(data, name, *given, **also)


class Busy(FakeReader):
    """A reader whose queue is long: it tells the place until no one waits any more."""

    def read(self, data, name, client=None, notify=None, repairs=None):
        """Never gets its turn."""
        while True:
            notify(7)
            time.sleep(0.001)


def test_every_file_has_a_row_in_the_order_of_its_announcement(room, coded):
    """Images that are read, refused and failed all have a row, whichever comes first over the network."""
    ids = announce(room, "a.png", "b.txt", "c.png", "d.png")
    for row_id, data in reversed(list(zip(ids, [coded[0], b"text", b"break", b""], strict=True))):
        room.fill(row_id, data)
    settle(room)
    assert names(room) == ["a.png", "b.txt", "c.png", "d.png"]
    assert statuses(room) == ["read", "refused", "failed", "refused"]
    assert room.rows()[0].reading.probability == 0.87
    assert room.rows()[3].reason == Message("imaging.empty")


def test_announcing_and_sending_twice_changes_nothing(room, coded):
    """A browser that is not sure tries again."""
    (row_id,) = announce(room, "a.png")
    for _ in range(2):
        room.announce([Announced(row_id, "a.png", 1)])
        room.fill(row_id, coded[0])
    settle(room)
    assert room.reserve(row_id, 1) is None
    assert statuses(room) == ["read"]


def test_files_that_cannot_be_taken_have_a_row_with_the_reason(room, monkeypatch):
    """One that is too large, and one too many; the browser need not send them."""
    monkeypatch.setattr(rooms, "MOST_ROWS", 1)
    announce(room, "large.dcm", size=MAX_BYTES + 1)
    announce(room, "more.png")
    assert [row.reason.code for row in room.rows()] == ["imaging.too_many_bytes", "web.room.full"]
    assert [(row.status, row.wanted) for row in room.rows()] == [("refused", False)] * 2


def test_files_wait_for_the_model(coded):
    """What is dropped before a page has loaded the model is read once it has."""
    room = Room("browser")
    (row_id,) = announce(room, "a.png")
    room.fill(row_id, coded[0])
    assert statuses(room) == ["waiting"]
    room.use(FakeReader())
    settle(room)
    assert statuses(room) == ["read"]


def test_the_same_bytes_share_one_reading(room, coded):
    """A copy has its own row and name, is not read again, and takes no memory."""
    give(room, ("a.png", coded[0]), ("b.png", coded[1]))
    taken = room.image_bytes()
    give(room, ("copy.png", coded[0]))
    first, copy = room.rows()[0], room.rows()[2]
    assert room._reader.read_names == ["a.png", "b.png"]
    assert copy.reading.name == "copy.png"
    assert copy.read_at == first.read_at
    assert np.shares_memory(copy.reading.radiograph.pixels, first.reading.radiograph.pixels)
    assert room.image_bytes() == taken


def test_unexpected_error_gives_a_reference_and_hides_the_rest(room, caplog):
    """The sentence holds the reference number that the log has, and neither holds a name or a trace."""
    give(room, ("Jane Doe.png", b"break"))
    reason = room.rows()[0].reason
    assert reason.code == "web.read.failed"
    assert f"reference {reason.values['reference']}: RuntimeError" in caplog.text
    for text in (str(reason), caplog.text):
        assert "Jane" not in text
        assert "inner detail" not in text
        assert "Traceback" not in text


def test_error_of_ours_that_is_no_refusal_keeps_its_sentence(coded):
    """An error by name that is not about the image is a failure, in its own words."""

    class WithoutWeights(FakeReader):
        def read(self, *given, **also):
            raise MissingWeights("model.missing_file", path="gone")

    room = Room("browser")
    room.use(WithoutWeights())
    give(room, ("a.png", coded[0]))
    assert (room.rows()[0].status, room.rows()[0].reason) == ("failed", Message("model.missing_file", path="gone"))


def test_a_failed_file_can_be_read_again(room, coded):
    """The browser is asked for it once more; what was refused stays so."""
    failed, refused = give(room, ("a.png", b"break"), ("b.txt", b"text"))
    room.again(failed)
    room.again(refused)
    assert [(row.status, row.wanted) for row in room.rows()] == [("waiting", True), ("refused", False)]
    room.fill(failed, coded[0])
    settle(room)
    assert statuses(room) == ["read", "refused"]


def test_a_file_that_the_browser_cannot_read_says_so(room):
    """It may have been moved since it was announced."""
    (row_id,) = announce(room, "a.png")
    room.lose(row_id)
    assert (room.rows()[0].status, room.rows()[0].reason) == ("failed", Message("web.room.lost"))


def test_row_knows_when_it_was_read(room, coded):
    """The time of reading is local, has a time zone, and is between the times before and after."""
    before = datetime.now(UTC)
    give(room, ("a.png", coded[0]))
    read_at = room.rows()[0].read_at
    assert before <= read_at <= datetime.now(UTC)
    assert read_at.utcoffset() == read_at.astimezone().utcoffset()


def test_thumbnail_is_small(room, coded):
    """It is a picture of a few kilobytes in the row itself."""
    give(room, ("a.png", coded[0]))
    shown = room.state(0)["rows"][0]
    assert shown["thumb"].startswith("data:image/jpeg;base64,")
    assert len(shown["thumb"]) < 8000


def test_the_browser_gets_what_changed_and_nothing_else(room, coded):
    """After a version come the rows that changed since, and the order where it did."""
    a, b = give(room, ("a.png", coded[0]), ("b.png", coded[1]))
    known = room.state(0)
    assert known["order"] == [a, b]
    assert [row["status"] for row in known["rows"]] == ["read", "read"]
    room.annotate(b, mark="agree", note="as seen")
    later = room.state(known["version"])
    assert later["order"] is None
    assert [(row["id"], row["mark"], row["note"]) for row in later["rows"]] == [(b, "agree", "as seen")]


def test_a_late_choice_changes_nothing(room, coded):
    """Requests that overtake one another end with what the user did last."""
    a, b = give(room, ("a.png", coded[0]), ("b.png", coded[1]))
    room.select(b, 2)
    room.select(a, 1)
    room.set_prevalence(0.2, 5)
    room.set_prevalence(0.1, 4)
    assert room.selected().id == b
    assert room.prevalence == 0.2


def test_cancel_stops_what_waits(coded):
    """What is read already stays; what waits for other sessions is given up; a cancelled row can be read later."""
    room = Room("browser")
    room.use(Busy())
    a, b, c = announce(room, "a.png", "b.png", "c.png")
    room.fill(a, coded[0])
    until(lambda: room.place == 7)
    room.fill(b, coded[1])
    room.cancel()
    settle(room)
    assert statuses(room) == ["cancelled"] * 3
    assert room.waiting_bytes() == 0
    assert room.reserve(c, 1) is None
    room.use(FakeReader())
    room.again(b)
    room.fill(b, coded[1])
    settle(room)
    assert statuses(room) == ["cancelled", "read", "cancelled"]


def test_undo_brings_rows_back_to_where_they_were(room, coded):
    """With their images and marks, between those that stayed and before those that came later."""
    files = [(f"{place}.png", data) for place, data in enumerate(coded)]
    ids = give(room, *files[:3])
    room.annotate(ids[1], mark="disagree")
    room.select(ids[1])
    room.remove([ids[0], ids[1]])
    assert names(room) == ["2.png"]
    assert room.selected().id == ids[2]
    give(room, files[3])
    room.undo()
    assert names(room) == ["0.png", "1.png", "2.png", "3.png"]
    assert room.rows()[1].mark == "disagree"
    assert all(row.has_image for row in room.rows())
    room.undo()
    assert len(room.rows()) == 4


def test_undo_of_clear_goes_on_with_what_waited(coded):
    """Rows that waited are wanted again; a demo image comes from the disk once more."""
    room, reader = Room("browser"), Waits()
    room.use(reader)
    a, b = announce(room, "a.png", "b.png")
    room.fill(a, coded[0])
    assert reader.begun.wait(60)
    room.fill(b, coded[1])
    room.clear()
    reader.may.set()
    room.undo()
    until(lambda: room.rows()[0].status == "read")
    assert [(row.status, row.wanted) for row in room.rows()] == [("read", False), ("waiting", True)]
    room.fill(b, coded[1])
    settle(room)
    assert statuses(room) == ["read", "read"]


def test_what_was_removed_is_forgotten_after_a_while(room, coded, monkeypatch):
    """Undo is for a slip, not for keeping images."""
    monkeypatch.setattr(rooms, "UNDO_SECONDS", 0.05)
    give(room, ("a.png", coded[0]))
    room.clear()
    until(lambda: room.image_bytes() == 0)
    room.undo()
    assert room.rows() == []


def test_demo_image_is_read_from_the_disk(room, coded, tmp_path):
    """Asking twice makes one row."""
    path = tmp_path / "demo.png"
    path.write_bytes(coded[0])
    room.add_demo("row-demo", "Demo", path)
    room.add_demo("row-demo", "Demo", path)
    settle(room)
    assert [(row.name, row.status) for row in room.rows()] == [("Demo", "read")]


def test_released_image_keeps_its_numbers_and_comes_back(room, coded, monkeypatch):
    """Row, thumbnail, numbers and shares stay; the same file gives the pixels again, to its copies too."""
    monkeypatch.setattr(rooms, "MOST_IMAGES", 1)
    a, *_ = give(room, ("a.png", coded[0]), ("copy.png", coded[0]), ("b.png", coded[1]))
    first, twin, last = room.rows()
    assert (first.released, twin.released, last.released) == (True, True, False)
    assert room.image_bytes() == last.bytes
    assert first.reading.shares == last.reading.shares is not None
    assert first.reading.at(0.2).shares == first.reading.shares
    assert first.reading.attribution == last.reading.attribution
    assert first.reading.radiograph.pixels.shape == (40, 50)
    assert first.as_json()["probability"] == 0.87
    room.again(a)
    assert room.rows()[0].status == "read"
    room.fill(a, coded[0])
    settle(room)
    assert (first.has_image, twin.has_image, last.has_image) == (True, True, False)
    assert twin.reading.name == "copy.png"


def test_the_selected_image_is_never_released(room, coded, monkeypatch):
    """However little memory there is; what was removed goes first."""
    monkeypatch.setattr(rooms, "MOST_MEGABYTES", 0)
    (a,) = give(room, ("a.png", coded[0]))
    room.select(a)
    room.again(a)
    room.fill(a, coded[0])
    give(room, ("b.png", coded[1]), ("c.png", coded[2]))
    assert [row.has_image for row in room.rows()] == [True, False, False]


def test_what_was_removed_makes_room_first(room, coded, monkeypatch):
    """Its numbers can still come back."""
    monkeypatch.setattr(rooms, "MOST_IMAGES", 2)
    ids = give(room, *((f"{place}.png", data) for place, data in enumerate(coded[:2])))
    room.remove([ids[1]])
    give(room, ("c.png", coded[2]))
    assert [row.has_image for row in room.rows()] == [True, True]
    room.undo()
    assert [row.has_image for row in room.rows()] == [True, False, True]


def test_waiting_files_have_a_budget(room, monkeypatch):
    """One that does not fit waits in the browser; one alone always fits."""
    monkeypatch.setattr(rooms, "WAITING", memory.Waiting(100, 50))
    a, b = announce(room, "a.png", "b.png")
    assert room.reserve(a, 70)
    assert room.reserve(b, 1) is False
    room.release(a)
    assert room.reserve(b, 1)


def test_session_that_ends_takes_its_images_with_it(coded):
    """Neither the thread nor a timer holds the room: it goes in the middle of a reading, too."""
    reader = Waits()
    room = Room("browser")
    room.use(reader)
    (row_id,) = announce(room, "a.png")
    room.fill(row_id, coded[0])
    assert reader.begun.wait(60)
    gone = weakref.ref(room)
    room.remove(announce(room, "b.png"))
    del room
    gc.collect()
    assert gone() is None
    reader.may.set()
    until(lambda: not any(thread.name == "reads images" for thread in threading.enumerate()))
    assert reader.read_names == ["a.png"]


def test_session_that_ends_gives_up_its_place(coded):
    """Its file does not wait for its turn any longer."""
    room = Room("browser")
    room.use(Busy())
    (row_id,) = announce(room, "a.png")
    room.fill(row_id, coded[0])
    kept = [room]
    until(lambda: kept[0].place == 7)
    kept.clear()
    del room
    until(lambda: gc.collect() >= 0 and not any(t.name == "reads images" for t in threading.enumerate()))


def test_names_and_reasons_are_data(room, coded):
    """Whatever a file is called: its row holds nothing that moves, hides or imitates what the page says."""
    give(room, *((name, (coded[0], b"no picture", b"break")[place % 3]) for place, name in enumerate(HOSTILE.values())))
    for row in room.state(0)["rows"]:
        assert is_contained(row["name"])
        assert is_contained(row["reason"] or "")
        assert 250 * "a" not in row["name"]


def test_an_error_of_the_thread_itself_ends_no_session(room, coded, monkeypatch, caplog):
    """What it read has failed, with a reference; the files after it are read."""
    known, broken = room.known, []

    def once(job):
        if not broken:
            broken.append(job.name)
            raise MemoryError(job.name)
        return known(job)

    monkeypatch.setattr(room, "known", once)
    give(room, ("Jane Doe.png", coded[0]), ("b.png", coded[1]))
    assert statuses(room) == ["failed", "read"]
    assert "Jane" not in caplog.text + str(room.rows()[0].reason)


def test_an_outcome_from_before_a_repair_does_not_count(coded, monkeypatch):
    """The image is released, comes back, and is repaired meanwhile: the record and the reading are of one image."""
    reader = Waits()
    room = Room("browser")
    room.use(reader)
    reader.may.set()
    (row_id,) = give(room, ("a.png", coded[0]))
    room.row(row_id).release()
    reader.may.clear()
    reader.begun.clear()
    room.again(row_id)
    assert room.reserve(row_id, len(coded[0]))
    room.fill(row_id, coded[0])
    assert reader.begun.wait(60)
    room.repair(row_id, Repairs.parse("flip"))
    reader.may.set()
    settle(room)
    row = room.row(row_id)
    assert (row.status, row.wanted, row.reading) == ("waiting", True, None)
    room.fill(row_id, coded[0])
    settle(room)
    assert room.row(row_id).identity.endswith(",flip")
