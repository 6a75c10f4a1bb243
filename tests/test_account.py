"""Accounts without a usable home folder."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cxrmodel import account

SHOWN = (
    "import os, pathlib; from cxrmodel.account import ensure_home; ensure_home(); home = pathlib.Path.home();"
    "(home / 'x').touch(); print(home)"
)


@pytest.mark.parametrize("home", ["missing", "a file", "read-only"])
def test_an_account_without_a_home_gets_a_temporary_one(home, tmp_path, monkeypatch):
    """A folder that can be written to."""
    place = tmp_path / home
    if home == "a file":
        place.touch()
    if home == "read-only":
        place.mkdir()
        monkeypatch.setattr(os, "access", lambda path, mode: path != str(place))
    monkeypatch.setenv("HOME", str(place))
    monkeypatch.setattr(account, "_kept", [])
    account.ensure_home()
    assert Path.home() != place
    (Path.home() / "cache").touch()


def test_a_usable_home_stays(tmp_path, monkeypatch):
    """Nothing is made."""
    monkeypatch.setenv("HOME", str(tmp_path))
    account.ensure_home()
    assert Path.home() == tmp_path


def test_an_account_that_can_write_nowhere_has_a_home(tmp_path, monkeypatch):
    """What needs no cache runs."""
    monkeypatch.setenv("HOME", str(tmp_path / "missing"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))
    account.ensure_home()
    assert os.environ["HOME"] == os.sep


def test_the_temporary_home_goes_when_the_program_ends(project):
    """With all that libraries keep in it."""
    done = subprocess.run(
        [sys.executable, "-c", SHOWN],
        cwd=project,
        env={"HOME": "/nonexistent"},
        capture_output=True,
        text=True,
        check=True,
    )
    home = Path(done.stdout.strip())
    assert home.name.startswith("cxrmodel-home-")
    assert not home.exists()


@pytest.mark.skipif(not hasattr(os, "fork") or os.geteuid() != 0, reason="only root can be another account")
@pytest.mark.parametrize("value", [None, "", "/nonexistent"])
def test_an_account_without_an_entry_has_a_home(value):
    """The account's number has no entry, and HOME is unset or of no use."""
    child = os.fork()
    if not child:
        try:
            os.setgroups([])
            os.setuid(54321)
            os.environ.pop("HOME", None)
            if value is not None:
                os.environ["HOME"] = value
            account.ensure_home()
            (Path.home() / "cache").touch()
            account._kept.pop().cleanup()
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
