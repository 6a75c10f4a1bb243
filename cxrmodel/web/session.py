"""The session's state: its room of images. It ends with the session."""

import weakref
from typing import cast

import streamlit as st
from streamlit import config
from streamlit.runtime import Runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from cxrmodel.web.keeping.service import keeping
from cxrmodel.web.room.room import Room
from cxrmodel.web.room.rooms import open_room
from cxrmodel.web.server.browsers import COOKIE

_ROOM = "room"
_SESSIONS: "weakref.WeakKeyDictionary[Room, str]" = weakref.WeakKeyDictionary()
"""Session by room, where lists are kept."""


def room() -> Room:
    """Give the room of the session, made at the first call."""
    known = st.session_state.get(_ROOM)
    if known is None:
        browser, kept = str(st.context.cookies.get(COOKIE) or ""), keeping()
        known = open_room(browser) if kept is None else open_room(browser, kept.keeper, _was_left)
        st.session_state[_ROOM] = known
        if kept is not None and (context := get_script_run_ctx()) is not None:
            _SESSIONS[known] = context.session_id
    return cast(Room, known)


def _was_left(known: Room) -> bool:
    """Whether the page of a room was closed or loaded anew."""
    session = _SESSIONS.get(known)
    return session is not None and not Runtime.instance().is_active_session(session)


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
