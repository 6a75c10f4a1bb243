"""Leases in progress are extended in time, and given back on stopping."""

from datetime import UTC, datetime

import pytest

from cxrmodel.errors import StoreUnavailable
from cxrmodel.store.records import Delivery, Job, Received, StoredObject
from cxrmodel.work import leases as module
from cxrmodel.work.leases import STOPPED, Leases
from cxrmodel.work.waiting import Bell

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
JOB = Job(1, Received("1.2.3", "0" * 64, "folder"), "model", 1, "a" * 32, MOMENT, MOMENT)
DELIVERY = Delivery(2, StoredObject("1.2.4", "sr", "1.2.5", b""), "pacs", 1, "b" * 32)


class Ledger:
    """A store that keeps a list of what it was asked, and answers as told."""

    def __init__(self, answer: bool | Exception = True) -> None:
        self.asked, self.answer = [], answer

    def __getattr__(self, name: str):
        def answered(item, *values, **options):
            self.asked.append((name, item.id, *values, *options.values()))
            if isinstance(self.answer, Exception):
                raise self.answer
            return self.answer

        return answered


@pytest.fixture
def clock(monkeypatch):
    """A function that moves the time of leases on."""
    now = [1000.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    return lambda seconds: now.__setitem__(0, now[0] + seconds)


def test_a_lease_is_extended_after_a_third_of_its_time(clock):
    """Each of both kinds by its own operation, and not before."""
    store = Ledger()
    leases = Leases(store, 30)
    with leases.held(JOB), leases.held(DELIVERY):
        clock(9.9)
        leases.extend()
        assert store.asked == []
        clock(0.1)
        leases.extend()
        leases.extend()
        assert store.asked == [("extend", 1, 30), ("extend_delivery", 2, 30)]
    clock(100)
    leases.extend()
    assert len(store.asked) == 2


def test_while_the_store_is_down_the_lease_is_tried_again(clock):
    """At the next look, not a third of its time later."""
    store = Ledger(StoreUnavailable("store.busy"))
    leases = Leases(store, 30)
    with leases.held(JOB):
        clock(10)
        leases.extend()
        leases.extend()
        assert len(store.asked) == 2
        assert leases.number == 1


def test_a_lost_lease_is_held_no_longer(clock):
    """It is neither extended again nor given back: it is another worker's."""
    store = Ledger(answer=False)
    leases = Leases(store, 30)
    with leases.held(JOB):
        clock(10)
        leases.extend()
        assert leases.number == 0
        assert leases.give_back() == 0
    assert len(store.asked) == 1


def test_what_is_in_progress_is_given_back_without_a_try():
    """Others may take it at once."""
    store = Ledger()
    leases = Leases(store, 30)
    with leases.held(JOB), leases.held(DELIVERY):
        assert leases.give_back() == 2
        assert leases.give_back() == 0
    assert store.asked == [("retry", 1, STOPPED, 0.0, False), ("redeliver", 2, STOPPED, 0.0, False)]


def test_leases_are_extended_until_the_last_work_ends(clock):
    """Also after the worker was told to stop."""
    store, bell = Ledger(), Bell()
    leases = Leases(store, 30)
    bell.stop()
    with leases.held(JOB):
        clock(10)
        store.answer = False  # a lost lease is the end of what there is to extend
        leases.run(bell, 0.001)
    assert store.asked == [("extend", 1, 30)]
