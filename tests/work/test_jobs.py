"""A job ends with its reading and results, is tried again, or is given up; nothing else happens to it."""

import json
from dataclasses import asdict

import pytest

from cxrmodel.cli.main import main
from cxrmodel.errors import DecoderUnavailable, ImageTooLarge, StoreUnavailable
from cxrmodel.store.records import DeliveryState, Job, JobState
from tests.support.hospital import chest_image

DOWN = StoreUnavailable("store.busy")
WORKER = "a" * 32
WAIT = 0.01
"""Seconds, longer than any wait of ``jobs``."""


@pytest.fixture
def lease(store, loaded):
    """A function that leases the next job as the worker does; None where there is none."""

    def leased() -> Job | None:
        return store.lease(WORKER, loaded.spec.version, 30)

    return leased


def states(store) -> dict[JobState, int]:
    """Number of jobs by state, without those of no job."""
    return {state: count for state, count in store.state().jobs.items() if count}


def codes(store) -> list[str]:
    """Codes of what was given up."""
    return [dead.code for dead in store.dead_letters()]


def test_an_image_has_its_reading_and_both_results_for_every_target(store, jobs, receive, lease):
    """And rings for who sends."""
    receive()
    jobs.do(lease())
    assert states(store) == {JobState.READ: 1}
    assert store.state().deliveries[DeliveryState.WAITING] == 4
    sent = [store.lease_delivery(WORKER, target, 30).object for target in ("pacs", "pacs", "archive", "archive")]
    assert [one.kind for one in sent] == ["sr", "sc", "sr", "sc"]
    assert sent[0] == sent[2]
    assert jobs._bell.rung == 1


def test_numbers_equal_those_of_the_command(tmp_path, jobs, receive, lease, capsys):
    """The record is that of ``read --json``, its file and times apart."""
    (tmp_path / "image.dcm").write_bytes(chest_image(1))
    assert main(["read", "--json", str(tmp_path / "image.dcm"), "--prevalence", "0.5"]) == 0
    read = json.loads(capsys.readouterr().out)
    receive()
    record = json.loads(json.dumps(asdict(jobs.read(lease()).record)))
    own = dict.fromkeys(("file", "milliseconds", "file_bytes", "file_modified"))
    assert record | own == read | own


def test_a_refused_image_is_a_result(store, jobs, receive, lease):
    """One report that says why; the refusal has its place in the counts."""
    receive(data=chest_image(1, ViewPosition="LATERAL"))
    jobs.do(lease())
    assert states(store) == {JobState.REFUSED: 1}
    assert store.lease_delivery(WORKER, "pacs", 30).object.kind == "sr"
    assert store.lease_delivery(WORKER, "pacs", 30) is None
    ((code, count),) = store.state().refusals.items()
    assert (code.startswith("imaging."), count) == (True, 1)


def test_a_picture_is_read_without_results(store, jobs, receive, lease, demo_image):
    """There is no study that they could belong to."""
    receive(data=demo_image)
    jobs.do(lease())
    assert states(store) == {JobState.READ: 1}
    assert store.lease_delivery(WORKER, "pacs", 30) is None


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (MemoryError(), "work.no_memory"),
        (OSError(28, "No space left on device"), "work.machine"),
        (DecoderUnavailable("imaging.decoder.unavailable"), "imaging.decoder.unavailable"),
    ],
)
def test_what_the_machine_lacks_costs_no_try(store, reader, jobs, receive, lease, error, code, let_pass):
    """However often it happens; then the image is read."""
    receive()
    for _ in range(4):
        reader.before["read"] = [error]
        job = lease()
        assert job.tries == 1
        jobs.do(job)
        assert states(store) == {JobState.RETRYING: 1}
        let_pass(WAIT)
    jobs.do(lease())
    assert states(store) == {JobState.READ: 1}


@pytest.mark.parametrize("error", [ValueError("a defect"), OSError("image file is truncated")])
def test_an_image_at_which_the_reader_stumbles_is_given_up(store, reader, jobs, receive, lease, let_pass, error):
    """After its tries; a person can revive it, and it is then read."""
    receive()
    reader.before["read"] = [error, error]
    jobs.do(lease())
    assert states(store) == {JobState.RETRYING: 1}
    let_pass(WAIT)
    jobs.do(lease())
    assert states(store) == {JobState.FAILED: 1}
    assert codes(store) == ["work.unexpected"]
    assert store.revive("job") == 1
    jobs.do(lease())
    assert states(store) == {JobState.READ: 1}


def test_a_reader_that_reads_nothing_gives_no_image_up(store, reader, jobs, receive, lease, let_pass):
    """It does not read the known image either, so it is the reader that has failed."""
    receive()
    for _ in range(5):
        for read in ("read", "read_beside_others"):
            reader.before[read] = [RuntimeError("the network is gone")]
        jobs.do(lease())
        let_pass(WAIT)
    assert codes(store) == []
    jobs.do(lease())
    assert states(store) == {JobState.READ: 1}


def test_an_image_that_ends_its_worker_is_given_up(store, jobs, receive, lease, let_pass):
    """It was leased as often as it may be tried, and never put back."""
    receive()
    for _ in range(2):
        assert lease() is not None
        let_pass(31)
    jobs.do(lease())
    assert codes(store) == ["work.killed"]


@pytest.mark.parametrize("code", ["store.busy", "store.disk_full"])
def test_a_store_that_is_down_keeps_no_result_from_being_stored(store, reader, jobs, receive, lease, code):
    """It is kept and stored once the store is back: the image is read once."""
    receive()
    store.before["finish"] = [StoreUnavailable(code)] * 3
    jobs.do(lease())
    assert states(store) == {JobState.READ: 1}
    assert reader.calls.count("read") == 1


def test_a_connection_that_breaks_while_it_confirms_doubles_nothing(store, jobs, receive, lease):
    """The job is finished, though nobody was told so."""
    receive()
    store.after["finish"] = [DOWN]
    jobs.do(lease())
    assert states(store) == {JobState.READ: 1}
    assert store.state().deliveries[DeliveryState.WAITING] == 4


def test_a_file_that_cannot_be_reached_is_tried_again(store, jobs, receive, lease, let_pass):
    """As a disk may come back; one that is gone is given up after its tries."""
    receive()
    store.files.delete(lease_sha(store))
    jobs.do(lease())
    let_pass(WAIT)
    jobs.do(lease())
    assert states(store) == {JobState.FAILED: 1}
    assert codes(store) == ["store.file_missing"]


def test_a_worker_that_lost_its_lease_stores_nothing(store, jobs, receive, lease, loaded):
    """Another has the job."""
    receive()
    job = lease()
    store.retry(job, "work.stopped", 0.0, counted=False)
    other = store.lease("b" * 32, loaded.spec.version, 30)
    jobs.do(job)
    assert states(store) == {JobState.LEASED: 1}
    jobs.do(other)
    assert states(store) == {JobState.READ: 1}


def test_a_refusal_for_memory_is_a_refusal(store, reader, jobs, receive, lease):
    """An image that never fits is refused, with its report."""
    receive()
    reader.before["read"] = [ImageTooLarge("imaging.decoder.memory")]
    jobs.do(lease())
    assert states(store) == {JobState.REFUSED: 1}


def lease_sha(store) -> str:
    """Checksum of the only file."""
    (path,) = [path for path in store.files.folder.glob("??/*") if path.is_file()]
    return path.name
