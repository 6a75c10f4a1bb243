"""The server's guards, asked by clients that are no browsers."""

import re
import socket
from urllib.parse import urlsplit

import pytest
from websockets.exceptions import InvalidStatus

from tests.support.server import PROJECT, Client, media_of, running_app, session_of, visit

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
COOKIE = "cxrmodel_browser"

PICTURE_APP = """
from streamlit.starlette import App
from cxrmodel.web.server.guards import GUARDS
app = App("page.py", middleware=GUARDS)
"""
PICTURE_PAGE = """
import numpy as np
import streamlit as st
text = st.context.headers.get("X-Picture")
st.text(text) if text else st.image(np.zeros((9, 9), np.uint8))
"""


@pytest.fixture(scope="module")
def app():
    """Address of a running app."""
    with running_app() as address:
        yield address


@pytest.fixture
def client(app):
    """A client as it is after its first page."""
    return Client(app)


@pytest.fixture
def stranger(app):
    """Another client."""
    return Client(app)


@pytest.mark.parametrize(
    ("path", "status", "page", "stored"),
    [
        ("/", 200, True, False),
        ("/read", 200, True, False),
        ("/index.html", 200, True, False),
        ("/favicon.png", 200, False, False),
        ("/_stcore/health", 200, False, False),
        ("/_stcore/host-config", 200, False, False),
        ("/_stcore/metrics", 404, False, False),
        ("/media/0123.png", 403, False, False),
        ("/_stcore/upload_file/unknown/file", 404, False, False),
        ("/room/rows", 404, False, False),
        ("/..%2f..%2fetc/passwd", 400, False, False),
        ("//example.org/", 400, False, False),
        ("/about/", 301, False, False),
    ],
)
def test_every_answer_has_the_headers(client, path, status, page, stored):
    """Pages and data, redirects and errors."""
    answered, headers, _ = client.ask(path)
    assert answered == status
    assert {name: headers[name] for name in HEADERS} == HEADERS
    assert headers["Permissions-Policy"]
    assert headers["Cache-Control"] == "no-store"
    policy = dict(rule.split(" ", 1) for rule in headers["Content-Security-Policy"].split("; ") if " " in rule)
    assert policy["frame-ancestors"] == "'none'"
    assert policy["default-src"] == "'none'"
    assert ("script-src" in policy) is page


def test_a_page_may_load_from_its_own_server_alone(client):
    """No source of the policy names another server, or any server."""
    policy = client.ask("/")[1]["Content-Security-Policy"]
    sources = {source for rule in policy.split("; ") for source in rule.split(" ")[1:]}
    assert {source for source in sources if not re.fullmatch(r"'[\w+/=-]+'", source)} == {"blob:", "data:"}
    assert "unsafe" not in re.search("script-src [^;]*", policy)[0]


def test_the_programs_own_files_are_kept_without_a_cookie(app):
    """A cache between browser and server may hold them, and must not hand on a cookie with them."""
    client = Client(app, {})
    page = client.ask("/")[2].decode()
    client.cookies.clear()
    script = re.search(r'src="\.(/static/js/[^"]+)"', page)[1]
    status, headers, _ = client.ask(script)
    assert (status, headers["Set-Cookie"], headers["X-Content-Type-Options"]) == (200, None, "nosniff")
    assert "max-age" in headers["Cache-Control"]


@pytest.mark.parametrize(
    "path",
    [
        "/_stcore/metrics",
        "/_stcore/metrics?families=cache_memory_bytes",
        "//_stcore/metrics",
        "/_stcore//metrics",
        "/_stcore/%6detrics",
        "/_stcore/script-health-check",
        "/_stcore/agent/openapi.json",
        "/_stcore/agent/mcp",
        "/about/_stcore/agent/openapi.json",
        "/_stcore/bidi-components/image_viewer/index.js",
        "/component/any/index.html",
        "/auth/login",
        "/oauth2callback",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_what_no_page_needs_is_closed(client, path, method):
    """Metrics tell what sessions hold; the rest is for other programs."""
    status, _, content = client.ask(path, method)
    assert status in (400, 404)
    assert b"bytes" not in content


def test_the_page_gets_minimal_settings(client):
    """No other site may steer the page, and nothing is reported."""
    settings = client.ask("/_stcore/host-config")[2]
    assert b"http" not in settings


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "LOCALHOST", "localhost."])
def test_own_hosts_are_answered(app, client, host):
    """The names of this machine, with the port that the app has."""
    assert client.ask("/", headers={"Host": f"{host}:{urlsplit(app).port}"})[0] == 200


FOREIGN_HOSTS = [
    "evil.example",
    "evil.example:8501",
    "localhost.evil.example",
    "localhost@evil.example",
    "evil.example#localhost",
    "127.0.0.1.nip.io",
    "127.0.0.2",
    "0.0.0.0",
    "localhost:99999",
    "localhost:x",
    "localhost/",
    "xlocalhost",
    "[::2]",
    "",
]


@pytest.mark.parametrize("path", ["/", "/_stcore/health", "/static/js/any.js", "/media/0123.png"])
@pytest.mark.parametrize("host", FOREIGN_HOSTS)
def test_other_hosts_are_refused(app, host, path):
    """A site whose name leads to this machine reads nothing."""
    with socket.create_connection(("127.0.0.1", urlsplit(app).port), timeout=60) as raw:
        raw.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        answer = b""
        while part := raw.recv(65536):
            answer += part
    assert answer.split(b" ")[1] == b"400"


