"""A result is sent until the target has it or has refused it often enough; a target that is down costs no try."""

import threading

import pytest

from cxrmodel.configuration.schema import OutboxSection
from cxrmodel.errors import PermanentFailure, SettingError, StoreUnavailable, TransientFailure
from cxrmodel.reading import ReadingRecord
from cxrmodel.store.records import Delivery, DeliveryState, Received, StoredObject
from cxrmodel.work.sending import Sending
from tests.support.faults import Faulty
from tests.support.waiting import wait_until

DOWN = TransientFailure("exchange.unexpected")
REFUSED = PermanentFailure("exchange.unexpected")


class Archive:
    """A target that keeps what it gets."""

    name = "pacs"

    def __init__(self) -> None:
        self.kept: list[bytes] = []

    def send(self, data: bytes) -> None:
        """Keep an object."""
        self.kept.append(data)


@pytest.fixture
def archive() -> Archive:
    """The target behind ``target``."""
    return Archive()


@pytest.fixture
def target(archive) -> Faulty:
    """A target; ``before`` and ``after`` take faults of ``send``."""
    return Faulty(archive)


@pytest.fixture
def sending(shared, target) -> Sending:
    """The part that sends, with two tries for an object."""
    return Sending(shared, target, OutboxSection(tries=2, retry_seconds=0.001, longest_retry_seconds=0.001))


@pytest.fixture
def add(store):
    """A function that puts a result of some bytes into the outbox."""

    def added(number: int) -> None:
        store.receive(Received(str(number), f"{number:064}", "folder"), "model")
        job = store.lease("a" * 32, "model", 30)
        record = ReadingRecord(str(number), "refused", codes=("imaging.empty",))
        store.finish(job, record, [StoredObject(f"2.25.{number}", "sr", "1.2", bytes([number]))], ["pacs"])

    return added


@pytest.fixture
def lease(store):
    """A function that leases the next delivery as the worker does."""

    def leased() -> Delivery | None:
        return store.lease_delivery("a" * 32, "pacs", 30)

    return leased


def states(store) -> dict[DeliveryState, int]:
    """Number of deliveries by state, without those of none."""
    return {state: count for state, count in store.state().deliveries.items() if count}


@pytest.mark.parametrize("error", [DOWN, SettingError("configuration.secret.no_file", file="token")])
def test_a_target_that_is_down_costs_no_try(store, sending, target, archive, add, lease, let_pass, error):
    """However often; then it gets the object once."""
    add(1)
    for _ in range(5):
        target.before["send"] = [error]
        delivery = lease()
        assert delivery.tries == 1
        assert sending.send(delivery) is False
        assert states(store) == {DeliveryState.RETRYING: 1}
        let_pass(1)
    assert sending.send(lease()) is True
    assert (states(store), archive.kept) == ({DeliveryState.DELIVERED: 1}, [b"\1"])


def test_the_target_says_when_to_come_back(store, sending, target, add, lease, let_pass):
    """And is left alone until then."""
    add(1)
    busy = TransientFailure("exchange.unexpected")
    busy.retry_after = 60.0
    target.before["send"] = [busy]
    sending.send(lease())
    let_pass(59)
    assert lease() is None
    let_pass(1)
    assert lease() is not None


@pytest.mark.parametrize("error", [REFUSED, ValueError("a defect")])
def test_an_object_that_is_refused_becomes_a_dead_letter(store, sending, target, archive, add, lease, let_pass, error):
    """After its tries; the others are sent, and a person can revive it."""
    add(1)
    add(2)
    target.before["send"] = [error]
    sending.send(lease())
    sending.send(lease())
    let_pass(1)
    target.before["send"] = [error]
    sending.send(lease())
    assert states(store) == {DeliveryState.DEAD: 1, DeliveryState.DELIVERED: 1}
    assert archive.kept == [b"\2"]
    assert store.revive("delivery") == 1
    sending.send(lease())
    assert archive.kept == [b"\2", b"\1"]


def test_what_was_sent_is_noted_once_the_store_is_back(store, sending, archive, add, lease):
    """It is not sent again."""
    add(1)
    store.before["delivered"] = [StoreUnavailable("store.busy")] * 3
    assert sending.send(lease()) is True
    assert states(store) == {DeliveryState.DELIVERED: 1}
    assert archive.kept == [b"\1"]


def test_a_lost_answer_sends_the_same_bytes_again(store, sending, target, archive, add, lease, let_pass):
    """The target has the object already and takes it for the same."""
    add(1)
    target.after["send"] = [DOWN]
    assert sending.send(lease()) is False
    let_pass(1)
    assert sending.send(lease()) is True
    assert archive.kept == [b"\1", b"\1"]


def test_everything_is_sent_in_its_order(shared, store, sending, archive, add):
    """By the loop, also after it could not reach the store."""
    for number in (1, 2, 3):
        add(number)
    store.before["lease_delivery"] = [StoreUnavailable("store.busy"), RuntimeError("a defect")]
    running = threading.Thread(target=sending.run)
    running.start()
    try:
        wait_until(lambda: len(archive.kept) == 3)
    finally:
        shared.bell.stop()
        running.join()
    assert archive.kept == [b"\1", b"\2", b"\3"]
