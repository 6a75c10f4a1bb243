"""Calls hold every task once, and one image that ends workers costs only itself."""

from itertools import cycle

import pytest

from cxrmodel.archive.cluster.calls import CALL_BYTES, LEAST_IMAGES, ROUNDS, SUSPECT, Call, Calls
from cxrmodel.archive.sources.source import Item
from cxrmodel.archive.tasks import Task

IN_FLIGHT = 3


def tasks(count, size=1000):
    """Tasks of images of one size."""
    return [Task(number, 0, Item(str(number), size)) for number in range(count)]


def numbers(calls):
    """Of the tasks of calls."""
    return [task.number for call in calls for task in call.tasks]


@pytest.mark.parametrize(
    ("cores", "size", "images"),
    [
        (1, 1000, LEAST_IMAGES),
        (32, 1000, 32 * ROUNDS),
        (32, CALL_BYTES // 4, 4),
        (32, CALL_BYTES, 1),
        (32, None, 32 * ROUNDS),
    ],
)
def test_a_call_suits_its_machine_and_is_bounded_in_bytes(cores, size, images):
    """Four images a core, but no more than may travel."""
    calls = Calls(iter(tasks(300, size)))
    found = [calls.take(cores, idle=True) for _ in range(300 // images)]
    assert {len(call.tasks) for call in found} == {images}


@pytest.mark.parametrize("count", [0, 1, 15, 16, 17, 100])
def test_every_task_is_in_one_call(count):
    """In order, and nothing is left."""
    calls, found = Calls(iter(tasks(count))), []
    while calls.left:
        found.append(calls.take(1, idle=True))
    assert numbers(found) == list(range(count))
    assert calls.take(1, idle=True) is None


def test_tasks_are_taken_only_as_calls_need_them():
    """So that listing never runs ahead of scoring."""
    taken = []
    calls = Calls(task for task in tasks(100) if taken.append(task.number) is None)
    calls.take(1, idle=True)
    assert len(taken) == LEAST_IMAGES + 1


def test_a_suspect_call_waits_for_an_idle_machine():
    """And nothing else is given out before it."""
    calls = Calls(iter(tasks(100)))
    lost = Call(tuple(tasks(2)), deaths=SUSPECT)
    calls.put_back(lost)
    assert calls.take(1, idle=False) is None
    assert calls.take(1, idle=True) is lost
    assert calls.take(1, idle=False) is not None


def run(calls, ends):
    """One machine after another: those that end, with what they have; gives the finished tasks and the guilty ones."""
    done, guilty, has = [], [], []
    for _ in range(10_000):
        while len(has) < IN_FLIGHT and not any(call.suspect for call in has):
            call = calls.take(2, idle=not has)
            if call is None:
                break
            has.append(call)
        if not has:
            return done, guilty
        if ends(has):
            lost, has = has, []
            for part in (part for call in lost for part in call.after_death(alone=len(lost) == 1)):
                if part.guilty:
                    guilty += numbers([part])
                else:
                    calls.put_back(part)
        else:
            done += numbers([has.pop(0)])
    raise AssertionError("it never ends")


@pytest.mark.parametrize("bad", [set(), {0}, {57}, {99}, {3, 4}, {10, 60, 99}])
def test_only_images_that_end_workers_are_given_up(bad):
    """Whatever was in flight beside them is done, once."""
    done, guilty = run(Calls(iter(tasks(100))), lambda has: not bad.isdisjoint(numbers(has)))
    assert sorted(guilty) == sorted(bad)
    assert sorted(done) == sorted(set(range(100)) - bad)


def test_workers_that_are_killed_from_outside_cost_nothing():
    """Every other time, whatever they have."""
    killed = cycle([True, False])
    done, guilty = run(Calls(iter(tasks(100))), lambda has: next(killed))
    assert guilty == []
    assert sorted(done) == list(range(100))
