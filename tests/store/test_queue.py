"""Jobs are leased by one worker, the oldest first; what is finished is stored once and never changes."""

import pytest

from cxrmodel.messages import Message
from cxrmodel.store.records import Dead, DeliveryState, JobState
from tests.support.stored import MODEL, READ, REFUSED, received, report


def test_an_image_has_one_job_for_a_model(store):
    """The second arrival changes nothing."""
    assert store.receive(received("1.2"), MODEL)
    assert not store.receive(received("1.2"), MODEL)
    assert store.receive(received("1.2"), "other")
    assert store.state().jobs[JobState.WAITING] == 2
    assert store.known({"1.2", "1.3"}, MODEL) == {"1.2"}


def test_the_oldest_image_is_leased_first(store, clock):
    """And each only once, also when its turn comes again after a failure."""
    for key in ("1", "2", "3"):
        store.receive(received(key), MODEL)
        clock.move(1)
    first = store.lease("a", MODEL, 60)
    assert (first.image, first.tries) == (received("1"), 1)
    assert store.retry(first, "store.busy", 10)
    assert store.lease("b", MODEL, 60).image.key == "2"
    clock.move(10)
    again = store.lease("b", MODEL, 60)
    assert (again.image.key, again.tries) == ("1", 2)
    assert store.lease("c", MODEL, 60).image.key == "3"
    assert store.lease("d", MODEL, 60) is None


@pytest.mark.parametrize(("counted", "tries"), [(True, 2), (False, 1)])
def test_a_try_counts_only_where_the_image_is_at_fault(store, counted, tries):
    """Of jobs and of deliveries."""
    store.receive(received("1"), MODEL)
    assert store.retry(store.lease("a", MODEL, 60), "store.busy", 0, counted=counted)
    job = store.lease("a", MODEL, 60)
    assert job.tries == tries
    store.finish(job, READ, [report("9")], ["pacs"])
    assert store.redeliver(store.lease_delivery("a", "pacs", 60), "exchange.down", 0, counted=counted)
    assert store.lease_delivery("a", "pacs", 60).tries == tries


def test_an_extended_delivery_is_kept(store, clock):
    """For the seconds from the extension on; a lost one is not taken back."""
    store.receive(received("1"), MODEL)
    store.finish(store.lease("a", MODEL, 60), READ, [report("9")], ["pacs"])
    held = store.lease_delivery("a", "pacs", 60)
    clock.move(59)
    assert store.extend_delivery(held, 60)
    clock.move(59)
    assert store.lease_delivery("b", "pacs", 60) is None
    clock.move(1)
    assert store.lease_delivery("b", "pacs", 60) is not None
    assert not store.extend_delivery(held, 60)


def test_a_model_gets_its_own_jobs(store):
    """Those of another are not read."""
    store.receive(received("1"), "other")
    assert store.lease("a", MODEL, 60) is None


def test_a_new_version_takes_over_what_waits(store, clock):
    """Each image once, in its order; what another model is to read stays, and what is being read until it is free."""
    arrivals = [("1", "01"), ("2", "01"), ("3", "01"), ("4", "01"), ("4", "03"), ("5", "01"), ("5", "02")]
    for key, version in arrivals:
        clock.move(1)
        store.receive(received(key), f"net {version}")
    store.receive(received("6"), "other 01")
    first, second, third = (store.lease("old", "net 01", 60) for _ in "123")
    assert store.retry(first, "work.stopped", 0)
    assert store.retry(second, "store.busy", 30)
    assert store.adopt("net 03") == 3
    assert store.state().jobs[JobState.SKIPPED] == 2
    assert [store.lease("new", "net 03", 600).image.key for _ in "145"] == ["1", "4", "5"]
    assert store.lease("new", "net 03", 600) is None
    clock.move(30)
    assert store.lease("new", "net 03", 600).image.key == "2"
    assert store.adopt("net 03") == 0
    clock.move(30)
    assert store.adopt("net 03") == 1
    assert store.lease("new", "net 03", 600).image.key == third.image.key == "3"
    assert store.lease("new", "other 01", 600).image.key == "6"


def test_an_expired_lease_is_taken_over(store, clock):
    """What the late worker brings is dropped."""
    store.receive(received("1"), MODEL)
    late = store.lease("a", MODEL, 60)
    clock.move(59)
    assert store.lease("b", MODEL, 60) is None
    clock.move(1)
    taken = store.lease("b", MODEL, 60)
    assert (taken.id, taken.tries) == (late.id, 2)
    assert not store.finish(late, READ, [report("9", b"late")], ["pacs"])
    assert not store.extend(late, 60)
    assert not store.retry(late, "store.busy", 1)
    assert not store.give_up(late, "store.busy")
    assert store.finish(taken, READ, [report("9")], ["pacs"])
    assert store.lease_delivery("b", "pacs", 60).object.data == b"first"


