"""Waits grow and differ, the bell loses no ring, an outage is noted once."""

import threading

import pytest

from cxrmodel.work.waiting import BackOff, Bell, Outage

PATIENCE = 30.0  # seconds; guards against hanging


@pytest.mark.parametrize(("attempt", "whole"), [(1, 5), (2, 10), (3, 20), (6, 160), (7, 300), (1000, 300)])
def test_waits_double_up_to_the_longest(attempt, whole):
    """And are shortened by up to a half."""
    for draw, share in ((0.0, 1.0), (0.5, 0.75), (1.0, 0.5)):
        assert BackOff(5, 300, lambda draw=draw: draw).seconds(attempt) == whole * share


def test_the_first_wait_may_be_longer_than_the_longest():
    """It is then the only one."""
    assert BackOff(10, 1, lambda: 0.0).seconds(4) == 10


def test_a_ring_before_the_wait_is_not_lost():
    """Who looked for work before it rang does not wait."""
    bell = Bell()
    rung = bell.rung
    bell.ring()
    bell.wait(PATIENCE, rung)
    assert (bell.rung, bell.stopped) == (1, False)


@pytest.mark.parametrize("wait", [lambda bell: bell.wait(PATIENCE, bell.rung), lambda bell: bell.rest(PATIENCE)])
def test_a_stop_ends_every_wait(wait):
    """Those that have begun and those that begin later."""
    bell = Bell()
    waiting = threading.Thread(target=wait, args=[bell])
    waiting.start()
    bell.stop()
    waiting.join(PATIENCE / 2)
    assert not waiting.is_alive()
    wait(bell)


def test_a_ring_does_not_end_a_rest():
    """Only its time does."""
    bell = Bell()
    threading.Timer(0.01, bell.ring).start()
    bell.rest(0.05)
    assert bell.rung == 1


def test_an_outage_is_noted_when_it_begins_and_when_it_ends():
    """With its cause, also where that changes, and not for every failure."""
    noted = []
    outage = Outage(noted.append)
    for cause in (None, "a.b", "a.b", "a.c", None, None, "a.b"):
        if cause is None:
            outage.ends()
        else:
            outage.begins(cause)
    assert noted == ["a.b", "a.c", None, "a.b"]
