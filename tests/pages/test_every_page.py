"""What holds of every page."""

import pytest
from streamlit.testing.v1 import AppTest

from cxrmodel.web import engine

PAGES = {"read": "Read an image", "heatmap": "Heatmap", "evaluation": "Evaluation", "about": "About"}


@pytest.mark.usefixtures("reader", "evaluations")
@pytest.mark.parametrize(("name", "title"), PAGES.items())
def test_frame(name, title, visit, say):
    """Each page has its title, the notice and the model's version, and no error."""
    app = visit(name)
    assert [element.value for element in app.title] == [title]
    assert not app.exception
    assert not app.error
    assert "Not for diagnosis; research use only." in app.main.markdown[0].value
    assert "densenet121 0123456789ab" in app.main.markdown[0].value
    assert "Not for diagnosis; research use only." in app.sidebar.markdown[0].value


@pytest.mark.usefixtures("reader", "evaluations")
@pytest.mark.parametrize(("name", "title"), PAGES.items())
def test_alone(name, title, project):
    """Each page is whole without the router, as on the first visit to its address on a fresh server."""
    app = AppTest.from_file(str(project / "pages" / f"{name}.py"), default_timeout=120).run()
    assert [element.value for element in app.title] == [title]
    assert not app.exception
    assert "Not for diagnosis" in app.main.markdown[0].value


@pytest.mark.usefixtures("reader")
def test_root_leads_to_read(project):
    """The program opens on Read."""
    app = AppTest.from_file(str(project / "app.py"), default_timeout=120).run()
    assert [element.value for element in app.title] == ["Read an image"]


@pytest.mark.usefixtures("no_weights", "evaluations")
@pytest.mark.parametrize("name", PAGES)
def test_missing_weights(name, visit, say):
    """Without weights every page says so in a sentence, and none takes an image."""
    app = visit(name)
    assert len(app.error) == 1
    assert "There is no trained model. Install the program again, or train it. No image is read until then." in say(app)
    assert "no model loaded" in say(app)
    assert not app.exception
    assert not app.file_uploader
    assert not app.button


@pytest.mark.parametrize("name", PAGES)
def test_unexpected_error_while_loading_the_model(name, visit, monkeypatch, caplog):
    """Any other trouble with the model gives a sentence and a reference number."""

    def broken():
        raise OSError("secret path")

    monkeypatch.setattr(engine, "reader", broken)
    app = visit(name)
    assert app.error[0].value.startswith("The model could not be loaded because of an unexpected error, reference")
    assert "secret" not in app.error[0].value + caplog.text
    assert not app.exception


@pytest.mark.usefixtures("reader")
def test_unexpected_error_on_a_page(visit, monkeypatch, caplog):
    """A fault of a page gives a sentence with the reference number that the log has, and no trace."""

    def broken():
        raise RuntimeError("Jane Doe.png")

    monkeypatch.setattr("cxrmodel.web.session.entries", broken)
    app = visit("read")
    (error,) = app.error
    reference = error.value.split("reference number ")[1][:6]
    assert error.value.startswith("This page could not be drawn because of an unexpected error")
    assert f"reference {reference}: RuntimeError" in caplog.text
    assert "drop your images again" in error.value
    assert "Jane" not in error.value + caplog.text
    assert not app.exception


@pytest.mark.usefixtures("reader")
def test_frame_lets_streamlit_stop_a_page():
    """The net for errors does not catch what Streamlit uses to stop or rerun a page."""

    def script():
        import streamlit as st

        from cxrmodel.web import shell

        with shell.frame("Title"):
            st.stop()
        st.write("not reached")

    app = AppTest.from_function(script, default_timeout=120).run()
    assert not app.error
    assert not app.exception
    assert "not reached" not in [element.value for element in app.markdown]
