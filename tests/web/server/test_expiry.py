"""Sessions whose tab was closed."""

from types import SimpleNamespace

import pytest

from cxrmodel.web.server.expiry import ClosedSessions


@pytest.fixture
def clock():
    """A clock that stands still until it is moved."""
    return SimpleNamespace(now=0.0)


@pytest.fixture
def closed(clock):
    """Sessions that are kept for ten seconds."""
    return ClosedSessions(10, lambda: clock.now)


def info(name):
    """What Streamlit keeps of a session."""
    return SimpleNamespace(session=SimpleNamespace(id=name))


@pytest.mark.parametrize(("seconds", "over"), [(0, ""), (9.9, ""), (10, "a"), (14.9, "a"), (15, "ab"), (999, "ab")])
def test_each_session_is_over_after_its_own_time(closed, clock, seconds, over):
    """Without another visit, and counted from the closing of its tab."""
    closed.save(info("a"))
    clock.now = 5
    closed.save(info("b"))
    clock.now = seconds
    assert "".join(found.session.id for found in closed.over()) == over


def test_a_session_that_comes_back_is_not_over(closed, clock):
    """Its time begins again when its tab is closed again."""
    closed.save(info("a"))
    assert closed.get("a").session.id == "a"
    closed.delete("a")
    assert (closed.get("a"), closed.list()) == (None, [])
    clock.now = 20
    assert closed.over() == []
    closed.save(info("a"))
    assert [found.session.id for found in closed.list()] == ["a"]
    assert closed.over() == []


def test_an_unknown_session_is_no_error(closed):
    """It may be closed twice."""
    closed.delete("a")
    assert closed.get("a") is None
