"""The command store: upgrade, status, forget, dead."""

import io
import json

import pytest

from cxrmodel.cli.command import Status
from cxrmodel.cli.main import main
from cxrmodel.messages import Message
from cxrmodel.store.store import Store
from tests.support.stored import MODEL, READ, received, report


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The data folder of a configuration that CXR_CONFIG names."""
    (tmp_path / "site.toml").write_text('[store]\nfolder = "data"\n')
    monkeypatch.setenv("CXR_CONFIG", str(tmp_path / "site.toml"))
    monkeypatch.delenv("CXR_STORE", raising=False)
    return tmp_path / "data"


@pytest.fixture
def store(folder):
    """Its store, with one image that was read and sent, and one job and one delivery that were given up."""
    store = Store.open(None, folder)
    store.receive(received("1", store.files.keep(b"1")), MODEL)
    store.finish(store.lease("w", MODEL, 60), READ, [report("9")], ["pacs", "archive"])
    store.delivered(store.lease_delivery("w", "pacs", 60))
    store.dead(store.lease_delivery("w", "archive", 60), "store.busy")
    store.receive(received("2", store.files.keep(b"2")), MODEL)
    store.give_up(store.lease("w", MODEL, 60), "store.busy")
    yield store
    store.close()


def run(capsys, *arguments: str) -> tuple[int, str, str]:
    """Exit status, standard output, standard error."""
    capsys.readouterr()
    status = main(["store", *arguments])
    return status, *capsys.readouterr()


def test_upgrade_creates_the_store(folder, capsys):
    """Again, it changes nothing."""
    for _ in "12":
        assert run(capsys, "upgrade")[0] == Status.DONE
    assert (folder / "store.sqlite").is_file()


def test_status_counts(store, capsys):
    """As JSON and in words."""
    status, out, _ = run(capsys, "status", "--json")
    found = json.loads(out)
    assert (status, found["jobs"]["read"], found["jobs"]["failed"], found["deliveries"]["delivered"]) == (0, 1, 1, 1)
    assert (found["refusals"], found["audit_broken_at"]) == ({"store.busy": 1}, None)
    assert str(Message("store.count", name="read", count=1)) in run(capsys, "status")[1].splitlines()


def test_what_was_given_up_is_listed_and_revived(store, capsys):
    """One by its name, or all."""
    names = [line.partition(":")[0] for line in run(capsys, "dead")[1].splitlines()]
    assert names == ["delivery-2", "job-2"]
    assert run(capsys, "dead", "--revive", "delivery-2") == (0, "", f"{Message('store.revived', count=1)}\n")
    assert run(capsys, "dead", "--revive", "all") == (0, "", f"{Message('store.revived', count=1)}\n")
    assert run(capsys, "dead")[1] == ""
    with pytest.raises(SystemExit) as stopped:
        main(["store", "dead", "--revive", "job-2"])
    assert stopped.value.code == 2


class Terminal(io.StringIO):
    """Standard input of someone who types."""

    def isatty(self) -> bool:
        """It is one."""
        return True


@pytest.mark.parametrize(
    ("options", "typed", "status", "left"),
    [
        (("--dry-run",), "", Status.DONE, {"1", "2"}),
        (("--yes",), "", Status.DONE, {"2"}),
        ((), "yes\n", Status.DONE, {"2"}),
        ((), "y\n", Status.STOPPED, {"1", "2"}),
        ((), "", Status.STOPPED, {"1", "2"}),
    ],
)
def test_forget_asks_and_lists_the_copies(store, capsys, monkeypatch, options, typed, status, left):
    """Copies at targets are results, so they are on standard output."""
    monkeypatch.setattr("sys.stdin", Terminal(typed))
    assert run(capsys, "forget", "--patient", "P1", *options)[:2] == (status, "pacs\t9\n")
    assert store.known({"1", "2"}, MODEL) == left


def test_forget_says_that_nothing_was_found(store, capsys):
    """A mistyped ID never looks like a deletion."""
    assert main(["store", "forget", "--patient", "nobody"]) == Status.DONE
    assert str(Message("store.nothing_found")) in capsys.readouterr().err
    assert store.known({"1", "2"}, MODEL) == {"1", "2"}


@pytest.mark.parametrize("after", [False, True])
def test_the_configuration_stands_before_or_after_the_action(store, folder, capsys, monkeypatch, after):
    """As with ``config check``."""
    monkeypatch.delenv("CXR_CONFIG")
    option = ["--config", str(folder.parent / "site.toml")]
    assert main(["store", *([] if after else option), "status", "--json", *(option if after else [])]) == Status.DONE
    assert json.loads(capsys.readouterr().out)["jobs"]


@pytest.mark.parametrize(
    "arguments", [(), ("--study", "1", "--issuer", "A"), ("--study", "1", "--older-than", "1"), ("--patient", "P1")]
)
def test_wrong_usage_deletes_nothing(store, monkeypatch, arguments):
    """The last needs an answer, and nobody can give one."""
    monkeypatch.setattr("sys.stdin", io.StringIO("yes\n"))
    with pytest.raises(SystemExit) as stopped:
        main(["store", "forget", *arguments])
    assert stopped.value.code == 2
    assert store.known({"1", "2"}, MODEL) == {"1", "2"}
