"""The session's state: its room of images. It ends with the session."""

from typing import cast

import streamlit as st
from streamlit import config

from cxrmodel.web.room.room import Room
from cxrmodel.web.room.rooms import open_room
from cxrmodel.web.server.browsers import COOKIE

_ROOM = "room"


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
    """Set the prevalence of every number that the session shows.

    Parameters
    ----------
    prevalence : float
        Strictly between 0 and 1.
    """
    room().set_prevalence(prevalence)
