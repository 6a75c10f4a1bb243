"""Received files go when their time is over; those that may still be needed stay."""

import pytest

from cxrmodel.configuration.schema import RetentionSection
from cxrmodel.store.records import JobState
from cxrmodel.work.upkeep import Upkeep

DAY = 86400.0


@pytest.fixture
def files(store):
    """A function that gives the number of received files."""
    return lambda: sum(1 for path in store.files.folder.glob("??/*") if path.is_file())


@pytest.mark.parametrize(("days", "left"), [(0.0, [0, 0]), (1.0, [1, 0])])
def test_a_file_goes_after_its_image_was_read(store, shared, jobs, receive, loaded, let_pass, files, days, left):
    """At once, or after some days; the reading stays."""
    receive()
    upkeep = Upkeep(shared, loaded.spec.version, 1, RetentionSection(received_days=days))
    upkeep.once()
    assert files() == 1
    jobs.do(store.lease("a" * 32, loaded.spec.version, 30))
    found = []
    for _ in left:
        upkeep.once()
        found.append(files())
        let_pass(DAY)
    assert found == left
    assert store.state().jobs[JobState.READ] == 1


def test_what_was_given_up_keeps_its_file(store, shared, receive, loaded, let_pass, files):
    """So that a person can revive it."""
    receive()
    store.give_up(store.lease("a" * 32, loaded.spec.version, 30), "work.killed")
    let_pass(DAY)
    Upkeep(shared, loaded.spec.version, 1, RetentionSection()).once()
    assert files() == 1


def test_readings_go_after_their_days(store, shared, jobs, receive, loaded, let_pass, files):
    """With everything that belongs to them, where the configuration says so."""
    receive()
    jobs.do(store.lease("a" * 32, loaded.spec.version, 30))
    upkeep = Upkeep(shared, loaded.spec.version, 1, RetentionSection(received_days=30, readings_days=2))
    let_pass(1.9 * DAY)
    upkeep.once()
    assert store.state().jobs[JobState.READ] == 1
    let_pass(0.1 * DAY)
    upkeep.once()
    assert not any(store.state().jobs.values())
    assert not any(store.state().deliveries.values())
    assert files() == 0
