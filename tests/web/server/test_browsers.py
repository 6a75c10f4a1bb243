"""How long a session stays its browser's, and answers to errors."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import pytest
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from cxrmodel.web.room.rooms import open_room
from cxrmodel.web.server import browsers
from cxrmodel.web.server.browsers import COOKIE, OwnSessions
from cxrmodel.web.server.headers import DATA_POLICY, SafeHeaders

Made = TypeVar("Made")

BROWSER, SESSION, PICTURE = "b" * 43, "6f1c", "/media/0123.png"
LONG = 1e6


def finish(coroutine: Coroutine[Any, Any, Made]) -> Made:
    """Run a coroutine on a thread of its own: a browser's driver may have a loop on this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()


def scope(kind: str, path: str, protocols: str = "streamlit, token") -> dict:
    """A request of the browser."""
    headers = [(b"cookie", f"{COOKIE}={BROWSER}".encode()), (b"sec-websocket-protocol", protocols.encode())]
    return {"type": kind, "path": path, "scheme": "http", "headers": headers}


async def ask(app, request: dict) -> list[dict]:
    """Everything that the app sends."""
    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "http.request"}

    await app(request, receive, send)
    return sent


async def page(request, receive, send):
    """Streamlit, as far as the guard is concerned: a session that ends at once, or any answer."""
    if request["type"] == "websocket":
        begin = ForwardMsg()
        begin.new_session.initialize.session_id = SESSION
        shown = ForwardMsg()
        shown.delta.new_element.imgs.imgs.add(url=PICTURE)
        for message in (begin, shown):
            await send({"type": "websocket.send", "bytes": message.SerializeToString()})
    else:
        await send({"type": "http.response.start", "status": 204, "headers": []})


@pytest.mark.parametrize(("patience", "status"), [([0], 403), ([LONG], 204), ([0, LONG], 204), ([LONG, 0], 403)])
def test_a_session_is_forgotten_some_time_after_its_last_connection(monkeypatch, patience, status):
    """A page that comes and goes keeps its session: only the last time counts."""
    monkeypatch.setattr(browsers, "_patience", iter(patience).__next__)

    async def visits() -> int:
        app = OwnSessions(page)
        for _ in patience:
            await ask(app, scope("websocket", "/_stcore/stream"))
        await asyncio.sleep(0.05)
        answer = await ask(app, scope("http", PICTURE))
        return answer[0]["status"]

    assert finish(visits()) == status


@pytest.mark.parametrize("protocols", ["streamlit, token, 6f1c", "streamlit,token,6f1c, more", "a,b,6f1c,6f1c"])
def test_an_unknown_session_is_hidden(protocols):
    """Streamlit opens a new one."""
    seen = {}

    async def look(request, receive, send):
        seen.update(request["headers"])

    finish(ask(OwnSessions(look), scope("websocket", "/_stcore/stream", protocols)))
    assert SESSION.encode() not in seen[b"sec-websocket-protocol"]


def test_the_end_of_a_connection_answers_what_waits_for_a_change():
    """A server that stops need not wait for it."""
    room = open_room(BROWSER)

    async def visit() -> bool:
        changed = room.changes.expect()
        await ask(OwnSessions(page), scope("websocket", "/_stcore/stream"))
        await asyncio.sleep(0)
        return changed.is_set()

    assert finish(visit())


def test_an_unexpected_error_is_answered_with_the_headers():
    """Without a detail of it; the server still gets to know it."""
    sent = []

    async def send(message):
        sent.append(message)

    async def broken(request, receive, send):
        raise OSError("secret path")

    with pytest.raises(OSError, match="secret"):
        finish(SafeHeaders(broken)(scope("http", "/read"), None, send))
    headers = dict(sent[0]["headers"])
    assert sent[0]["status"] == 500
    assert headers[b"content-security-policy"] == DATA_POLICY.encode()
    assert headers[b"cache-control"] == b"no-store"
    assert b"secret" not in sent[1]["body"]
