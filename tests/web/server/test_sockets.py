"""The sockets that the server listens on."""

import asyncio
import socket
from contextlib import asynccontextmanager

from cxrmodel.apart import apart
from cxrmodel.web.server import start
from cxrmodel.web.server.sockets import send_at_once


def test_connections_send_at_once():
    """Of a socket made as Streamlit makes it; one that does not listen, or is closed, is left alone."""
    with socket.socket(socket.AF_INET) as listening, socket.socket(socket.AF_INET) as idle:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        closed = socket.socket(socket.AF_INET)
        closed.close()
        send_at_once()
        with socket.create_connection(listening.getsockname()), listening.accept()[0] as accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert not idle.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_started_server_sends_at_once(monkeypatch):
    """The option is set by the time that the app is announced."""

    @asynccontextmanager
    async def nothing(*_):
        yield

    monkeypatch.setattr(start, "ending_sessions", nothing)
    monkeypatch.setattr(start, "announced", nothing)
    monkeypatch.setattr(start.PREPARATION, "begin", lambda: None)

    async def options(listening):
        async with start.started(None):
            return listening.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        # On a thread of its own: a browser's test may have left an event loop on this one.
        assert apart(asyncio.run, options(listening))
