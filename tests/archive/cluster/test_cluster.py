"""A real Ray cluster on this machine, which loses a worker; and addresses where there is none."""

import os
import signal
import socket
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from cxrmodel.archive.cluster import connection
from cxrmodel.archive.cluster.connection import on_cluster
from cxrmodel.archive.sources.registry import open_source, source_names
from cxrmodel.archive.tasks import Settings, Task
from cxrmodel.errors import ClusterError, MissingExtra
from cxrmodel.model.spec import load_spec
from cxrmodel.reading import Reader

MODEL = "cnn"
"""The smaller one."""


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """Ray's settings of this process end with the test."""
    for name in ("RAY_ADDRESS", *connection.ENVIRONMENT, *connection.LOCAL_ENVIRONMENT):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)


def settings_of(*places):
    """Of the smaller model, with nothing that is asked for in addition."""
    return Settings(MODEL, load_spec(MODEL).version, 0.5, True, False, source_names(map(str, places)))


def tasks_of(settings):
    """Every image of every source."""
    items = [(place, item) for place, name in enumerate(settings.sources) for item in open_source(name).items()]
    return [Task(number, place, item) for number, (place, item) in enumerate(items)]


def workers():
    """Processes of workers that this process has started through Ray."""
    found = {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            name = (path / "cmdline").read_bytes().split(b"\0")[0]
            parent = int((path / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        found[int(path.name)] = (parent, name)
    ours = {os.getpid()}
    while more := {pid for pid, (parent, _) in found.items() if parent in ours} - ours:
        ours |= more
    return [pid for pid in ours if pid in found and found[pid][1].startswith(b"ray::Worker")]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="finds processes in /proc")
def test_a_cluster_gives_what_read_gives_and_outlives_a_worker(project, tmp_path, capfd):
    """Images that it reaches itself and images that only the driver does; a worker is killed in the middle.

    The descriptor of a folder is a path that only this process can follow.
    """
    images = tmp_path / "images"
    images.mkdir()
    for number, path in enumerate(4 * sorted((project / "assets" / "demo").iterdir())):
        (images / f"{number:02} {path.name}").symlink_to(path)
    kept = os.open(images, os.O_RDONLY)
    descriptor = os.dup2(kept, 900)
    settings = settings_of(images, f"/proc/self/fd/{descriptor}")
    tasks, found, killed = tasks_of(settings), {}, []
    with on_cluster(settings) as runner:
        import ray  # which reads its environment then

        assert [node["NodeManagerAddress"] for node in ray.nodes()] == ["127.0.0.1"]
        stale = type(runner)(replace(settings, version="cnn 000000000000"))
        with pytest.raises(ClusterError) as refused:
            next(stale.score(iter(tasks)))
        for scored in runner.score(iter(tasks)):
            found[scored.number] = scored.row
            if not killed:
                killed = workers()
                for worker in killed:
                    os.kill(worker, signal.SIGKILL)
    assert killed
    assert capfd.readouterr() == ("", "")
    assert refused.value.message.code == "archive.cluster.cannot_score"
    assert refused.value.message.values["reason"].values["wanted"] == "cnn 000000000000"
    assert found.keys() == {task.number for task in tasks}
    reader = Reader.load(MODEL, prevalence=0.5)
    sources = [(lambda place=images / task.item.id: place.read_bytes(), "image") for task in tasks]
    for task, outcome in zip(tasks, reader.read_many(sources), strict=True):
        row = found[task.number]
        if isinstance(outcome, Exception):
            assert row["status"] == "refused"
            continue
        assert row["logit"] == pytest.approx(outcome.logit, abs=1e-6)
        assert row["probability"] == pytest.approx(outcome.probability, abs=1e-6)
        assert (row["finding"], row["codes"]) == (outcome.finding, tuple(note.code for note in outcome.reasons))
    os.close(kept)
    os.close(descriptor)


@pytest.fixture
def deaf():
    """A port that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("127.0.0.1:9", "archive.cluster.unreachable"),
        ("nowhere.invalid:6379", "archive.cluster.unreachable"),
        ("127.0.0.1", "archive.cluster.unreachable"),
        ("ray://127.0.0.1:10001", "archive.cluster.client_address"),
    ],
)
def test_an_address_without_a_cluster_is_said(images, monkeypatch, address, code):
    """Before Ray itself would wait for it."""
    monkeypatch.setenv("RAY_ADDRESS", address)
    with pytest.raises(ClusterError) as error, on_cluster(settings_of(images)):
        pass
    assert error.value.message.code == code
    assert error.value.message.values["address"] == address


def test_a_port_that_is_no_cluster_is_said(images, monkeypatch, deaf):
    """After a bounded time."""
    monkeypatch.setattr(connection, "ANSWER_SECONDS", 0.5)
    monkeypatch.setenv("RAY_ADDRESS", f"127.0.0.1:{deaf}")
    with pytest.raises(ClusterError) as error, on_cluster(settings_of(images)):
        pass
    assert error.value.message.code == "archive.cluster.unreachable"


def test_without_ray_the_extra_is_named(images, monkeypatch):
    """Which installs it."""
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtra) as error, on_cluster(settings_of(images)):
        pass
    assert error.value.message.values == {"library": "ray", "extra": "archive"}
