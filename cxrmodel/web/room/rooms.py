"""The rooms of this server, by their tokens. They live as long as their sessions, which hold them."""

import secrets
import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from cxrmodel.web.keeping.keeper import Keeper
    from cxrmodel.web.room.room import Room

_ROOMS: "weakref.WeakValueDictionary[str, Room]" = weakref.WeakValueDictionary()


def open_room(
    browser: str, keep: "Callable[[str], Keeper | None]" = lambda browser: None, left: "Callable[[Room], bool]" = bool
) -> "Room":
    """Make the room of a new session, or give it the one that the same browser has just left.

    Parameters
    ----------
    browser : str
        Cookie of the browser that the session belongs to.
    keep : callable
        Gives what keeps the list of a browser; None where lists are not kept.
    left : callable
        Tells whether the page of a room was closed or loaded anew. Asked only where lists are kept.
    """
    from cxrmodel.web.room.room import Room  # the server answers before it has what a room needs

    keeper = keep(browser) if browser else None
    if keeper is not None:
        for known in list(_ROOMS.values()):
            if known.browser == browser and known.keeper is not None and left(known):
                known.hand_over()
                return known
    room = Room(browser, keeper)
    if keeper is not None:
        keeper.restore(room)
    _ROOMS[room.token] = room
    return room


def rooms() -> "list[Room]":
    """List the rooms of all sessions."""
    return list(_ROOMS.values())


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
