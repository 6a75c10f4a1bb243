"""The images of a session."""

import hashlib
from datetime import UTC, datetime
from types import SimpleNamespace

import numpy as np
import pytest

from cxrmodel.errors import MissingWeights
from cxrmodel.messages import Message
from cxrmodel.web import session
from tests.support.stand_ins import SPEC, FakeReader


@pytest.fixture(autouse=True)
def state(monkeypatch):
    """A session of its own for each test."""
    kept = {}
    monkeypatch.setattr(session, "st", SimpleNamespace(session_state=kept))
    return kept


@pytest.fixture
def coded(make_image, png):
    """Three different images as files."""
    return [png(make_image(seed, (40, 50))) for seed in range(3)]


def take(reader, *files):
    """Give files and read them all; their entries."""
    session.give(files)
    while session.batch().waiting:
        session.read_next(reader)
    return session.take_batch().entries


def test_every_file_gets_an_entry_in_order(coded):
    """Images that are read, refused and failed all have an entry."""
    taken = take(FakeReader(), ("a.png", coded[0]), ("b.txt", b"text"), ("c.png", b"break"), ("d.png", b""))
    assert [entry.status for entry in taken] == ["read", "refused", "failed", "refused"]
    assert taken[0].reading.probability == 0.87
    assert taken[3].reason == Message("imaging.empty")
    assert [entry.reading for entry in taken[1:]] == [None, None, None]


def test_key_is_of_image_weights_and_name(coded):
    """The same image under other weights is another reading; under another name, another entry."""
    (entry,) = take(FakeReader(), ("a.png", coded[0]))
    assert entry.key == f"{hashlib.sha256(coded[0]).hexdigest()} {SPEC.version} a.png"


def test_no_image_is_read_twice(coded):
    """An image dropped again, under whatever name, is not read again."""
    reader = FakeReader()
    first = take(reader, ("a.png", coded[0]), ("b.png", coded[1]))
    again = take(reader, ("a.png", coded[0]), ("copy.png", coded[1]))
    assert reader.read_names == ["a.png", "b.png"]
    assert again[0] is first[0]
    assert (again[1].name, again[1].reading.name, first[1].reading.name) == ("copy.png", "copy.png", "b.png")
    assert again[1].read_at == first[1].read_at
    assert np.shares_memory(again[1].reading.radiograph.pixels, first[1].reading.radiograph.pixels)
    assert [entry.name for entry in session.entries()] == ["copy.png", "b.png", "a.png"]


def test_copies_in_one_batch_are_all_counted(coded):
    """Each file of a batch has its entry, also where its bytes or its name were there before."""
    reader = FakeReader()
    taken = take(reader, ("a.png", coded[0]), ("copy.png", coded[0]), ("a.png", coded[1]), ("b.txt", b"x"), ("c", b"x"))
    assert [(entry.name, entry.status) for entry in taken] == [
        ("a.png", "read"),
        ("copy.png", "read"),
        ("a.png", "read"),
        ("b.txt", "refused"),
        ("c", "refused"),
    ]
    assert len(session.entries()) == 5
    assert reader.read_names == ["a.png", "a.png", "b.txt"]


def test_entry_knows_when_it_was_read(coded):
    """The time of reading is local, has a time zone, and is between the times before and after."""
    before = datetime.now(UTC)
    (entry,) = take(FakeReader(), ("a.png", coded[0]))
    assert before <= entry.read_at <= datetime.now(UTC)
    assert entry.read_at.utcoffset() == entry.read_at.astimezone().utcoffset()


def test_failed_image_is_tried_again(coded):
    """What failed by chance may succeed the next time; a refusal stands."""
    reader = FakeReader()
    take(reader, ("a.png", b"break"), ("b.txt", b"text"))
    take(reader, ("a.png", b"break"), ("b.txt", b"text"))
    assert reader.read_names == ["a.png", "b.txt", "a.png"]


def test_unexpected_error_gives_a_reference_and_hides_the_rest(caplog):
    """The sentence holds the reference number that the log has, and neither holds a name or a trace."""
    (entry,) = take(FakeReader(), ("Jane Doe.png", b"break"))
    assert entry.reason.code == "web.read.failed"
    assert f"reference {entry.reason.values['reference']}: RuntimeError" in caplog.text
    for text in (str(entry.reason), caplog.text):
        assert "Jane" not in text
        assert "inner detail" not in text
        assert "Traceback" not in text