def test_an_extended_lease_is_kept(store, clock):
    """For the seconds from the extension on."""
    store.receive(received("1"), MODEL)
    job = store.lease("a", MODEL, 60)
    clock.move(50)
    assert store.extend(job, 60)
    clock.move(59)
    assert store.lease("b", MODEL, 60) is None
    assert store.finish(job, READ, [], [])


@pytest.mark.parametrize(("record", "state"), [(READ, JobState.READ), (REFUSED, JobState.REFUSED)])
def test_a_finished_job_is_over(store, clock, record, state):
    """Nobody leases it again, and finishing it again changes nothing."""
    store.receive(received("1"), MODEL)
    job = store.lease("a", MODEL, 60)
    assert store.finish(job, record, [report("9")], ["pacs", "archive"])
    assert not store.finish(job, record, [report("9", b"second")], ["pacs", "third"])
    clock.move(1000)
    assert store.lease("b", MODEL, 60) is None
    found = store.state()
    assert (found.jobs[state], found.deliveries[DeliveryState.WAITING]) == (1, 2)
    assert found.refusals == ({} if state is JobState.READ else {"imaging.empty": 1})


def test_an_object_keeps_its_first_bytes(store):
    """Also when the reading of another model gives the same UID."""
    for model, data in ((MODEL, b"first"), ("other", b"second")):
        store.receive(received("1"), model)
        assert store.finish(store.lease("a", model, 60), READ, [report("9", data)], ["pacs"])
    delivery = store.lease_delivery("a", "pacs", 60)
    assert delivery.object.data == b"first"
    assert store.lease_delivery("a", "pacs", 60) is None


def test_each_target_has_its_own_queue(store, clock):
    """A target that is down holds up no other; what was given up waits for a person."""
    store.receive(received("1"), MODEL)
    store.finish(store.lease("a", MODEL, 60), READ, [report("8"), report("9")], ["pacs", "archive"])
    first = store.lease_delivery("a", "pacs", 60)
    assert (first.object.uid, first.tries) == ("8", 1)
    assert store.redeliver(first, "exchange.down", 10)
    assert [store.lease_delivery("b", "archive", 60).object.uid for _ in "12"] == ["8", "9"]
    clock.move(10)
    again = store.lease_delivery("a", "pacs", 60)
    assert (again.object.uid, again.tries) == ("8", 2)
    assert store.dead(again, "exchange.refused")
    assert not store.delivered(again)
    assert store.dead_letters() == [Dead(again.id, "delivery", "pacs", "exchange.refused", 2, clock.time)]
    assert store.revive("delivery", again.id) == 1
    assert store.revive("delivery") == 0
    last = store.lease_delivery("a", "pacs", 60)
    assert (last.id, last.tries) == (again.id, 1)
    assert store.delivered(last)
    assert store.state().deliveries[DeliveryState.DELIVERED] == 1


def test_a_job_that_was_given_up_can_be_revived(store):
    """It is read as if it had just come."""
    store.receive(received("1"), MODEL)
    assert store.give_up(store.lease("a", MODEL, 60), "work.crashed")
    assert [(dead.what, dead.code) for dead in store.dead_letters()] == [("job", "work.crashed")]
    assert store.lease("a", MODEL, 60) is None
    assert store.revive("job") == 1
    assert store.lease("a", MODEL, 60).tries == 1


def test_everything_without_a_number_is_counted_by_code(store, clock):
    """What is skipped, and what was never taken in."""
    store.receive(received("1"), MODEL, skipped=Message("store.busy"))
    store.reject("scp", Message("imaging.empty"))
    store.reject("scp", Message("imaging.empty"))
    store.receive(received("2"), MODEL)
    clock.move(5)
    found = store.state()
    assert found.refusals == {"store.busy": 1, "imaging.empty": 2}
    assert (found.oldest_waiting, found.oldest_delivery) == (5.0, None)
    assert store.lease("a", MODEL, 60).image.key == "2"
    assert store.lease("a", MODEL, 60) is None


def test_workers_that_read_are_counted_while_they_give_signs_of_life(store, clock):
    """One that only receives is no reader; one that ends says so."""
    assert store.state().readers == 0
    for worker, at_once in (("a", 2), ("b", 1), ("c", 0)):
        store.beat(worker, MODEL, at_once)
    assert store.state().readers == 2
    clock.move(59)
    store.beat("a", MODEL, 2)
    clock.move(1)
    assert store.state().readers == 1
    store.leave("a")
    assert store.state().readers == 0


def test_a_job_shows_nothing_of_its_image(store):
    """It may stand in a traceback."""
    identity = {"key": "1.2.3", "patient_id": "DOE", "accession": "A77", "study_uid": "1.2.4", "station": "ROOM9"}
    store.receive(received(sha256="5" * 64, **identity), MODEL)
    shown = repr(store.lease("w", MODEL, 60))
    assert not [value for value in (*identity.values(), "5" * 64) if value in shown]
