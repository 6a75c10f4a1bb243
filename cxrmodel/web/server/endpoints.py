"""The endpoints that a page needs; Streamlit's others are closed.

Among the others are metrics, which count sessions and their memory, uploads, an interface for programs, and sign-in.
"""

from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from cxrmodel.web.server.requests import REQUESTS, path_of, refuse

OPEN: Final = ("health", "host-config", "stream")
"""Below ``/_stcore/``: whether the app runs, its settings for the page, and its WebSocket."""

CLOSED: Final = ("_stcore", "component", "auth", "oauth2callback")
"""First parts of Streamlit's own addresses that no page of the app has."""


class OpenEndpoints:
    """Answers 404 for Streamlit's endpoints that the app does not use."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        if scope["type"] in REQUESTS and not is_open(path_of(scope)):
            return await refuse(scope, receive, send, 404, "web.server.closed")
        await self._app(scope, receive, send)


def is_open(path: str) -> bool:
    """Tell whether a path below the address of the app is answered.

    Streamlit recognises some of its endpoints at the end of any path, so every part of it counts.
    """
    parts = path.strip("/").split("/")
    if parts[0] == "_stcore":
        return "/".join(parts[1:]) in OPEN
    return not any(part in CLOSED for part in parts)
