"""The watched folder: files are taken whole, once, and their names go nowhere."""

import logging
import os
import threading

import pytest

from cxrmodel.configuration.schema import FolderInbox
from cxrmodel.errors import StoreUnavailable, TransientFailure
from cxrmodel.exchange.inbox import folder as module
from cxrmodel.exchange.inbox.folder import WatchedFolder
from tests.exchange.conftest import image, key, running, wait_until
from tests.support.server import PROJECT


class Time:
    """A clock that only the test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        """Give the time."""
        return self.now


@pytest.fixture
def clock(monkeypatch) -> Time:
    """The clock of the inbox."""
    made = Time()
    monkeypatch.setattr(module, "time", made)
    return made


@pytest.fixture
def place(tmp_path):
    """The watched folder."""
    made = tmp_path / "incoming"
    made.mkdir()
    return made


@pytest.fixture
def look(admission, clock):
    """A function ``look(inbox, seconds=10)``: a round after some time."""

    def once(inbox, seconds=10.0):
        clock.now += seconds
        inbox.round(threading.Event(), admission)

    return once


def watching(place, **changes) -> WatchedFolder:
    """An inbox for a folder."""
    return WatchedFolder(FolderInbox(name="folder", path=place, **changes))


def files(place) -> set[str]:
    """Files in a folder by their paths in it."""
    return {str(path.relative_to(place)) for path in place.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("after", "left"),
    [("move", {"done/DOE^JANE/a.dcm", "done/b.png"}), ("delete", set()), ("keep", {"DOE^JANE/a.dcm", "b.png"})],
)
def test_files_of_every_format_are_taken_once(place, look, rows, kept, png, make_image, after, left):
    """From subfolders too; afterwards they are moved, deleted or kept."""
    inbox = watching(place, after=after)
    picture = png(make_image(1))
    (place / "DOE^JANE").mkdir()
    (place / "DOE^JANE" / "a.dcm").write_bytes(image())
    (place / "b.png").write_bytes(picture)
    look(inbox)
    assert rows() == []  # they may still be growing
    for _ in range(3):
        look(inbox)
    assert sorted(row.key.partition(":")[0] for row in rows()) == sorted([key(), "sha256"])
    assert [row.state for row in rows()] == ["waiting"] * 2
    assert kept(key()) == image()
    assert files(place) == left


def test_a_file_that_grows_is_left_alone(place, look, rows):
    """Until it has not changed for a while."""
    inbox, data = watching(place), image()
    for end in (100, 5000, len(data)):
        (place / "a.dcm").write_bytes(data[:end])
        look(inbox)
        assert rows() == []
    look(inbox)
    assert [row.key for row in rows()] == [key()]


WHOLE = {
    "uncompressed": image(),
    "compressed": image(syntax="JPEG-LS lossless"),
    "deflated": image(syntax="deflated"),
    "PNG": min((PROJECT / "assets" / "demo").glob("*.png")).read_bytes(),
}


@pytest.mark.parametrize("share", [0, 0.01, 0.05, 0.5, 0.999])
@pytest.mark.parametrize("name", WHOLE)
def test_a_pause_in_writing_is_not_the_end(place, look, rows, refusals, name, share):
    """What is not whole is waited for, longer than a file that is."""
    inbox, data = watching(place), WHOLE[name]
    (place / "a").write_bytes(data[: int(share * len(data))])
    for _ in range(5):
        look(inbox)
    assert (rows(), refusals()) == ([], [])
    (place / "a").write_bytes(data)
    look(inbox)
    look(inbox)
    assert [row.state for row in rows()] == ["waiting"]


def test_a_file_that_changes_while_it_is_read_is_left_alone(place, look, rows, monkeypatch):
    """It is looked at anew."""
    inbox = watching(place)
    (place / "a.dcm").write_bytes(image(1))
    look(inbox)
    read = os.fdopen

    def replaced(*given, **named):
        (place / "a.dcm").write_bytes(image(2))
        return read(*given, **named)

    monkeypatch.setattr(module.os, "fdopen", replaced)
    look(inbox)
    monkeypatch.undo()
    monkeypatch.setattr(module, "time", Time())
    assert rows() == []


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (image()[:9000], "imaging.dicom.damaged"),
        (b"no image", "imaging.unsupported.text"),
        (b"", "imaging.empty"),
        (b"%PDF-1.7", "imaging.unsupported.pdf"),
    ],
)
def test_what_is_no_image_is_set_aside_with_its_reason(place, look, rows, refusals, content, code):
    """Once, after a minute without a change."""
    (place / "a").write_bytes(content)
    inbox = watching(place)
    for _ in range(10):
        look(inbox)
    assert rows() == []
    assert refusals() == [code]
    assert files(place) == {"refused/a"}


@pytest.mark.parametrize("name", [".a", "a.part", "a.TMP", "a.filepart", "a.dcm~", ".sub/a.dcm", "done/a", "refused/a"])
def test_some_names_are_never_taken(place, look, rows, refusals, name):
    """Hidden files, those that another program has not finished, and those that were taken already."""
    (place / name).parent.mkdir(exist_ok=True)
    (place / name).write_bytes(image())
    inbox = watching(place)
    for _ in range(3):
        look(inbox)
    assert (rows(), refusals(), files(place)) == ([], [], {name})


def test_links_are_not_followed(place, look, rows, tmp_path):
    """Neither to files nor to folders."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a.dcm").write_bytes(image())
    (place / "a.dcm").symlink_to(tmp_path / "elsewhere" / "a.dcm")
    (place / "sub").symlink_to(tmp_path / "elsewhere")
    inbox = watching(place)
    for _ in range(3):
        look(inbox)
    assert rows() == []


