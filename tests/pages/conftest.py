"""The pages under test: the real ones, over a stand-in for the trained reader."""

import pytest
from streamlit.testing.v1 import AppTest

from cxrmodel.errors import MissingWeights
from cxrmodel.evaluation import storage
from cxrmodel.web import about, engine
from cxrmodel.web.evaluation import selection
from tests.support.pages import page_at, page_text
from tests.support.stand_ins import FakeReader, made_up_evaluation, spec_of


@pytest.fixture
def use(monkeypatch):
    """A function that makes the pages read with a given reader."""

    def use_reader(reader):
        monkeypatch.setattr(engine, "reader", lambda: reader)
        monkeypatch.setattr(engine, "specification", lambda: reader.spec)
        return reader

    return use_reader


@pytest.fixture
def reader(use):
    """The stand-in that reads every image at 87 %."""
    return use(FakeReader())


@pytest.fixture
def no_weights(monkeypatch):
    """A program whose weights are missing."""

    def missing():
        raise MissingWeights("model.missing_file", path="gone")

    monkeypatch.setattr(engine, "reader", missing)


@pytest.fixture
def evaluations(tmp_path, monkeypatch):
    """A folder with an evaluation of both models, which the pages draw from."""

    def load(model, spec=None):
        return storage.load_evaluation(model, tmp_path, spec or spec_of(model))

    storage.save_evaluation(made_up_evaluation("densenet121", 2.0), tmp_path)
    storage.save_evaluation(made_up_evaluation("cnn", 1.0), tmp_path)
    for module in (about, selection):
        monkeypatch.setattr(module, "load_evaluation", load)
    return tmp_path


@pytest.fixture
def visit():
    """A function that opens a page through the router."""

    def open_page(name: str) -> AppTest:
        return page_at("pages/router.py").run().switch_page(f"{name}.py").run()

    return open_page


@pytest.fixture
def text_of():
    """A function that gives everything a page shows."""
    return page_text
