"""Whatever workers do in whatever order, the queue behaves as a simple list would."""

import itertools
import threading
from dataclasses import dataclass, field
from datetime import datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cxrmodel.store.records import Delivery, Job, JobState
from cxrmodel.store.store import Store
from tests.support.stored import READ, received, report

MODELS = (f"model@{number}" for number in itertools.count())
ACTS = st.one_of(
    st.tuples(st.just("receive"), st.integers(0, 4)),
    st.tuples(st.just("lease"), st.sampled_from([5.0, 20.0])),
    st.tuples(st.sampled_from(["finish", "retry", "give_up", "extend"]), st.integers(0, 7)),
    st.tuples(st.just("revive"), st.integers(0, 4)),
    st.tuples(st.just("wait"), st.sampled_from([1.0, 7.0, 30.0])),
)
SENDING = st.one_of(
    st.tuples(st.just("lease"), st.sampled_from([5.0, 20.0])),
    st.tuples(st.sampled_from(["delivered", "redeliver", "dead"]), st.integers(0, 7)),
    st.tuples(st.just("wait"), st.sampled_from([1.0, 7.0, 30.0])),
)
PROPERTY = settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])


@dataclass
class Item:
    """What is known of a job or a delivery."""

    key: str
    state: str = "waiting"
    due: datetime | None = None
    holder: str = ""
    tries: int = 0


@dataclass
class Reference:
    """The queue as a list, in order of arrival."""

    items: list[Item] = field(default_factory=list)

    def lease(self, now: datetime) -> Item | None:
        """Wake what is due, and give the first that waits."""
        for item in self.items:
            if item.due is not None and item.due <= now:
                item.state, item.due, item.holder = "waiting", None, ""
        return next((item for item in self.items if item.state == "waiting"), None)

    def held(self, lease: str) -> Item | None:
        """The item that a lease still holds."""
        return next((item for item in self.items if item.holder == lease), None)


@PROPERTY
@given(acts=st.lists(ACTS, max_size=40))
def test_jobs_behave_as_a_list(store, clock, acts):
    """One holder at a time, the oldest first, and whoever has lost a lease changes nothing."""
    model, reference, leases, ids = next(MODELS), Reference(), [], {}
    for act, value in acts:
        if act == "wait":
            clock.move(value)
        elif act == "receive":
            key = f"{model}/{value}"
            fresh = all(item.key != key for item in reference.items)
            assert store.receive(received(key), model) == fresh
            reference.items += [Item(key)] if fresh else []
        elif act == "lease":
            lease_one(store, model, value, clock, reference, leases)
            ids |= {job.image.key: job.id for job in leases}
        elif act == "revive":
            item = next((one for one in reference.items if one.key == f"{model}/{value}"), None)
            failed = item is not None and item.state == "failed"
            assert store.revive("job", ids.get(f"{model}/{value}", -1)) == failed
            if failed:
                item.state, item.tries = "waiting", 0
        elif leases:
            change_one(store, act, leases[value % len(leases)], clock, reference)
    found = store.lease("last", model, 1.0)
    expected = reference.lease(clock())
    assert (found and found.image.key) == (expected and expected.key)


def lease_one(store: Store, model: str, seconds: float, clock, reference: Reference, leases: list[Job]) -> None:
    """Lease, and compare with the list."""
    job, expected = store.lease(f"w{len(leases)}", model, seconds), reference.lease(clock())
    assert (job and job.image.key) == (expected and expected.key)
    if job is not None:
        expected.tries += 1
        assert job.tries == expected.tries
        expected.state, expected.due, expected.holder = "leased", job.lease_until, job.lease
        leases.append(job)


def change_one(store: Store, act: str, job: Job, clock, reference: Reference) -> None:
    """Do something with a job, perhaps with one that is lost, and compare."""
    item = reference.held(job.lease)
    done = {
        "finish": lambda: store.finish(job, READ, [report(f"{job.image.key}/sr", job.lease.encode())], ["pacs"]),
        "retry": lambda: store.retry(job, "store.busy", 10.0),
        "give_up": lambda: store.give_up(job, "store.busy"),
        "extend": lambda: store.extend(job, 20.0),
    }[act]()
    assert done == (item is not None)
    if item is None:
        return
    ends = {"finish": ("read", None), "retry": ("retrying", 10.0), "give_up": ("failed", None), "extend": (None, 20.0)}
    state, seconds = ends[act]
    item.state, item.holder = state or item.state, item.holder if act == "extend" else ""
    item.due = None if seconds is None else clock.after(seconds)


@PROPERTY
@given(acts=st.lists(SENDING, max_size=30), results=st.integers(1, 4))
def test_deliveries_behave_as_a_list(store, clock, acts, results):
    """As jobs do; the bytes are always those that were stored."""
    target = model = next(MODELS)
    store.receive(received(model), model)
    objects = [report(f"{model}/{number}", bytes([number])) for number in range(results)]
    assert store.finish(store.lease("w", model, 10.0), READ, objects, [target])
    reference, leases = Reference([Item(one.uid) for one in objects]), []
    for act, value in acts:
        if act == "wait":
            clock.move(value)
        elif act == "lease":
            found, expected = store.lease_delivery("w", target, value), reference.lease(clock())
            assert (found and found.object) == (expected and next(one for one in objects if one.uid == expected.key))
            if found is not None:
                expected.state, expected.due, expected.holder = "leased", clock.after(value), found.lease
                leases.append(found)
        elif leases:
            send_one(store, act, leases[value % len(leases)], clock, reference)


def send_one(store: Store, act: str, delivery: Delivery, clock, reference: Reference) -> None:
    """Do something with a delivery, perhaps with one that is lost, and compare."""
    item = reference.held(delivery.lease)
    done = {
        "delivered": lambda: store.delivered(delivery),
        "redeliver": lambda: store.redeliver(delivery, "store.busy", 10.0),
        "dead": lambda: store.dead(delivery, "store.busy"),
    }[act]()
    assert done == (item is not None)
    if item is not None:
        item.state, item.holder = act, ""
        item.due = clock.after(10.0) if act == "redeliver" else None


@pytest.mark.parametrize("workers", [4])
def test_workers_at_once_share_the_jobs(open_again, workers):
    """Each has connections of its own, as processes have; no image is read twice, none is left."""
    store = open_again()
    for number in range(40):
        store.receive(received(str(number)), "m")
    found: list[str] = []

    def work(name: str, own: Store) -> None:
        while (job := own.lease(name, "m", 1000.0)) is not None:
            found.append(job.image.key)
            assert own.finish(job, READ, [report(f"r{job.image.key}")], ["pacs"])

    threads = [threading.Thread(target=work, args=(f"w{one}", open_again())) for one in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == sorted(str(number) for number in range(40))
    assert store.state().jobs[JobState.READ] == 40


def test_inboxes_at_once_make_one_job(open_again):
    """An image that comes by several ways at once is taken in once."""
    taken: list[bool] = []

    def bring(own: Store) -> None:
        taken.extend(own.receive(received(str(number)), "m") for number in range(10))

    threads = [threading.Thread(target=bring, args=(open_again(),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == [False] * 30 + [True] * 10
