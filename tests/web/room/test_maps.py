"""Maps in the background: one at a time, with progress, stop, failures, and nothing kept of an image that is gone."""

import threading
import time

import numpy as np
import pytest

from cxrmodel.errors import MissingWeights
from cxrmodel.explain.interpolation import CropMap
from cxrmodel.messages import Message
from cxrmodel.model.preprocess import ModelInput
from cxrmodel.web.room import maps as module
from cxrmodel.web.room.maps import Maps
from tests.support.stand_ins import SPEC, FakeReader, fake_reading

READING = fake_reading(np.full((80, 80), 0.5))
INPUT = ModelInput(np.zeros((16, 16, 1), np.float32), (0, 0, 224, 224))


class FakeExplainer:
    """Waits for leave, reports progress, and raises the error that it is given."""

    def __init__(self):
        self.spec, self.asked, self.error, self.leave = SPEC, [], None, threading.Event()

    def image_map(self, method, ready, progress):
        """A map of one place."""
        self.asked.append(method)
        progress(0.4, Message("explain.progress.done", title=method, percent=40))
        while not self.leave.wait(0.01):
            progress(0.5, Message("explain.progress.done", title=method, percent=50))
        if self.error:
            raise self.error
        return CropMap(np.ones((1, 1), np.float32), ready.box)


@pytest.fixture
def explainer(monkeypatch):
    """The stand-in for the explanation methods."""
    made = FakeExplainer()
    monkeypatch.setattr(module, "explainer_of", lambda reader: made)
    monkeypatch.setattr(FakeReader, "model_input", lambda self, reading: INPUT, raising=False)
    return made


@pytest.fixture
def maps():
    """Of one session."""
    return Maps()


def until(maps: Maps, status: str, *key: str):
    """The task once it stands so."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        task = maps.task(*(key or ("a", "layercam", "map")))
        if task.status == status:
            return task
        time.sleep(0.005)
    raise AssertionError(f"{task.status}, not {status}")


def start(maps: Maps, identity: str = "a", method: str = "layercam", kind: str = "map") -> None:
    """Ask for a map."""
    maps.start(FakeReader(), identity, READING, method, kind)


def test_a_map_is_computed_once(maps, explainer):
    """With its progress meanwhile; asking again computes nothing."""
    assert maps.task("a", "layercam", "map").status == "none"
    start(maps)
    task = until(maps, "computing")
    start(maps)
    explainer.leave.set()
    assert until(maps, "done").result.values.shape == (1, 1)
    assert task.share in (0.4, 0.5)
    start(maps)
    assert explainer.asked == ["layercam"]


def test_maps_take_turns_and_one_that_waits_can_be_stopped(maps, explainer):
    """The second waits for the first; stopped, it is never begun."""
    start(maps)
    until(maps, "computing")
    start(maps, "b")
    assert maps.task("b", "layercam", "map").status == "waiting"
    maps.stop("b", "layercam", "map")
    explainer.leave.set()
    until(maps, "done")
    assert maps.task("b", "layercam", "map").status == "stopped"
    assert explainer.asked == ["layercam"]


def test_stop_ends_the_work_and_it_can_be_asked_for_again(maps, explainer):
    """At the next sign of progress, and nothing is kept."""
    start(maps)
    until(maps, "computing")
    maps.stop("a", "layercam", "map")
    assert until(maps, "stopped").result is None
    explainer.leave.set()
    start(maps)
    until(maps, "done")
    assert explainer.asked == ["layercam", "layercam"]


@pytest.mark.parametrize("error", [MissingWeights("model.missing_file", path="gone"), RuntimeError("inner detail")])
def test_a_failure_is_a_sentence(maps, explainer, error):
    """A known error says what is missing; an unexpected one has a reference number and no detail. Then the next."""
    explainer.error = error
    explainer.leave.set()
    start(maps)
    words = str(until(maps, "failed").words)
    assert ("gone" in words) == isinstance(error, MissingWeights)
    assert "inner detail" not in words
    explainer.error = None
    start(maps)
    until(maps, "done")


def test_nothing_is_kept_of_an_image_that_is_gone(maps, explainer):
    """Its results go, and what is computed of it stops."""
    explainer.leave.set()
    start(maps)
    until(maps, "done")
    maps.keep({"b"})
    assert maps.task("a", "layercam", "map").status == "none"
    explainer.leave.clear()
    start(maps, "a")
    task = until(maps, "computing")
    maps.keep(set())
    assert task.status == "stopped"
    assert maps.task("a", "layercam", "map").status == "none"


def test_the_work_ends_with_the_session(explainer):
    """A map that nobody waits for is not computed to its end."""
    maps = Maps()
    start(maps)
    task = until(maps, "computing")
    del maps
    end = time.monotonic() + 20
    while any(thread.name == "computes maps" for thread in threading.enumerate()) and time.monotonic() < end:
        time.sleep(0.01)
    assert task.result is None
    assert not any(thread.name == "computes maps" for thread in threading.enumerate())


def test_the_default_map_is_tested_as_it_is(maps, explainer, monkeypatch):
    """Without computing it again."""
    seen = []
    monkeypatch.setattr(module, "image_test", lambda *given: seen.append(given[3]) or "tested")
    start(maps, method="gradcam", kind="test")
    assert until(maps, "done", "a", "gradcam", "test").result == "tested"
    assert seen[0] is READING.heat
    assert explainer.asked == []