def test_files_of_one_name_do_not_replace_each_other(place, look):
    """Each is moved under a name of its own."""
    inbox = watching(place)
    for number in (1, 2, 3):
        (place / "a.dcm").write_bytes(image(number))
        look(inbox)
        look(inbox)
    assert files(place) == {"done/a.dcm", "done/a-2.dcm", "done/a-3.dcm"}


def test_a_store_that_is_down_leaves_the_file(place, look, rows, store, monkeypatch):
    """It is taken once the store is back."""
    inbox = watching(place)
    (place / "a.dcm").write_bytes(image())
    look(inbox)

    def fail(*given, **named):
        raise StoreUnavailable("store.disk_full")

    with monkeypatch.context() as patch:
        patch.setattr(store, "receive", fail)
        with pytest.raises(StoreUnavailable):
            look(inbox)
    assert files(place) == {"a.dcm"}
    look(inbox)
    assert [row.key for row in rows()] == [key()]


def test_a_new_start_takes_nothing_twice(place, look, rows):
    """Where files are kept, or where it was killed between taking a file and moving it."""
    (place / "a.dcm").write_bytes(image())
    for _ in range(2):
        inbox = watching(place, after="keep")
        look(inbox)
        look(inbox)
    assert len(rows()) == 1


def test_a_folder_that_is_gone_is_waited_for(place, admission, rows, refusals, monkeypatch, tmp_path):
    """As a network drive may be."""
    monkeypatch.setattr("cxrmodel.exchange.inbox.inbox.LONGEST_WAIT", 0.1)
    place.rename(tmp_path / "away")
    with running(watching(place, every_seconds=0.05, settle_seconds=0.05), admission):
        wait_until(lambda: refusals() == ["exchange.folder.unreadable"])
        (tmp_path / "away").rename(place)
        (place / "a.dcm").write_bytes(image())
        wait_until(lambda: len(rows()) == 1)
    assert refusals() == ["exchange.folder.unreadable"]


def test_names_are_in_no_log_and_no_reason(place, look, store, caplog, monkeypatch):
    """Not even where a file cannot be moved."""
    inbox = watching(place)
    (place / "DOE^JANE.dcm").write_bytes(image())
    (place / "DOE^JOHN.txt").write_bytes(b"no image")

    def fail(*given):
        raise PermissionError(13, "Permission denied", "DOE^JANE")

    with caplog.at_level(logging.DEBUG):
        look(inbox)
        monkeypatch.setattr(module, "_move", fail)
        with pytest.raises(TransientFailure) as caught:
            look(inbox)
    assert "DOE" not in caplog.text + str(caught.value)
    assert caught.value.message.code == "exchange.folder.not_cleared"


def test_what_is_tested_of_a_folder(place, tmp_path):
    """That it is there, and that files in it can be moved."""

    def found(path, **changes):
        return [(probe.passed, probe.message.code) for probe in watching(path, **changes).check()]

    assert found(place) == [(True, "exchange.probe.folder"), (True, "exchange.probe.folder_writable")]
    assert found(place, after="keep") == [(True, "exchange.probe.folder")]
    assert found(tmp_path / "nowhere") == [(False, "exchange.folder.unreadable")]
    assert files(place) == set()
