"""Requests to an application without a server."""

import asyncio
import json
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from starlette.types import ASGIApp


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def text(self) -> str:
        """The content as text."""
        return self.content.decode()

    def json(self) -> Any:
        """The content as JSON."""
        return json.loads(self.content)


class Client:
    """A client that sends the same headers with every request.

    Parameters
    ----------
    app : ASGI application
    headers : mapping
    """

    def __init__(self, app: ASGIApp, headers: Mapping[str, str]) -> None:
        self._app, self._headers = app, {"host": "localhost"} | _lower(headers)

    def ask(
        self,
        method: str,
        path: str,
        content: bytes = b"",
        headers: Mapping[str, str | None] | None = None,
        stalls: bool = False,
    ) -> Answer:
        """Ask for something.

        Parameters
        ----------
        content : bytes
            Sent in two parts.
        headers : mapping
            Further ones; None takes one away.
        stalls : bool
            Whether the content never comes to its end.
        """
        given = self._headers | {"content-length": str(len(content))} | _lower(headers or {})
        path, _, query = path.partition("?")
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in given.items() if value is not None],
            "scheme": "http",
            "server": ("127.0.0.1", 80),
        }
        half = len(content) // 2
        parts = [content[:half]] if stalls else [content[:half], content[half:]]
        # On a thread of its own: a browser's driver may have a loop on this one.
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(asyncio.run, _ask(self._app, scope, parts, stalls)).result()

    def post(self, path: str, value: Any) -> Answer:
        """Send JSON."""
        return self.ask("POST", path, json.dumps(value).encode(), {"Content-Type": "application/json"})


async def _ask(app: ASGIApp, scope: dict[str, Any], parts: Iterable[bytes], stalls: bool) -> Answer:
    left, sent = list(parts), []

    async def receive() -> dict[str, Any]:
        if left:
            part = left.pop(0)
            return {"type": "http.request", "body": part, "more_body": bool(left) or stalls}
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    headers = {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]}
    return Answer(sent[0]["status"], headers, b"".join(message.get("body", b"") for message in sent[1:]))


def _lower(headers: Mapping[str, Any]) -> dict[str, Any]:
    return {name.lower(): value for name, value in headers.items()}
