"""Every image has one row, whatever interrupts the run, and the row is that of a run that was left alone."""

import json
import random
import subprocess
import sys
from contextlib import contextmanager

import pytest

from cxrmodel.archive import sink
from cxrmodel.archive.manifest import Counts
from cxrmodel.archive.score import score_archive
from cxrmodel.archive.scoring import FETCHERS, Scorer
from cxrmodel.errors import OutputFailed, OutputRefused, SourceUnavailable
from cxrmodel.outputs import locked
from tests.support.archives import begun, files, lay_out, picture, rows, run_of, score
from tests.support.full_disk import disk_with
from tests.support.stand_ins import FakeReader


@contextmanager
def altered(settings, change):
    """A runner whose results are changed on their way."""

    class Altered:
        def score(self, tasks):
            yield from change(Scorer(FakeReader(), settings).score(tasks))

    yield Altered()


def stopped_after(count):
    """A change of results: an error after some of them."""

    def change(results):
        for _, scored in zip(range(count), results, strict=False):
            yield scored
        raise KeyboardInterrupt

    return change


@pytest.mark.slow
def test_a_run_that_ends_before_any_change_of_a_file_continues(project, tmp_path):
    """At every one of them, in a process that ends without clean-up: the same rows, and the same files."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.kill_points", tmp_path], cwd=project, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    stages = [json.loads(line) for line in done.stdout.splitlines()]
    assert [stage["faults"] for stage in stages] == [[], []]
    assert all(stage["points"] > 20 for stage in stages)


@pytest.mark.parametrize("content", ["broken", "empty", "failing"])
@pytest.mark.parametrize("at", ["!", "001 ", "002.png.", "~"])
def test_a_bad_file_in_any_position_costs_only_itself(tmp_path, out, at, content):
    """First, in the middle, last: the others have the readings that they have without it."""
    images = lay_out(tmp_path / "images", 3)
    score(tmp_path / "without", images)
    lay_out(images, 0, **{at: content})
    counts = score(out, images)
    assert (counts.read, counts.refused, counts.failed) == (3, int(content != "failing"), int(content == "failing"))
    others = [row | {"item": None} for row in rows(out) if row["file"] != at]
    assert others == [row | {"item": None} for row in rows(tmp_path / "without")]


@pytest.mark.parametrize("count", [0, 1, 4, 5, 11])
def test_an_interrupted_run_continues_where_it_stopped(images, out, tmp_path, count, monkeypatch):
    """What it had is kept and not read again."""
    score(tmp_path / "alone", images)
    with pytest.raises(KeyboardInterrupt):
        score_archive(out, run_of(images), lambda settings: altered(settings, stopped_after(count)))
    assert begun(out).counts().done == count
    reader = FakeReader()
    score(out, images, reader=reader)
    assert rows(out) == rows(tmp_path / "alone")
    assert len(reader.read_names) == 12 - count


def test_nothing_is_started_where_nothing_is_left(images, out):
    """The counts are those of the first run."""
    first = score(out, images)
    assert first == Counts(asked=12, read=9, refused=2, failed=1)
    before = rows(out)
    assert score_archive(out, run_of(images), lambda settings: pytest.fail("started")) == first
    assert rows(out) == before


def test_results_may_come_in_any_order_and_twice(images, out, tmp_path):
    """As from a cluster that lost an actor: the first counts."""

    def change(results):
        held = [scored for scored in results for _ in range(2)]
        random.Random(0).shuffle(held)
        yield from held

    score(tmp_path / "alone", images)
    score_archive(out, run_of(images), lambda settings: altered(settings, change))
    assert rows(out) == rows(tmp_path / "alone")


def test_results_that_are_missing_are_scored_by_the_next_run(images, out):
    """A runner that loses some makes the output no less correct."""

    def change(results):
        yield from (scored for scored in results if scored.number % 3)

    counts = score_archive(out, run_of(images), lambda settings: altered(settings, change))
    assert (counts.asked, counts.done, counts.left) == (12, 8, 4)
    assert score(out, images).left == 0
    assert [row["item"] for row in rows(out)] == list(range(12))


@pytest.mark.parametrize("size", [0, 100, 2000, 12_000])
def test_a_full_disk_ends_the_run_in_words_and_loses_nothing(images, out, tmp_path, size, monkeypatch):
    """When there is room again, the same command completes the output."""
    monkeypatch.setattr(sink, "HELD_IMAGES", 2)
    score(tmp_path / "alone", images)
    with pytest.raises(OutputFailed), disk_with(size):
        score(out, images)
    score(out, images)
    assert rows(out) == rows(tmp_path / "alone")
    assert files(out) == files(tmp_path / "alone")


def test_two_runs_on_one_output_are_refused(images, out):
    """The second one, before it changes anything."""
    out.mkdir()
    with locked(out), pytest.raises(OutputRefused) as refused:
        score(out, images)
    assert refused.value.message.code == "outputs.locked"
    assert files(out) == set()


def test_a_slow_disk_slows_everything_down(tmp_path, out):
    """Images that are fetched and not yet kept are few, however many there are."""
    images = lay_out(tmp_path / "images", 60)
    taken, kept, ahead = 0, 0, []

    def start(settings):
        def change(results):
            nonlocal kept
            for scored in results:
                kept += 1
                ahead.append(taken - kept)
                yield scored

        return altered(settings, change)

    class Counting(Scorer):
        pass

    original = Scorer._fetch

    def counted(self, task):
        nonlocal taken
        taken += 1
        return original(self, task)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Scorer, "_fetch", counted)
        score_archive(out, run_of(images), start)
    assert len(rows(out)) == 60
    assert 0 < max(ahead) <= FETCHERS


def test_a_source_that_is_gone_ends_the_run_and_blames_no_image(images, out, tmp_path):
    """No row is a failure because the disk was taken away; put back, the run goes on."""

    def change(results):
        for number, scored in enumerate(results):
            if number == 0:
                images.rename(tmp_path / "away")
            yield scored

    score(tmp_path / "alone", images)
    with pytest.raises(SourceUnavailable) as gone:
        score_archive(out, run_of(images), lambda settings: altered(settings, change))
    assert gone.value.message.code == "archive.source.gone"
    assert begun(out).counts().failed == 0
    (tmp_path / "away").rename(images)
    score(out, images)
    assert rows(out) == rows(tmp_path / "alone")


def test_failed_images_are_tried_again_only_when_asked(images, out):
    """One that can be read by then takes the place of its failure."""
    assert score(out, images).failed == 1
    (images / "~last").write_bytes(picture(50))
    assert score(out, images).failed == 1
    reader = FakeReader()
    assert score(out, images, retry_failed=True, reader=reader) == Counts(asked=12, read=10, refused=2, failed=0)
    assert len(reader.read_names) == 1
    assert [row["item"] for row in rows(out)] == list(range(12))


def test_heatmaps_follow_their_readings(images, out):
    """A part of heatmaps holds those of the images that were read, each once."""
    counts = score(out, images, heatmaps=True, reader=FakeReader(crop_map=None))
    assert counts.read == 9
    assert files(out) >= {f"heatmaps/part-00000{block}.parquet" for block in range(3)}
