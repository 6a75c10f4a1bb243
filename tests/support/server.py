"""A real server of the app, and clients of it that are no browsers."""

import http.client
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect

PATIENCE = 120
"""Seconds; guards against hanging, not against a slow machine."""

PROJECT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    """A port of this machine that nothing uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Server:
    """A running server.

    Attributes
    ----------
    address : str
        ``http://localhost:8501``.
    pid : int
    """

    address: str
    pid: int

    def megabytes(self, field: str = "VmRSS") -> float:
        """Resident memory now, or its peak since the start (``VmHWM``)."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith(field)).split()[1]) / 1024


@contextmanager
def running_app(
    options: Sequence[str] = (),
    port: int | None = None,
    variables: Mapping[str, str] | None = None,
    listens: str = "127.0.0.1",
    program: Path = PROJECT / "app.py",
) -> Iterator[str]:
    """The app, or another program, started by ``streamlit run``; gives its address once it answers."""
    with running_server(options, port, variables, listens, program) as server:
        yield server.address


@contextmanager
def running_server(
    options: Sequence[str] = (),
    port: int | None = None,
    variables: Mapping[str, str] | None = None,
    listens: str = "127.0.0.1",
    program: Path = PROJECT / "app.py",
    folder: Path = PROJECT,
) -> Iterator[Server]:
    """As ``running_app``; started in a folder, and with the number of its process."""
    port = port or free_port()
    command = [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        str(program),
        f"--server.port={port}",
        "--server.headless=true",
    ]
    process = subprocess.Popen(
        [*command, *options],
        cwd=folder,
        env={**os.environ, **(variables or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(listens, port, process)
        yield Server(f"http://localhost:{port}", process.pid)
    finally:
        process.terminate()
        process.wait(30)


def _wait_for(host: str, port: int, process: subprocess.Popen) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        assert process.poll() is None, f"the server ended with status {process.returncode}"
        try:
            socket.create_connection((host, port), timeout=5).close()
            return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"nothing listens on port {port} after {PATIENCE} s")


class Client:
    """A client with its own cookies.

    Attributes
    ----------
    cookies : dict
        Of the answers so far.
    """

    def __init__(self, address: str, cookies: Mapping[str, str] | None = None) -> None:
        self._host = urlsplit(address).netloc
        self.cookies = dict(cookies or {})
        if cookies is None:
            self.ask("/_stcore/health")

    def ask(
        self, path: str, method: str = "GET", body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        """Status, headers and content of an answer; ``Host`` is the server's own unless the headers name another."""
        connection = http.client.HTTPConnection(self._host, timeout=PATIENCE)
        given = {"Cookie": self._cookie, **(headers or {})}
        try:
            connection.request(method, path, body, {name: value for name, value in given.items() if value})
            answer = connection.getresponse()
            for cookie in answer.headers.get_all("Set-Cookie") or []:
                name, _, value = cookie.partition(";")[0].partition("=")
                self.cookies[name] = value
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def connect(self, session: str = "", headers: Mapping[str, str] | None = None) -> ClientConnection:
        """An open WebSocket, which resumes a session where one is named."""
        given = {"Origin": f"http://{self._host}", "Cookie": self._cookie, **(headers or {})}
        return connect(
            f"ws://{self._host}/_stcore/stream",
            additional_headers={name: value for name, value in given.items() if value},
            subprotocols=["streamlit", "token", *([session] if session else [])],
            proxy=None,
            max_size=None,
            open_timeout=PATIENCE,
        )

    @property
    def _cookie(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())


def visit(client: ClientConnection, page: str = "read") -> list[ForwardMsg]:
    """All messages of one run of a page."""
    begin = BackMsg()
    begin.rerun_script.page_name = page
    client.send(begin.SerializeToString())
    messages: list[ForwardMsg] = []
    while not (messages and messages[-1].WhichOneof("type") == "script_finished" and _drawn(messages)):
        messages.append(ForwardMsg.FromString(client.recv(PATIENCE)))
    return messages


def session_of(messages: Sequence[ForwardMsg]) -> str:
    """Identifier of the session that sent the messages."""
    return next(m.new_session.initialize.session_id for m in messages if m.WhichOneof("type") == "new_session")


def media_of(messages: Sequence[ForwardMsg]) -> list[str]:
    """Addresses of media in the messages."""
    text = b" ".join(message.SerializeToString() for message in messages)
    return [found.decode() for found in re.findall(rb"/media/[0-9a-f]+\.\w+", text)]


def _drawn(messages: Sequence[ForwardMsg]) -> bool:
    return any(m.WhichOneof("type") == "delta" and m.delta.WhichOneof("type") == "new_element" for m in messages)