def origins(app):
    """Origins of other pages, on this machine and elsewhere."""
    port = urlsplit(app).port
    return [
        "https://evil.example",
        "http://localhost:3000",
        "http://localhost",
        f"http://127.0.0.1:{port}",
        f"http://localhost:{port}.evil.example",
        f"http://localhost:{port}@evil.example",
        f"ftp://localhost:{port}",
        f"localhost:{port}",
        "null",
        "",
    ]


@pytest.mark.parametrize("number", range(10))
def test_other_origins_are_refused(app, client, number):
    """Neither a WebSocket nor a request of another page; a page on another port of this machine is another page."""
    origin = origins(app)[number]
    with pytest.raises(InvalidStatus) as refusal:
        client.connect(headers={"Origin": origin}).close()
    assert refusal.value.response.status_code == 403
    assert refusal.value.response.headers["X-Content-Type-Options"] == "nosniff"
    if origin:
        assert client.ask("/_stcore/health", headers={"Origin": origin})[0] == 403


def test_a_websocket_under_another_host_is_refused(app, client):
    """Host and origin agree with each other, and not with the app."""
    with pytest.raises(InvalidStatus) as refusal:
        client.connect(headers={"Host": "evil.example", "Origin": "http://evil.example"}).close()
    assert refusal.value.response.status_code == 400


def test_a_websocket_without_the_cookie_is_refused(app):
    """Who opens a session must be known, or it could not be theirs."""
    for cookies in ({}, {COOKIE: "short"}, {COOKIE: "x" * 42 + ";"}):
        with pytest.raises(InvalidStatus) as refusal:
            Client(app, cookies).connect().close()
        assert refusal.value.response.status_code == 403


def test_the_cookie_is_for_the_server_alone(app):
    """No script reads it, no other site's request carries it, and it is renewed for nobody who has one."""
    client = Client(app, {})
    _, headers, _ = client.ask("/")
    cookie = next(value for value in headers.get_all("Set-Cookie") if value.startswith(COOKIE))
    assert {"httponly", "samesite=strict", "path=/"} <= set(cookie.lower().split("; "))
    assert client.ask("/")[1].get_all("Set-Cookie") is None
    assert Client(app).cookies[COOKIE] != client.cookies[COOKIE]


def test_a_session_is_resumed_by_its_own_browser_alone(client, stranger):
    """Another browser that names the session gets a session of its own, and the first keeps its connection."""
    with client.connect() as first:
        session = session_of(visit(first, "about"))
        with stranger.connect(session) as other:
            assert session_of(visit(other, "about")) != session
        assert session_of(visit(first, "about")) == session
    with stranger.connect(session) as other:
        assert session_of(visit(other, "about")) != session
    with client.connect(session) as again:
        assert session_of(visit(again, "about")) == session


def test_only_a_room_takes_files(client):
    """Streamlit's own upload is closed, to the browser of the session too."""
    with client.connect() as socket_:
        session = session_of(visit(socket_, "about"))
        for method in ("PUT", "POST", "DELETE"):
            assert client.ask(f"/_stcore/upload_file/{session}/film", method, b"film")[0] == 404


@pytest.fixture
def picture_app(tmp_path):
    """Address of an app behind the same guards whose page is one picture."""
    (tmp_path / "page.py").write_text(PICTURE_PAGE, encoding="utf-8")
    (tmp_path / "app.py").write_text(PICTURE_APP, encoding="utf-8")
    with running_app(program=tmp_path / "app.py", variables={"PYTHONPATH": str(PROJECT)}) as address:
        yield address


def test_media_are_shown_to_the_own_browser_alone(picture_app):
    """The address of a picture stands in histories and logs; neither it nor its text on a page opens it."""
    owner, stranger = Client(picture_app), Client(picture_app)
    with owner.connect() as socket_, stranger.connect(headers={"X-Picture": "none"}) as other:
        address = media_of(visit(socket_, ""))[0]
        visit(other, "")
        assert owner.ask(address)[0] == 200
        assert stranger.ask(address)[0] == 403
    with stranger.connect(headers={"X-Picture": address}) as other:
        assert media_of(visit(other, "")) == [address]
        assert stranger.ask(address)[0] == 403
        _, headers, content = owner.ask(address)
    assert content.startswith(b"\xff\xd8")
    assert headers["Cache-Control"] == "no-store"
    assert headers["Content-Security-Policy"].endswith("sandbox")


@pytest.mark.parametrize(
    ("options", "hosts"),
    [
        (["--server.address=0.0.0.0"], {"127.0.0.1": 200, "localhost": 200, "127.0.0.2": 400, "a.example": 400}),
        (["--server.address=127.0.0.5"], {"127.0.0.5": 200, "localhost": 200, "127.0.0.6": 400}),
        (
            ["--server.allowedHosts=reader.example", "--server.allowedHosts=*.ward.example"],
            {"reader.example": 200, "a.ward.example": 200, "ward.example": 400, "localhost": 400},
        ),
        (["--server.baseUrlPath=xray"], {"localhost": 200}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_the_operator_allows_other_addresses(options, hosts):
    """The address listened on and the address asked for count; names only when they are listed."""
    base = "/xray" if "baseUrlPath" in options[0] else ""
    reached = options[0].partition("address=")[2].replace("0.0.0.0", "127.0.0.1") or "127.0.0.1"
    with running_app(options, listens=reached) as address:
        port = urlsplit(address).port
        client = Client(f"http://{reached}:{port}", {})
        found = {host: client.ask(f"{base}/", headers={"Host": f"{host}:{port}"})[0] for host in hosts}
        assert found == hosts
        allowed = next(host for host, status in hosts.items() if status == 200)
        given = {"Host": f"{allowed}:{port}"}
        assert client.ask(f"{base}/_stcore/metrics", headers=given)[0] == 404
        assert client.ask(f"{base}/media/0123.png", headers=given)[0] == 403
