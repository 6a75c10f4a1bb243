"""Folders and lists of paths: every file once, in one order, whatever its name; and fetched in any process."""

import errno
import os
import pickle
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrmodel.archive.sources.files import as_path, as_text
from cxrmodel.archive.sources.registry import open_source, source_names
from cxrmodel.archive.sources.source import Item, SourceName
from cxrmodel.errors import CxrError, DataError, SourceUnavailable
from cxrmodel.inputs import InputFile

NAMES = [b"a.png", b"\xff broken", b"back\\slash", b"\\xff", "ü".encode(), b"line\nbreak", b" "]


@given(st.binary(min_size=1).map(lambda raw: raw.replace(b"\0", b"x")))
def test_every_path_can_be_stored_as_text(raw):
    """As valid Unicode, and back to the same path."""
    path = Path(os.fsdecode(raw))
    as_text(path).encode()
    assert as_path(as_text(path)) == path


def opened(*arguments):
    return [open_source(pickle.loads(pickle.dumps(name))) for name in source_names(map(str, arguments))]


def test_a_folder_lists_each_file_once(tmp_path):
    """By its path within the folder, with size and time, in the order of the bytes; hidden files are left out."""
    for name in NAMES:
        (tmp_path / os.fsdecode(name)).write_bytes(name)
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "x").write_bytes(b"x")
    (tmp_path / ".hidden").write_bytes(b"")
    (source,) = opened(tmp_path)
    items = list(source.items())
    assert [os.fsencode(as_path(item.id)) for item in items] == sorted([*NAMES, b"sub/x"])
    assert items == list(opened(tmp_path)[0].items())
    for item in items:
        found = source.fetch(item)
        assert os.fsencode(as_path(item.id)).endswith(found.data)
        assert (item.size, item.modified) == (len(found.data), found.modified)


def test_one_file_is_a_source(tmp_path):
    """Its id is its name."""
    (tmp_path / "a.png").write_bytes(b"data")
    (source,) = opened(tmp_path / "a.png")
    (item,) = source.items()
    assert (item.id, source.fetch(item).data) == ("a.png", b"data")


def test_a_list_names_files(tmp_path):
    """In the order of its lines, each once, relative to itself; files that are not there are listed too."""
    (tmp_path / "a.png").write_bytes(b"a")
    (tmp_path / "b c.png").write_bytes(b"bc")
    lines = ["b c.png", "", str(tmp_path / "a.png"), "./a.png", "none.png"]
    (tmp_path / "list.txt").write_text("\r\n".join(lines))
    (source,) = opened(tmp_path / "list.txt")
    items = list(source.items())
    assert [(item.id, item.size) for item in items] == [
        (str(tmp_path / "b c.png"), 2),
        (str(tmp_path / "a.png"), 1),
        (str(tmp_path / "none.png"), None),
    ]
    assert [source.fetch(item).data for item in items[:2]] == [b"bc", b"a"]
    with pytest.raises(FileNotFoundError):
        source.fetch(items[2])


@pytest.mark.parametrize(("kind", "name"), [("files", "nowhere"), ("paths", "nowhere.txt")])
def test_a_source_that_is_not_there_is_named(tmp_path, kind, name):
    """When it is listed."""
    with pytest.raises(DataError) as missing:
        list(open_source(SourceName(kind=kind, place=str(tmp_path / name))).items())
    assert missing.value.message.values["place"] == str(tmp_path / name)


@pytest.mark.parametrize("left", ["nothing", "an empty mount point"])
@pytest.mark.parametrize("opened_before", [True, False])
def test_a_file_that_is_gone_is_its_own_fault_but_a_folder_is_not(tmp_path, left, opened_before):
    """The first is one failure, the second ends the run, also one that continues after a restart."""
    folder = tmp_path / "images"
    folder.mkdir()
    (folder / "a").write_bytes(b"a")
    (name,) = source_names([str(folder)])
    source = open_source(name)
    with pytest.raises(FileNotFoundError):
        source.fetch(Item("b"))
    folder.rename(tmp_path / "away")
    if left != "nothing":
        folder.mkdir()
    with pytest.raises(SourceUnavailable):
        (source if opened_before else open_source(name)).fetch(Item("a"))


@pytest.mark.parametrize("code", [errno.ESTALE, errno.ENOTCONN, errno.ETIMEDOUT])
def test_an_error_of_a_share_is_no_failure_of_an_image(tmp_path, monkeypatch, code):
    """Of a folder as of a list."""
    (tmp_path / "a").write_bytes(b"a")
    (tmp_path / "list.txt").write_text("a")

    def fails(self):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(InputFile, "read", fails)
    for source in opened(tmp_path, tmp_path / "list.txt"):
        with pytest.raises(SourceUnavailable):
            source.fetch(next(source.items()))


def test_a_source_is_named_once(tmp_path):
    """However it is written."""
    with pytest.raises(CxrError) as refused:
        source_names([str(tmp_path), f"{tmp_path}/./"])
    assert refused.value.message.code == "archive.source.twice"
