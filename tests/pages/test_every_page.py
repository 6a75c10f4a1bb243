"""What holds of every page."""

import re

import pytest

from cxrmodel.report.wording import DISCLAIMER
from cxrmodel.web import engine
from tests.support.pages import page_at, page_of, words
from tests.support.stand_ins import SPEC

PAGES = ("read", "heatmap", "evaluation", "about")
NOTICE = words("web.shell.notice", disclaimer=DISCLAIMER, version=SPEC.version)


@pytest.mark.usefixtures("reader", "evaluations")
@pytest.mark.parametrize("name", PAGES)
def test_frame(name, visit, text_of):
    """Each page has its title, the notice and the model's version, and no error."""
    app = visit(name)
    assert [element.value for element in app.title] == [words(f"web.app.heading.{name}")]
    assert not app.exception
    assert not app.error
    assert app.main.markdown[0].value == NOTICE
    assert not app.sidebar.children  # only a phone's menu


@pytest.mark.usefixtures("reader", "evaluations")
@pytest.mark.parametrize("name", PAGES)
def test_alone(name):
    """Each page is whole without the router."""
    app = page_at(f"pages/{name}.py").run()
    assert [element.value for element in app.title] == [words(f"web.app.heading.{name}")]
    assert not app.exception
    assert app.main.markdown[0].value == NOTICE


@pytest.mark.usefixtures("reader")
def test_root_leads_to_read():
    """The program opens on Read."""
    app = page_at("pages/router.py").run()
    assert [element.value for element in app.title] == [words("web.app.heading.read")]


@pytest.mark.usefixtures("no_weights", "evaluations")
@pytest.mark.parametrize("name", PAGES)
def test_missing_weights(name, visit, text_of):
    """Without weights every page gives the reason in a sentence, and none takes an image."""
    app = visit(name)
    assert len(app.error) == 1
    assert words("web.shell.no_model", reason=words("model.missing_file", path="gone")) in text_of(app)
    assert words("web.shell.no_version") in text_of(app)
    assert not app.exception
    assert not app.button


def reference_in(code: str, shown: str) -> str:
    """The reference number of a text of the catalogue, which is the whole of what is shown."""
    pattern = re.escape(words(code, reference="REFERENCE")).replace("REFERENCE", "([0-9A-F]{6})")
    return re.fullmatch(pattern, shown)[1]


@pytest.mark.parametrize("name", PAGES)
def test_unexpected_error_while_loading_the_model(name, visit, monkeypatch, caplog):
    """Any other trouble with the model gives a sentence and a reference number."""

    def broken():
        raise OSError("secret path")

    monkeypatch.setattr(engine, "reader", broken)
    app = visit(name)
    assert reference_in("web.shell.model_failed", app.error[0].value) in caplog.text
    assert "secret" not in app.error[0].value + caplog.text
    assert not app.exception


@pytest.mark.usefixtures("reader")
def test_unexpected_error_on_a_page(visit, monkeypatch, caplog):
    """A fault of a page gives a sentence with the reference number that the log has, and no trace."""

    def broken():
        raise RuntimeError("Jane Doe.png")

    monkeypatch.setattr("cxrmodel.web.reading.page.welcome", lambda spec: broken())
    app = visit("read")
    (error,) = app.error
    reference = reference_in("web.shell.page_failed", error.value)
    assert f"reference {reference}: RuntimeError" in caplog.text
    assert "Jane" not in error.value + caplog.text
    assert not app.exception


@pytest.mark.usefixtures("reader")
def test_frame_lets_streamlit_stop_a_page():
    """The net for errors does not catch what Streamlit uses to stop or rerun a page."""

    def script():
        import streamlit as st

        from cxrmodel.web import shell

        with shell.frame("read"):
            st.stop()
        st.write("not reached")

    app = page_of(script).run()
    assert not app.error
    assert not app.exception
    assert "not reached" not in [element.value for element in app.markdown]
