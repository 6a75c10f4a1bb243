"""Files that a batch finds: none stops the others, and each has its line."""

import os
import socket

import pytest

from cxrmodel.errors import CxrError
from cxrmodel.imaging.radiograph import MAX_BYTES
from cxrmodel.inputs import InputFile, list_files

LONG = "x" * 250


@pytest.fixture
def image(project, tmp_path):
    """An image that is read, beside the folder of a test."""
    made = tmp_path / "image.png"
    made.write_bytes((project / "assets" / "demo" / "synthetic-normal-1.png").read_bytes())
    return made


@pytest.fixture
def place(tmp_path):
    """An empty folder."""
    folder = tmp_path / "place"
    folder.mkdir()
    return folder


def listen(path):
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(os.path.relpath(path))


def sparse(path, size):
    with path.open("wb") as stream:
        stream.truncate(size)


STRANGE = [
    ("a pipe", os.mkfifo, "refused", "cli.read.not_a_file"),
    ("a socket", listen, "refused", "cli.read.not_a_file"),
    ("a device", lambda path: path.symlink_to("/dev/zero"), "refused", "cli.read.not_a_file"),
    ("a terminal", lambda path: path.symlink_to("/dev/tty"), "refused", "cli.read.not_a_file"),
    ("64 MiB and one", lambda path: sparse(path, MAX_BYTES + 1), "refused", "imaging.too_many_bytes"),
    ("a terabyte", lambda path: sparse(path, 2**40), "refused", "imaging.too_many_bytes"),
    ("nothing", lambda path: path.touch(), "refused", "imaging.empty"),
    ("a broken link", lambda path: path.symlink_to("/nowhere"), "error", "cli.read.unreadable"),
    ("a link to itself", lambda path: path.symlink_to(path), "error", "cli.read.unreadable"),
    ("more than it says", lambda path: path.symlink_to("/proc/self/status"), "error", "cli.read.changing"),
]


def test_whatever_a_folder_holds_has_its_line(place, image, batch, monkeypatch):
    """Pipes, devices and files beyond the limit are neither opened nor left out, and the images are read."""
    monkeypatch.chdir(place)
    for name, make, _, _ in STRANGE:
        make(place / name)
    for name in ("0", "z"):
        os.link(image, place / name)
    status, lines = batch(place)
    expected = {name: (status, [code]) for name, _, status, code in STRANGE} | dict.fromkeys("0z", ("read", []))
    assert {line["file"].rpartition("/")[2]: (line["status"], line["codes"]) for line in lines} == expected
    assert status == 3


def test_a_pipe_that_is_named_is_not_waited_for(image, batch):
    """As of a process substitution, or standard input that is one."""
    reading, writing = os.pipe()
    try:
        _, lines = batch(f"/dev/fd/{reading}", image)
    finally:
        os.close(reading)
        os.close(writing)
    assert [(line["status"], line["codes"]) for line in lines] == [("refused", ["cli.read.not_a_file"]), ("read", [])]


def test_standard_input_from_a_file_is_read(image, batch):
    """The name leads to a regular file."""
    with image.open("rb") as stream:
        assert batch(f"/dev/fd/{stream.fileno()}")[0] == 0


@pytest.mark.parametrize(
    ("links", "expected"),
    [
        ({"link": "real"}, ["link/sub/x", "real/sub/x"]),
        ({"real/loop": "."}, ["real/sub/x"]),
        ({"real/sub/up": "../.."}, ["real/sub/x"]),
        ({"real/sub/out": "../../.."}, ["real/sub/out/outside/more", "real/sub/out/outside/y", "real/sub/x"]),
        ({"1": "..", "2": ".."}, [*(f"{n}/outside/{name}" for n in "12" for name in ("more", "y")), "real/sub/x"]),
        ({"a": "b", "b": "a"}, ["a", "b", "real/sub/x"]),
        ({"out": "../outside"}, ["out/more", "out/y", "real/sub/x"]),
        ({"out": "../outside", "../outside/back": "../place"}, ["out/more", "out/y", "real/sub/x"]),
        ({"one": "../outside", "two": "../outside"}, ["one/more", "one/y", "real/sub/x", "two/more", "two/y"]),
        ({".hidden": "../outside"}, ["real/sub/x"]),
    ],
)
def test_links_to_folders_are_followed_and_end(place, links, expected):
    """Each once, and never to a folder around them."""
    for file in ("real/sub/x", "../outside/y", "../outside/more"):
        (place / file).parent.mkdir(parents=True, exist_ok=True)
        (place / file).touch()
    for link, target in links.items():
        (place / link).symlink_to(target)
    assert [str(file.relative) for file in list_files([place])] == expected


def test_a_maze_of_links_ends(place):
    """Twenty folders, each with two links to the next: a million paths, and each link is followed once."""
    for number in range(20):
        (place / f"{number:02}").mkdir()
        (place / f"{number:02}" / "file").touch()
        for name in ("left", "right"):
            (place / f"{number:02}" / name).symlink_to(f"../{number + 1:02}")
    files = [file.path for file in list_files([place])]
    assert {path for path in files if path.name == "file" and path.parent.name.isdigit()} == set(place.glob("*/file"))
    assert len(files) < 200


def test_a_folder_that_cannot_be_listed_has_its_line(place, image, batch, monkeypatch):
    """Here because its path is too long; the images beside it are read."""
    os.link(image, place / "z.png")
    monkeypatch.chdir(place)
    for _ in range(17):
        os.mkdir(LONG)
        os.chdir(LONG)
    status, (deep, read) = batch(place)
    assert (status, deep["status"], deep["codes"]) == (3, "error", ["cli.read.unreadable"])
    assert set(deep["file"].removeprefix(f"{place}/").split("/")) == {LONG}
    assert read["status"] == "read"


@pytest.mark.parametrize(
    ("swap", "error"),
    [
        (lambda path: None, FileNotFoundError),
        (os.mkfifo, CxrError),
        (lambda path: sparse(path, MAX_BYTES + 1), CxrError),
        (lambda path: path.mkdir(), CxrError),
    ],
)
def test_a_file_may_change_after_it_was_listed(place, swap, error):
    """What stands there when it is read decides."""
    (place / "file").write_bytes(b"image")
    (file,) = list_files([place])
    (place / "file").unlink()
    swap(place / "file")
    with pytest.raises(error):
        file.read()


def test_the_largest_file_is_read_whole(place):
    """And its state is known."""
    sparse(place / "file", MAX_BYTES)
    file = InputFile(place / "file", place)
    assert len(file.read()) == MAX_BYTES
    assert file.state == (MAX_BYTES, (place / "file").stat().st_mtime_ns // 10**6)
