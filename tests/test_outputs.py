"""Outputs: whole or not at all, never through links, over others only when asked, by one run at a time."""

import os
import subprocess
import sys

import pytest

from cxrmodel.errors import CxrError, OutputFailed, OutputRefused
from cxrmodel.outputs import draft, locked, refuse_existing, write
from tests.support.full_disk import disk_with


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file() and not path.is_symlink()}


def test_a_file_is_written_and_nothing_else(tmp_path):
    """Bytes, or text as UTF-8 with its own line ends; missing folders are made."""
    write(tmp_path / "a" / "b.txt", "ü\n")
    write(tmp_path / "a" / "c", b"\0")
    assert contents(tmp_path / "a") == {"b.txt": "ü\n".encode(), "c": b"\0"}


@pytest.mark.parametrize(
    ("make", "overwrite", "code"),
    [
        (lambda path: path.write_bytes(b"kept"), False, "outputs.exists"),
        (lambda path: path.symlink_to(path.with_name("target")), False, "outputs.link"),
        (lambda path: path.symlink_to(path.with_name("target")), True, "outputs.link"),
        (lambda path: path.symlink_to(path.with_name("nowhere")), True, "outputs.link"),
        (lambda path: path.mkdir(), True, "outputs.not_a_file"),
        (lambda path: os.mkfifo(path), True, "outputs.not_a_file"),
    ],
)
def test_what_stands_there_is_not_replaced(tmp_path, make, overwrite, code):
    """Neither it nor what it leads to; asked before anything is written."""
    (tmp_path / "target").write_bytes(b"kept")
    path = tmp_path / "out.txt"
    make(path)
    before = contents(tmp_path)
    for refusing in (refuse_existing, lambda *given, **more: write(*given, b"new", **more)):
        with pytest.raises(OutputRefused) as refused:
            refusing(path, overwrite=overwrite)
        assert refused.value.message.code == code
    assert contents(tmp_path) == before
    assert not (tmp_path / "nowhere").exists()


def test_a_file_that_comes_meanwhile_is_kept(tmp_path):
    """The place is asked again when the file is whole."""
    path = tmp_path / "out.txt"

    def come_second() -> None:
        with draft(path) as part:
            part.write_bytes(b"new")
            path.write_bytes(b"came first")

    with pytest.raises(OutputRefused) as refused:
        come_second()
    assert refused.value.message.code == "outputs.exists"
    assert contents(tmp_path) == {"out.txt": b"came first"}


def test_a_replaced_file_keeps_its_permissions(tmp_path):
    """A table that only its owner may read stays so."""
    path = tmp_path / "out.txt"
    path.write_bytes(b"old")
    path.chmod(0o600)
    write(path, b"new", overwrite=True)
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"new", 0o600)


def test_a_full_disk_leaves_the_earlier_file(tmp_path):
    """Or none; and no part of the new one."""
    (tmp_path / "old").write_bytes(b"old")
    with disk_with(1000):
        for name in ("old", "new"):
            with pytest.raises(OutputFailed) as failed:
                write(tmp_path / name, b"x" * 5000, overwrite=True)
            assert failed.value.message.code == "outputs.not_written"
    assert contents(tmp_path) == {"old": b"old"}


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_error_leaves_the_earlier_file(tmp_path, error):
    """Whatever stops the work."""
    (tmp_path / "out.txt").write_bytes(b"old")

    def stop() -> None:
        with draft(tmp_path / "out.txt", overwrite=True) as part:
            part.write_bytes(b"half")
            raise error

    with pytest.raises(error):
        stop()
    assert contents(tmp_path) == {"out.txt": b"old"}


@pytest.mark.parametrize("name", ["x" * 256, "file/out.txt"])
def test_a_place_that_cannot_be_is_named(tmp_path, name):
    """A name that is too long, or a folder that is a file."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputFailed) as failed:
        write(tmp_path / name, b"")
    assert failed.value.message.values["file"] == str(tmp_path / name)


@pytest.mark.parametrize("name", ["out.csv", "folder", "x" * 255])
def test_a_second_run_is_refused(tmp_path, name):
    """While the first writes; afterwards nothing is left of the lock."""
    (tmp_path / "folder").mkdir()
    with locked(tmp_path / name):
        with pytest.raises(OutputRefused) as refused, locked(tmp_path / name):
            pass
        with locked(tmp_path / "another"):
            pass
    assert refused.value.message.code == "outputs.locked"
    with locked(tmp_path / name):
        pass
    assert [path.name for path in tmp_path.rglob("*")] == ["folder"]


def test_a_killed_run_holds_nothing(tmp_path, project):
    """Its lock file is left and does not matter."""
    code = (
        "import sys, time; from pathlib import Path; from cxrmodel.outputs import locked\n"
        "with locked(Path(sys.argv[1])): print('held', flush=True); time.sleep(600)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "out.csv")]
    with subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(OutputRefused), locked(tmp_path / "out.csv"):
            pass
        process.kill()
    assert len(list(tmp_path.iterdir())) == 1
    with locked(tmp_path / "out.csv"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_lock_is_no_way_through_a_link(tmp_path):
    """Nor is a folder that cannot be written to silently left unlocked."""
    (tmp_path / ".out.csv.lock").symlink_to(tmp_path / "precious")
    with pytest.raises(CxrError), locked(tmp_path / "out.csv"):
        pass
    assert not (tmp_path / "precious").exists()
