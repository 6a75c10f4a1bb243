"""The one model of the server."""

import pytest

from cxrmodel.errors import MissingWeights
from cxrmodel.imaging.sandbox import pool
from cxrmodel.reading import Reader
from cxrmodel.web import engine
from tests.support.stand_ins import FakeReader


@pytest.fixture(autouse=True)
def empty_cache():
    """No model is loaded before or after a test."""
    engine.reader.clear()
    yield
    engine.reader.clear()


def test_model_is_loaded_once(monkeypatch):
    """All sessions share one loaded model."""
    loaded = []
    monkeypatch.setattr(Reader, "load", lambda model: loaded.append(model) or FakeReader())
    assert engine.reader() is engine.reader()
    assert loaded == ["densenet121"]


def test_the_server_decodes_in_confined_processes(monkeypatch):
    """From the first page on, each process one image."""
    monkeypatch.setattr(Reader, "load", lambda model: FakeReader())
    engine.reader()
    assert (pool._sandbox is not None) == pool.AVAILABLE


def test_missing_model_is_looked_for_again(monkeypatch):
    """A failure is not kept: once the files are there, the next page finds them."""

    def missing(model):
        raise MissingWeights("model.missing_file", path="gone")

    monkeypatch.setattr(Reader, "load", missing)
    for _ in range(2):
        with pytest.raises(MissingWeights):
            engine.reader()
    found = FakeReader()
    monkeypatch.setattr(Reader, "load", lambda model: found)
    assert engine.reader() is found
