"""Sessions belong to the browser that opened them.

The identifier of a session alone opens nothing: a cookie that no script can read says which browser asks.
"""

import asyncio
import re
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import config
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from cxrmodel.web.keeping.service import keeping
from cxrmodel.web.room.rooms import wake
from cxrmodel.web.server.requests import PROGRAM, REQUESTS, path_of, refuse

COOKIE: Final = "cxrmodel_browser"

_TOKEN = re.compile(r"[\w-]{43}", re.ASCII)
_MEDIA = "/media/"
PROGRAMS: Final = ("/api/", "/healthz", "/readyz", "/metrics")
"""Addresses that programs ask, which keep no cookie."""


@dataclass(eq=False)
class Owned:
    """A session of a browser.

    Attributes
    ----------
    browser : str
        Value of its cookie.
    media : set of str
        Addresses of files that the session showed or offered.
    connections : int
        WebSockets that are open.
    end : TimerHandle or None
        When it is forgotten, once the last of them has closed.
    """

    browser: str
    media: set[str] = field(default_factory=set)
    connections: int = 0
    end: asyncio.TimerHandle | None = None

    def connected(self) -> None:
        """Count a WebSocket, and keep the session for as long as it is open."""
        self.connections += 1
        if self.end is not None:
            self.end.cancel()

    def disconnected(self, forget: Callable[[], object]) -> None:
        """Stop counting a WebSocket, and forget the session some time after the last one."""
        self.connections -= 1
        if not self.connections:
            self.end = asyncio.get_running_loop().call_later(_patience(), forget)


class OwnSessions:
    """Gives each browser a cookie, and lets it reach its own sessions and files only."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._sessions: dict[str, Owned] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        if scope["type"] not in REQUESTS:
            return await self._app(scope, receive, send)
        browser = browser_of(scope)
        if scope["type"] == "websocket":
            if not browser:
                return await refuse(scope, receive, send, 403, "web.server.no_cookie")
            return await self._connect(scope, receive, send, browser)
        path = path_of(scope)
        if not self._may(browser, path):
            return await refuse(scope, receive, send, 403, "web.server.not_yours")
        if not path.startswith((PROGRAM, *PROGRAMS)) and (not browser or keeping() is not None):
            send = _with_cookie(scope, send, browser)
        await self._app(scope, receive, send)

    def _may(self, browser: str, path: str) -> bool:
        if path.startswith(_MEDIA):
            return any(owned.browser == browser and path in owned.media for owned in self._sessions.values())
        return True

    async def _connect(self, scope: Scope, receive: Receive, send: Send, browser: str) -> None:
        self._keep_to_own(scope, browser)
        owned: Owned | None = None
        identifier = ""

        async def watched(message: Message) -> None:
            nonlocal owned, identifier
            if message["type"] == "websocket.send" and message.get("bytes"):
                content = ForwardMsg.FromString(message["bytes"])
                if owned is None and content.WhichOneof("type") == "new_session":
                    identifier = content.new_session.initialize.session_id
                    owned = self._sessions.setdefault(identifier, Owned(browser))
                    owned.connected()
                if owned is not None:
                    owned.media.update(_media(content))
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            wake(browser)
            if owned is not None:
                owned.disconnected(lambda: self._sessions.pop(identifier, None))

    def _keep_to_own(self, scope: Scope, browser: str) -> None:
        """Hide a session that is not the browser's from Streamlit."""
        headers = MutableHeaders(raw=list(scope["headers"]))
        protocols = [name.strip() for name in headers.get("sec-websocket-protocol", "").split(",")]
        resumed = protocols[2] if len(protocols) > 2 else ""
        if resumed:
            owned = self._sessions.get(resumed)
            if owned is None or owned.browser != browser:
                headers["sec-websocket-protocol"] = ", ".join(protocols[:2])
        scope["headers"] = headers.raw


def browser_of(scope: Scope) -> str:
    """Give the cookie of the browser that asks; empty where there is none of ours."""
    token = HTTPConnection(scope).cookies.get(COOKIE, "")
    return token if _TOKEN.fullmatch(token) else ""


def _with_cookie(scope: Scope, send: Send, browser: str) -> Send:
    """Give a browser its cookie: until it is closed, or, renewed with each page, for as long as its list is kept."""
    secure, kept = "; Secure" if scope["scheme"] == "https" else "", keeping()
    lasting = f"; Max-Age={kept.cookie_seconds}" if kept else ""
    cookie = f"{COOKIE}={browser or secrets.token_urlsafe(32)}; Path=/; HttpOnly; SameSite=Strict{secure}{lasting}"

    async def answer(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            if not browser or headers.get("content-type", "").startswith("text/html"):
                headers.append("set-cookie", cookie)
        await send(message)

    return answer


def _patience() -> float:
    """Seconds for which a session outlives its last WebSocket, and a moment more."""
    return float(config.get_option("server.disconnectedSessionTTL")) + 60


def _media(message: Any) -> Iterator[str]:
    """List the addresses of files in a message to the browser, whatever kind of message it is."""
    for description, value in message.ListFields():
        values = value if description.is_repeated else [value]
        if description.type == description.TYPE_MESSAGE:
            for inner in values:
                if hasattr(inner, "ListFields"):  # the key of a map has none
                    yield from _media(inner)
        elif description.type == description.TYPE_STRING and "url" in description.name:
            yield from (address for address in values if address.startswith(_MEDIA))
