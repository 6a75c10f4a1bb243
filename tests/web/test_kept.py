"""The memory that the images of all sessions may take together."""

from datetime import UTC, datetime

import numpy as np
import pytest

from cxrmodel.web.kept import Entry, Kept, Shelf
from tests.support.stand_ins import fake_reading

SIDE = 100
BYTES = SIDE * SIDE * 4


def entry(name, seed=0):
    """An image that was read."""
    pixels = np.random.default_rng(seed).random((SIDE, SIDE), np.float32)
    return Entry(name, name, "read", fake_reading(pixels, name), None, datetime.now(UTC))


def sessions(shelf, counts):
    """Sessions that read so many images each, one after the other."""
    made = {}
    for name, count in counts.items():
        made[name] = Kept()
        for number in range(count):
            made[name].add(entry(f"{name}{number}", hash((name, number)) % 2**32))
            shelf.make_room(made[name])
    return {name: list(kept.images) for name, kept in made.items()}, {
        name: kept.discarded for name, kept in made.items()
    }


@pytest.mark.parametrize(
    ("counts", "room", "left", "discarded"),
    [
        ({"a": 2, "b": 2}, 4, {"a": ["a0", "a1"], "b": ["b0", "b1"]}, {"a": 0, "b": 0}),
        ({"a": 3, "b": 2}, 4, {"a": ["a1", "a2"], "b": ["b0", "b1"]}, {"a": 1, "b": 0}),
        ({"a": 3}, 2, {"a": ["a1", "a2"]}, {"a": 1}),
        ({"a": 1, "b": 3}, 3, {"a": ["a0"], "b": ["b1", "b2"]}, {"a": 0, "b": 1}),
        ({"a": 1, "b": 1}, 1, {"a": [], "b": ["b0"]}, {"a": 1, "b": 0}),
        ({"a": 1}, 0, {"a": ["a0"]}, {"a": 0}),
    ],
)
def test_who_keeps_most_makes_room_first(counts, room, left, discarded):
    """The oldest image of the session that keeps the most goes, and is counted; the one just read stays."""
    assert sessions(Shelf(room * BYTES), counts) == (left, discarded)


def test_a_session_that_is_gone_takes_no_room():
    """Its images count no longer."""
    shelf, kept = Shelf(2 * BYTES), Kept()
    sessions(shelf, {"gone": 2})
    for number in range(2):
        kept.add(entry(str(number), number))
        shelf.make_room(kept)
    assert (len(kept.images), kept.discarded) == (2, 0)
