"""Charts after words: the order in which a browser is given them, and where they stand."""

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from cxrmodel.web.components import chart
from tests.support.pages import page_of


def page(opened: bool, fault: bool) -> None:
    import altair as alt
    import streamlit as st

    from cxrmodel.web.components.chart import charts_last, draw

    def bars(name: str, run: str) -> alt.Chart:
        st.session_state.made.append(name)
        return alt.Chart({"values": [{"a": name}]}).mark_bar().encode(x="a:N")

    st.session_state.made = []
    try:
        with charts_last(opened):
            st.markdown("above")
            draw(bars, "The first", "first", st.session_state.run)
            st.markdown("between")
            if fault:
                raise ValueError("no more")
            draw(bars, "The second", "second", st.session_state.run)
            st.session_state.made.append("words")
    except ValueError as error:
        st.markdown(str(error))
    draw(bars, "Outside", "outside", st.session_state.run)
    st.session_state.made.append("end")


@pytest.fixture
def pauses(monkeypatch):
    taken = []
    monkeypatch.setattr(chart, "sleep", taken.append)
    return taken


@pytest.fixture
def run(request):
    def ran(**given: bool) -> AppTest:
        app = page_of(page, **{"opened": False, "fault": False} | given)
        app.session_state["run"] = f"{request.node.name} {given}"
        app.run()
        assert not app.exception
        return app

    return ran


def kinds(app: AppTest) -> list[str]:
    """What stands on the page, from top to bottom."""
    names = {"vega_lite_chart": "chart", "html": "place"}
    kept = [element for element in app.main if element.type in ("markdown", *names)]
    return [names.get(element.type) or element.value for element in kept]


def test_charts_come_after_the_words_and_stand_among_them(run, pauses):
    """On a page that was just opened: made last, after a pause, in the order asked for."""
    app = run(opened=True)
    assert app.session_state["made"] == ["words", "first", "second", "outside", "end"]
    assert kinds(app) == ["above", "chart", "between", "chart", "chart"]
    assert pauses == [0.1]


def test_charts_are_replaced_at_once(run, pauses):
    """On a page that is drawn again, nothing waits and nothing is blank in between."""
    app = run(opened=False)
    assert app.session_state["made"] == ["first", "second", "words", "outside", "end"]
    assert kinds(app) == ["above", "chart", "between", "chart", "chart"]
    assert pauses == []


def test_a_place_is_kept(monkeypatch, run):
    """While the browser shows the words, something stands where each chart will; nothing of it stays."""
    with monkeypatch.context() as patched:
        patched.setattr(chart, "sleep", lambda _: st.stop())
        app = run(opened=True)
    assert kinds(app) == ["above", "place", "between", "place"]
    monkeypatch.setattr(chart, "sleep", lambda _: None)
    assert "place" not in kinds(run(opened=True))


@pytest.mark.parametrize("opened", [False, True])
def test_fault_after_a_chart(run, pauses, opened):
    """What was asked for before the fault is drawn, the fault goes on, and later charts are drawn at once."""
    app = run(fault=True, opened=opened)
    assert app.session_state["made"] == ["first", "outside", "end"]
    assert kinds(app) == ["above", "chart", "between", "no more", "chart"]
    assert len(pauses) == opened


def test_no_chart_no_pause(pauses):
    with chart.charts_last(opened=True):
        pass
    assert pauses == []


def test_a_description_is_made_once(run):
    """A chart of the same series and options is not made again."""
    assert run(opened=False).session_state["made"] == ["first", "second", "words", "outside", "end"]
    assert run(opened=False).session_state["made"] == ["words", "end"]
