"""A worker gives for many calls at once what one scorer gives, and says why it cannot."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from cxrmodel.archive.cluster import worker as module
from cxrmodel.archive.cluster.worker import Worker
from cxrmodel.archive.scoring import Scorer
from cxrmodel.archive.sources.registry import open_source
from cxrmodel.archive.sources.source import Fetched
from cxrmodel.archive.tasks import Task
from cxrmodel.errors import ClusterError, DataError, ModelError, SourceUnavailable
from cxrmodel.reading import Reader
from tests.support.archives import lay_out, picture, run_of
from tests.support.stand_ins import FakeReader


@pytest.fixture
def settings(images):
    """Of the nine pictures and what is between them."""
    return run_of(images).settings


@pytest.fixture
def started(settings, monkeypatch):
    """A worker with the stand-in."""
    monkeypatch.setattr(Reader, "load", lambda *given, **named: FakeReader())
    monkeypatch.setattr(module, "start_decoders", lambda: None)
    worker = Worker(settings)
    assert worker.start() is None
    return worker


def tasks_of(settings):
    """One for every file."""
    return [Task(number, 0, item) for number, item in enumerate(open_source(settings.sources[0]).items())]


def plain(results):
    """Rows without the time of a reading."""
    return [scored.row | {"milliseconds": None} for scored in results]


def test_calls_at_once_give_what_one_scorer_gives(started, settings):
    """Each its own tasks, in order."""
    tasks = tasks_of(settings)
    expected = plain(Scorer(FakeReader(), settings).score(iter(tasks)))
    parts = [tasks[:1], tasks[1:8], tasks[8:]]
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda part: started.score(part, {}), parts))
    assert [row for results in found for row in plain(results)] == expected
    assert plain(started.score(tasks[2:5], {})) == expected[2:5]


def test_what_was_carried_is_not_fetched_again(started, settings):
    """The carried image, the carried error, and one that this machine sees itself."""
    tasks = tasks_of(settings)
    names = [task.item.id for task in tasks]
    first, gone, own = (tasks[names.index(name)] for name in ("000.png", "001.png", "002.png"))
    other = picture(77)
    carried = {first.number: Fetched(other), gone.number: DataError("cli.read.changing")}
    rows = plain(started.score([first, gone, own], carried))
    assert [row["status"] for row in rows] == ["read", "error", "read"]
    assert rows[1]["codes"] == ("cli.read.changing",)
    assert [row["sha256"] for row in rows[::2]] == [hashlib.sha256(data).hexdigest() for data in (other, picture(2))]
    assert plain(started.score([first], {}))[0]["sha256"] == hashlib.sha256(picture(0)).hexdigest()


def test_another_version_of_the_model_is_refused(started, settings):
    """By name, as a value: Ray would write an exception into its files."""
    refusal = Worker(replace(settings, version="densenet121 ffffffffffff")).start()
    assert isinstance(refusal, ModelError)
    assert refusal.message.code == "archive.other_version"
    assert refusal.message.values["found"] == settings.version


def test_a_source_that_is_lost_is_said_and_the_next_call_goes_on(started, settings, images):
    """Every call that waits hears of it."""
    tasks = tasks_of(settings)
    assert len(started.score(tasks, {})) == len(tasks)
    images.rename(images.with_name("elsewhere"))
    assert isinstance(started.score(tasks, {}), SourceUnavailable)
    images.with_name("elsewhere").rename(images)
    assert len(started.score(tasks, {})) == len(tasks)


def test_an_unexpected_error_keeps_its_text(started, settings, monkeypatch):
    """It may quote a patient's name."""
    monkeypatch.setattr(FakeReader, "read_many", lambda *given: 1 / 0)
    failed = started.score(tasks_of(settings), {})
    assert isinstance(failed, ClusterError)
    assert failed.message.code == "archive.cluster.failed"
    assert failed.message.values["reason"].values == {"error": "ZeroDivisionError"}


def test_a_source_is_seen_where_its_bytes_are(started, settings, tmp_path):
    """A folder of the same name with other files is another one."""
    item = tasks_of(settings)[2].item
    data = open_source(settings.sources[0]).fetch(item).data
    assert started.sees(0, item, hashlib.sha256(data).hexdigest())
    assert not started.sees(0, item, hashlib.sha256(b"other").hexdigest())
    assert not started.sees(0, replace(item, id="gone.png"), hashlib.sha256(data).hexdigest())
    nowhere = Worker(run_of(lay_out(tmp_path / "nowhere", 1)).settings)
    (tmp_path / "nowhere" / "000.png").unlink()
    assert not nowhere.sees(0, item, hashlib.sha256(data).hexdigest())
