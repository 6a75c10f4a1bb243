"""The session's state: its room of images, and their computed results. It ends with the session."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar, cast

import streamlit as st
from streamlit import config

from cxrmodel.messages import Message
from cxrmodel.reading import Reading
from cxrmodel.web.room.room import Room
from cxrmodel.web.room.rooms import open_room
from cxrmodel.web.room.row import Row
from cxrmodel.web.server.browsers import COOKIE

Made = TypeVar("Made")
Key = tuple[str, ...]

MOST_RESULTS = 64
"""Computed results kept; the oldest makes room."""

_ROOM, _RESULTS, _LATEST = "room", "results", "latest"


@dataclass(frozen=True, eq=False)
class Entry:
    """One file of the session, as it stands now.

    Attributes
    ----------
    key : str
        Identifier of its row.
    name : str
        Original file name.
    status : str
        As of its row.
    reading : Reading or None
        At the session's prevalence; None where the file was not read, or its pixels were released.
    reason : Message or None
        Why there is no reading, and what to do next.
    read_at : datetime or None
        When its bytes were read, in local time with its zone.
    """

    key: str
    name: str
    status: str
    reading: Reading | None
    reason: Message | None
    read_at: datetime | None


def room() -> Room:
    """Give the room of the session, made at the first call."""
    known = st.session_state.get(_ROOM)
    if known is None:
        known = st.session_state[_ROOM] = open_room(str(st.context.cookies.get(COOKIE) or ""))
    return cast(Room, known)


def minutes_kept() -> float:
    """Minutes for which a session is kept after its tab was closed."""
    return float(config.get_option("server.disconnectedSessionTTL")) / 60


def prevalence() -> float:
    """Prevalence of every number that the session shows: the one set on a page, else that of the site."""
    return room().prevalence


def set_prevalence(prevalence: float) -> None:
    """Set the prevalence of every number that the session shows, strictly between 0 and 1."""
    room().set_prevalence(prevalence)


def entries() -> list[Entry]:
    """List all files of the session, in their order."""
    return [_entry(row) for row in room().rows()]


def readings() -> list[Entry]:
    """List the images that were read and whose pixels are in memory, in their order."""
    return [entry for entry in entries() if entry.reading is not None]


def selected() -> Entry | None:
    """Return the image that the user looks at."""
    row = room().selected()
    return None if row is None else _entry(row)


def select(key: str) -> None:
    """Make an image the one that the user looks at, on every page.

    Parameters
    ----------
    key : str
        Of its entry.
    """
    room().select(key)


def compute(key: Key, make: Callable[[], Made]) -> Made:
    """Return a result of the session, computed at most once; an error or a stopped run keeps nothing.

    Parameters
    ----------
    key : tuple of str
        SHA-256 of the image, version of the model, and whatever else the result depends on.
    make : callable
    """
    known = _results()
    if key not in known:
        made = make()
        known[key] = made
        while len(known) > MOST_RESULTS:
            del known[next(iter(known))]
        return made
    return cast(Made, known[key])


def computed(key: Key) -> object | None:
    """Return the result of a key, None where it was not computed."""
    return _results().get(key)


def keep_latest(key: str, make: Callable[[], Made]) -> Made:
    """Return something large computed from the current image; only the latest key is kept.

    Parameters
    ----------
    key : str
        Of the image, and of whatever else the result depends on.
    make : callable
    """
    latest = st.session_state.get(_LATEST)
    if latest is None or latest[0] != key:
        latest = st.session_state[_LATEST] = key, make()
    return cast(Made, latest[1])


def _results() -> dict[Key, object]:
    return cast(dict[Key, object], st.session_state.setdefault(_RESULTS, {}))


def _entry(row: Row) -> Entry:
    reading = row.reading.at(prevalence()) if row.reading and not row.released else None
    return Entry(row.id, row.name, row.status, reading, row.reason, row.read_at)
