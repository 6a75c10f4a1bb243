"""The end of sessions: some time after its tab was closed, nothing of a session is left in memory."""

import asyncio
import ctypes
import gc
import time
import weakref
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

from streamlit import config
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime import Runtime
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.session_manager import SessionClient, SessionInfo, SessionStorage

_Sessions = list[SessionInfo]
_C = ctypes.CDLL(None)

PERIOD = 1.0
"""Seconds between two looks at the clock."""
_SHORT_WAIT, _LAST_WAIT = 15.0, 600.0
"""Seconds after the end of a session for which memory is freed again and again; the second where it is still held."""
# Parameters of the GNU C library. Blocks from a mebibyte are mapped apart and leave memory when they are freed; smaller
# ones are overwritten.
_MALLOC_OPTIONS = {"M_MMAP_THRESHOLD": (-3, 2**20), "M_PERTURB": (-6, 255)}


class ClosedSessions(SessionStorage):
    """Sessions whose tab was closed, each until its time is over; until then the tab may come back.

    Streamlit's own storage forgets them only when another tab is closed, and without removing their uploads.

    Parameters
    ----------
    seconds : float
        That a session is kept.
    clock : callable
        Gives seconds from any start.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds, self._clock = seconds, clock
        self._sessions: dict[str, tuple[float, SessionInfo]] = {}

    def get(self, session_id: str) -> SessionInfo | None:
        """Give a session, None where it is not here."""
        return self._sessions.get(session_id, (0.0, None))[1]

    def save(self, session_info: SessionInfo) -> None:
        """Keep a session from now on."""
        self._sessions[session_info.session.id] = self._clock() + self._seconds, session_info

    def delete(self, session_id: str) -> None:
        """Forget a session, which has come back or is being closed."""
        self._sessions.pop(session_id, None)

    def list(self) -> _Sessions:
        """Give all sessions."""
        return [info for _, info in self._sessions.values()]

    def over(self) -> _Sessions:
        """Give the sessions whose time is over."""
        now = self._clock()
        return [info for end, info in self._sessions.values() if end <= now]


@asynccontextmanager
async def ending_sessions() -> AsyncIterator[None]:
    """End closed sessions by a timer while the server runs.

    The time is the setting ``server.disconnectedSessionTTL``.
    """
    clear_freed_memory()
    runtime = Runtime.instance()
    closed = ClosedSessions(config.get_option("server.disconnectedSessionTTL"))
    cast(Any, runtime)._session_mgr._session_storage = closed
    task = asyncio.create_task(_end(runtime, closed))
    yield
    task.cancel()


async def _end(runtime: Runtime, closed: ClosedSessions) -> None:
    # A thread that is in the middle of a reading, or a connection being closed, holds something a little longer.
    ended: weakref.WeakSet[AppSession] = weakref.WeakSet()
    wait = due = 0.0
    while True:
        if _close(runtime, closed.over(), ended):
            await _overwrite(runtime)
            wait, due = PERIOD, 0.0
        if due <= 0 < wait:
            await asyncio.to_thread(return_memory)
            wait = due = 2 * wait if wait < (_LAST_WAIT if ended else _SHORT_WAIT) else 0.0
        await asyncio.sleep(PERIOD)
        due -= PERIOD


def _close(runtime: Runtime, over: _Sessions, ended: "weakref.WeakSet[AppSession]") -> bool:
    """Close sessions and remember them as long as they are in memory; whether there were any."""
    for info in over:
        ended.add(info.session)
        runtime.close_session(info.session.id)
    return bool(over)


class _Blank(SessionClient):
    """A client that shows nothing."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()

    @property
    def client_context(self) -> None:
        """Nothing is known of it."""
        return None

    def write_forward_msg(self, msg: ForwardMsg) -> None:
        """Note that a message came."""
        self.reached.set()


async def _overwrite(runtime: Runtime) -> None:
    """Replace the session and the messages that the server's loop sent last, which its variables hold."""
    client = _Blank()
    session = runtime.connect_session(client, {})
    runtime.handle_backmsg(session, BackMsg(app_heartbeat=True), client=client)
    await client.reached.wait()
    runtime.close_session(session)


def clear_freed_memory() -> None:
    """Leave nothing of what was in a block of memory once it is freed."""
    if hasattr(_C, "mallopt"):
        for parameter, value in _MALLOC_OPTIONS.values():
            _C.mallopt(parameter, value)


def return_memory() -> None:
    """Free what only circular references hold, and return free memory to the system, which clears it."""
    gc.unfreeze()  # the server's start set everything aside, early sessions with it
    gc.collect()
    gc.freeze()
    if hasattr(_C, "malloc_trim"):
        _C.malloc_trim(0)