def test_error_of_ours_that_is_no_refusal_keeps_its_sentence():
    """An error by name that is not about the image is a failure, in its own words."""

    class WithoutWeights(FakeReader):
        def read(self, data, name, client=None, notify=None):
            raise MissingWeights("model.missing_file", path="gone")

    (entry,) = take(WithoutWeights(), ("a.png", b"x"))
    assert (entry.status, entry.reason) == ("failed", Message("model.missing_file", path="gone"))


def test_latest_first_and_selected(coded):
    """Entries come latest first; the first image just read is the selected one."""
    a, b, c = take(FakeReader(), ("a.txt", b"text"), ("b.png", coded[0]), ("c.png", coded[1]))
    assert session.entries() == [c, b, a]
    assert session.readings() == [c, b]
    assert session.selected() is b
    session.select(c.key)
    assert session.selected() is c


def test_remove_and_clear(coded):
    """A removed image is gone, and another is selected; cleared, none is left."""
    a, b = take(FakeReader(), ("a.png", coded[0]), ("b.png", coded[1]))
    session.remove(a.key)
    assert session.entries() == [b]
    assert session.selected() is b
    session.remove(a.key)
    session.clear()
    assert session.entries() == []
    assert session.selected() is None


def test_clear_leaves_nothing_in_the_session(coded, state):
    """No trace of an image stays behind."""
    take(FakeReader(), ("a.png", coded[0]))
    session.clear()
    assert state == {}


def test_what_was_made_of_an_image_is_kept_for_one_image(coded, state):
    """It is made once as long as the same image is shown, and goes with the images."""
    (entry,) = take(FakeReader(), ("a.png", coded[0]))
    made = [session.keep_latest(key, lambda key=key: key.upper()) for key in ("a", "b", "b", "a")]
    assert made == ["A", "B", "B", "A"]
    again = iter(range(9))
    assert [session.keep_latest("c", lambda: next(again)) for _ in range(3)] == [0, 0, 0]
    session.remove(entry.key)
    assert session.keep_latest("c", lambda: next(again)) == 1
    session.clear()
    assert state == {}


def test_number_of_images_is_bounded(coded, monkeypatch):
    """The oldest image makes room, and is counted."""
    monkeypatch.setattr(session, "MOST_IMAGES", 2)
    taken = take(FakeReader(), *((f"{i}.png", data) for i, data in enumerate(coded)))
    assert session.entries() == [taken[2], taken[1]]
    assert session.discarded() == 1
    assert session.selected() is taken[2]


def test_memory_is_bounded(coded, monkeypatch):
    """Images make room by their pixels too; the latest always stays."""
    monkeypatch.setattr(session, "MOST_MEGABYTES", 40 * 50 * 4 * 1.5 / 1e6)
    taken = take(FakeReader(), *((f"{i}.png", data) for i, data in enumerate(coded)))
    assert session.entries() == [taken[2]]
    assert session.discarded() == 2
    monkeypatch.setattr(session, "MOST_MEGABYTES", 0)
    assert session.entries() == [taken[2]]


def test_copies_share_their_memory(coded, monkeypatch):
    """The pixels of an image under two names count once."""
    monkeypatch.setattr(session, "MOST_MEGABYTES", 40 * 50 * 4 * 1.5 / 1e6)
    take(FakeReader(), ("a.png", coded[0]), ("copy.png", coded[0]))
    assert len(session.entries()) == 2
    assert session.discarded() == 0


def test_a_stopped_computation_keeps_nothing():
    """What a click raises in the middle of the work comes through, and the work can be done again."""

    class Clicked(BaseException):
        """As Streamlit ends a run of the script."""

    def stopped():
        raise Clicked

    key = ("image", "weights", "layercam")
    with pytest.raises(Clicked):
        session.compute(key, stopped)
    assert session.computed(key) is None
    assert session.compute(key, lambda: 7) == 7
    assert session.compute(key, stopped) == 7


def test_the_oldest_result_makes_room():
    """The results of a session are bounded in number."""
    for number in range(session.MOST_RESULTS + 1):
        session.compute((str(number), "weights", "layercam"), lambda number=number: number + 1)
    assert session.computed(("0", "weights", "layercam")) is None
    assert session.computed((str(session.MOST_RESULTS), "weights", "layercam")) == session.MOST_RESULTS + 1


def test_results_go_with_their_image(coded):
    """Removing an image removes its computed results, unless the session holds it under another name."""
    first, copy = take(FakeReader(), ("a.png", coded[0]), ("copy.png", coded[0]))
    key = (first.reading.radiograph.sha256, "weights", "layercam")
    session.compute(key, lambda: 1)
    session.remove(first.key)
    assert session.computed(key) == 1
    session.remove(copy.key)
    assert session.computed(key) is None
