"""The pages under test: the real ones, over a stand-in for the trained reader."""

import re
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from cxrmodel.errors import MissingWeights
from cxrmodel.evaluation import storage as results
from cxrmodel.web import about, engine
from cxrmodel.web.evaluation import selection as evaluation_shown
from tests.support.stand_ins import SPEC, FakeReader, evaluation_document

TIMEOUT = 120


@pytest.fixture
def use(monkeypatch):
    """A function that makes the pages read with a given reader."""

    def use_reader(reader):
        monkeypatch.setattr(engine, "reader", lambda: reader)
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
        raise MissingWeights("There is no trained model. Install the program again, or train it.")

    monkeypatch.setattr(engine, "reader", missing)


@pytest.fixture
def evaluations(tmp_path, monkeypatch):
    """A folder with an evaluation of both models, which the pages draw from."""

    def load(model, spec=None):
        return results.load_evaluation(model, tmp_path, spec or replace(SPEC, model=model))

    results.save_evaluation(evaluation_document("densenet121", 2.0), tmp_path)
    results.save_evaluation(evaluation_document("cnn", 1.0), tmp_path)
    for module in (about, evaluation_shown):
        monkeypatch.setattr(module, "load_evaluation", load)
    return tmp_path


@pytest.fixture
def visit(project):
    """A function that opens a page through the router."""

    def open_page(name: str) -> AppTest:
        app = AppTest.from_file(str(project / "app.py"), default_timeout=TIMEOUT).run()
        return app.switch_page(f"pages/{name}.py").run()

    return open_page


def shown(markdown: str) -> str:
    """A Markdown text as it shows, where its marks were escaped."""
    return re.sub(r"\\([^A-Za-z0-9\s])", r"\1", markdown)


def words(app: AppTest) -> str:
    """Everything that a page says, in plain spaces."""
    kinds = ("title", "subheader", "markdown", "caption", "error", "warning", "info", "success")
    said = [shown(element.value) for kind in kinds for element in getattr(app, kind)]
    said += [f"{metric.label}: {metric.value}" for metric in app.metric] + [html.value for html in app.get("html")]
    return " ".join(" ".join(said).split())


@pytest.fixture
def say():
    """A function that gives everything a page says."""
    return words
