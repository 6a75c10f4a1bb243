"""The rooms of this server, by their tokens. They live as long as their sessions, which hold them."""

import secrets
import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cxrmodel.web.room.room import Room

_ROOMS: "weakref.WeakValueDictionary[str, Room]" = weakref.WeakValueDictionary()


def open_room(browser: str) -> "Room":
    """Make the room of a new session.

    Parameters
    ----------
    browser : str
        Cookie of the browser that the session belongs to.
    """
    from cxrmodel.web.room.room import Room  # the server answers before it has what a room needs

    room = Room(browser)
    _ROOMS[room.token] = room
    return room


def find_room(token: str, browser: str) -> "Room | None":
    """Give the room of a token to the browser that it belongs to; None for any other."""
    room = _ROOMS.get(token)
    if room is None or not browser or not secrets.compare_digest(room.browser, browser):
        return None
    return room


def wake(browser: str) -> None:
    """Answer requests of a browser that wait for a change: a tab was closed, or the server stops."""
    for room in list(_ROOMS.values()):
        if room.browser == browser:
            room.changes.tell()
