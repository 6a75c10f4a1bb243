"""Rooms under test: how files come in, and how to wait for what the thread makes of them."""

import itertools
from functools import partial

from cxrmodel.web.room.room import Announced, Room
from tests.support.waiting import wait_until

PATIENCE = 20
"""Seconds; guards against a hang."""
until = partial(wait_until, seconds=PATIENCE, pause=0.002)
_numbers = itertools.count()


def announce(room: Room, *names: str, size: int = 1) -> list[str]:
    """Announce files, and give the identifiers of their rows."""
    ids = [f"row-{next(_numbers):08}" for _ in names]
    room.announce(Announced(row_id, name, size) for row_id, name in zip(ids, names, strict=True))
    return ids


def give(room: Room, *files: tuple[str, bytes]) -> list[str]:
    """Give files as the browser does, wait until all are read, and give the identifiers of their rows."""
    ids = announce(room, *(name for name, _ in files))
    for row_id, (_, data) in zip(ids, files, strict=True):
        assert room.reserve(row_id, len(data))
        room.fill(row_id, data)
    settle(room)
    return ids


def settle(room: Room) -> None:
    """Wait until nothing waits to be read."""
    until(lambda: not any(row.data is not None or row.status == "reading" for row in room.rows()))
    until(lambda: not room._working)


def statuses(room: Room) -> list[str]:
    """Status of each row."""
    return [row.status for row in room.rows()]


def names(room: Room) -> list[str]:
    """Name of each row."""
    return [row.name for row in room.rows()]
