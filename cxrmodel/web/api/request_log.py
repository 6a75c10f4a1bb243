"""A line of the log and a count for every request: address as a template, status, time; nothing of the user."""

import re
import secrets
import time
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cxrmodel.logs import event
from cxrmodel.monitoring.metrics import Metrics
from cxrmodel.web.server.requests import path_of

REQUEST: Final = "cxrmodel_request"
"""Key of the scope: random identifier of the request."""

ROUTES: Final = frozenset(
    f"/{path}"
    for path in (
        *("api/v1/readings", "api/v1/openapi.json", "healthz", "readyz", "metrics"),
        *("", "read", "heatmap", "evaluation", "about"),
    )
)
_BELOW: Final = ("static", "room", "media", "_stcore")
QUIET: Final = ("/static", "/healthz", "/readyz", "/metrics")
"""Logged only where they fail: a page fetches many files, and monitors ask all the time."""


def route_of(path: str) -> str:
    """Name the address of a request without anything that its user chose."""
    first = re.match(r"/(\w+)/", path)
    if first and first[1] in _BELOW:
        return f"/{first[1]}"
    return path if path in ROUTES else "other"


class RequestLog:
    """Gives every request an identifier, and logs and counts its answer.

    Parameters
    ----------
    app : ASGI application
    metrics : Metrics
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        scope[REQUEST] = secrets.token_hex(16)
        begun, status = time.perf_counter(), 0

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            route = route_of(path_of(scope))
            self._metrics.request(route, status)
            if route not in QUIET or status >= 400:
                event(
                    "logs.request",
                    request=scope[REQUEST],
                    method=scope["method"],
                    route=route,
                    status=status,
                    milliseconds=round(1000 * (time.perf_counter() - begun), 1),
                )
