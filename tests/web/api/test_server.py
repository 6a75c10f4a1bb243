"""``cxrmodel serve`` as a process: app and interface on one port of this computer, its log, its end."""

import json
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from cxrmodel.logs import FIELDS
from tests.support.hospital import chest_image, image_uid
from tests.support.server import PROJECT, Client, free_port, session_of, visit

IDENTITIES = ("SHOWN^JANE", "PLANTED-4711", "PLANTED-ACC", image_uid(77))


@dataclass
class Serving:
    """A server: its process, port, token and log."""

    process: subprocess.Popen
    port: int
    token: str
    log: Path

    def client(self) -> Client:
        """A client, as it is after its first page."""
        return Client(f"http://127.0.0.1:{self.port}")

    def read(self, content: bytes, query: str = "") -> tuple[int, bytes]:
        """Status and content of the answer to an image."""
        headers = {"Authorization": f"Bearer {self.token}"}
        status, _, answer = self.client().ask(f"/api/v1/readings{query}", "POST", content, headers)
        return status, answer

    def raw(self, request: bytes, end: bool = True) -> bytes:
        """What is answered to bytes; with ``end`` nothing more is sent."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as connection:
            connection.sendall(request)
            if end:
                connection.shutdown(socket.SHUT_WR)
            answer = b""
            while part := connection.recv(65536):
                answer += part
            return answer


@pytest.fixture(scope="module")
def serving(tmp_path_factory):
    """A server with a store, once it is ready."""
    folder = tmp_path_factory.mktemp("serve")
    port, token, file = free_port(), secrets.token_hex(32), folder / "token"
    file.touch(mode=0o600)
    file.write_text(token)
    configuration = folder / "cxrmodel.toml"
    configuration.write_text(
        f'[store]\nfolder = "data"\n[api]\nport = {port}\ntoken_file = "token"\ntimeout_seconds = 20\n'
    )
    log = folder / "log"
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "cxrmodel", "serve", "--config", str(configuration)],
            cwd=PROJECT,
            env={name: value for name, value in os.environ.items() if name != "CXR_STORE"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stream,
        )
    made = Serving(process, port, token, log)
    try:
        end = time.monotonic() + 120
        while not is_ready(made):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.1)
        yield made
    finally:
        process.kill()
        process.wait(30)


def is_ready(serving: Serving) -> bool:
    """Whether the server answers that it is ready."""
    try:
        return Client(f"http://127.0.0.1:{serving.port}", {}).ask("/readyz")[0] == 200
    except OSError:
        return False


def test_app_and_interface_share_the_guards(serving):
    """A page works, the interface sets no cookie, and neither answers another host or page."""
    client = serving.client()
    with client.connect() as connection:
        assert session_of(visit(connection, "about"))
    for path in ("/", "/healthz", "/readyz", "/metrics", "/api/v1/openapi.json"):
        stranger = Client(f"http://127.0.0.1:{serving.port}", {})
        status, headers, _ = stranger.ask(path)
        assert (status, headers["X-Content-Type-Options"], headers["Cache-Control"]) == (200, "nosniff", "no-store")
        assert bool(headers["Set-Cookie"]) is (path == "/")
        assert stranger.ask(path, headers={"Host": "evil.example"})[0] == 400
        assert stranger.ask(path, headers={"Origin": "http://evil.example"})[0] == 403
    assert client.ask("/_stcore/metrics")[0] == 404


def test_only_this_computer_is_answered(serving):
    """The port is bound to one address; another is refused before anything starts."""
    with socket.socket() as other, pytest.raises(ConnectionRefusedError):
        other.connect(("127.0.0.2", serving.port))
    command = [sys.executable, "-m", "cxrmodel", "serve", "--address", "0.0.0.0"]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("0.0.0.0 is not an address of this computer.")


def test_a_taken_port_is_named(serving):
    """A second server ends with a sentence, not with a line of a library."""
    command = [sys.executable, "-m", "cxrmodel", "serve", "--port", str(serving.port)]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"The server cannot listen on port {serving.port} of 127.0.0.1: ")


def test_an_image_is_read_over_the_wire(serving):
    """As DICOM, with its results."""
    status, answer = serving.read(chest_image(77, PatientName="SHOWN^JANE", PatientID="PLANTED-4711"), "?results=sr")
    assert status == 200
    assert answer.count(b"Content-Type: application/dicom") == 1


def test_broken_connections_leave_no_trace(serving):
    """Content that ends early, no content at all, no HTTP: the place is free again, and the server goes on."""
    head = f"POST /api/v1/readings HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {serving.token}\r\n".encode()
    serving.raw(head + b"Content-Length: 100000\r\n\r\nSHOWN^JANE")
    assert (
        b"411"
        in serving.raw(head + b"Transfer-Encoding: chunked\r\n\r\n5\r\nSHOWN\r\n0\r\n\r\n", end=False).split(b"\r\n")[0]
    )
    assert b"400" in serving.raw(b"SHOWN^JANE\r\n\r\n").split(b"\r\n")[0]
    end = time.monotonic() + 60
    while b"cxrmodel_held_requests 0.0" not in serving.client().ask("/metrics")[2]:
        assert time.monotonic() < end
        time.sleep(0.05)
    assert serving.read(b"")[0] == 422


def test_what_is_too_large_is_refused_before_it_is_sent(serving):
    """As clients do that ask first (Expect: 100-continue)."""
    head = (
        f"POST /api/v1/readings HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {serving.token}\r\n"
        f"Content-Length: {2**40}\r\nExpect: 100-continue\r\n\r\n"
    )
    answer = serving.raw(head.encode(), end=False)
    assert answer.startswith(b"HTTP/1.1 413 ")


def test_metrics_are_those_of_process_and_store(serving):
    """In the format of Prometheus."""
    serving.read(b"")
    text = serving.client().ask("/metrics")[2].decode()
    found = {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert found["cxrmodel_store_up",] == 1
    assert found["cxrmodel_store_jobs", ("state", "waiting")] == 0
    assert found["cxrmodel_images_total", ("outcome", "refused"), ("source", "api")] >= 1
    assert found["cxrmodel_refusals_total", ("code", "imaging.empty"), ("source", "api")] >= 1


def test_the_end_is_orderly_and_the_log_names_nobody(serving):
    """Last: the server ends by SIGTERM, and every line was an event in JSON without identity."""
    serving.read(chest_image(77, PatientName="SHOWN^JANE", PatientID="PLANTED-4711", AccessionNumber="PLANTED-ACC"))
    serving.read(chest_image(77, PatientName="SHOWN^JANE", Modality="CT"))
    serving.client().ask("/SHOWN%5EJANE?PatientID=PLANTED-4711", headers={"User-Agent": "SHOWN^JANE"})
    metrics = serving.client().ask("/metrics")[2].decode()
    serving.process.send_signal(signal.SIGTERM)
    assert serving.process.wait(60) in (0, -signal.SIGTERM)
    lines = serving.log.read_text().splitlines()
    events = [json.loads(line) for line in lines]
    assert {"serving", "model_loaded", "request", "reading", "stopping"} <= {event["event"] for event in events}
    assert all(set(event) - {"time", "level", "event"} <= set(FIELDS) for event in events)
    assert not [event for event in events if event["event"] in ("failure", "library_failure")]
    for identity in (*IDENTITIES, serving.token, "127.0.0.1"):
        assert identity not in metrics + "\n".join(lines)
    routes = {event["route"] for event in events if event["event"] == "request"}
    assert all(re.fullmatch(r"/[\w./]*|other", route) for route in routes)
