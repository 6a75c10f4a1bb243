"""The client of DICOMweb, with servers that answer in odd ways."""

import json
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from cxrmodel.configuration.schema import WebAccess
from cxrmodel.errors import PermanentFailure, TransientFailure
from cxrmodel.exchange import dicomweb
from cxrmodel.exchange.dicomweb import DicomWeb, first_of
from tests.exchange.conftest import certificate, image, key

MULTIPART = 'multipart/related; type="application/dicom"; boundary="x"'


@pytest.fixture
def serve():
    """A function that starts a server which answers a request with (status, headers, body), and gives a client."""
    servers = []

    def start(answer, tls=None, **changes) -> DicomWeb:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                status, headers, content = answer(self, body)
                self.send_response(status)
                for name, value in {"Content-Length": str(len(content)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            do_POST = do_GET

            def log_message(self, *given):
                """Nothing."""

        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), Handler))
        servers[-1].daemon_threads = True
        servers[-1].handle_error = lambda *given: None  # a client that leaves during the handshake
        if tls:
            servers[-1].socket = tls.wrap_socket(servers[-1].socket, server_side=True)
        threading.Thread(target=servers[-1].serve_forever, args=(0.02,), daemon=True).start()
        url = f"{'https' if tls else 'http'}://127.0.0.1:{servers[-1].server_address[1]}/web"
        return DicomWeb(WebAccess(name="odd", **{"url": url, "timeout_seconds": 20.0, **changes}))

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def matches(*studies: str) -> bytes:
    """The answer to a search for studies."""
    return json.dumps([{dicomweb.STUDY_UID: {"vr": "UI", "Value": [study]}} for study in studies]).encode()


def queries(handler) -> dict[str, list[str]]:
    """Parameters of a request."""
    found: dict[str, list[str]] = {}
    for part in handler.path.partition("?")[2].split("&"):
        name, _, value = part.partition("=")
        found.setdefault(name, []).append(value)
    return found


def test_a_search_asks_for_each_field_by_itself(serve):
    """Servers ignore a list with commas."""
    asked = []

    def answer(handler, _body):
        asked.append(queries(handler))
        return 204, {}, b""

    assert list(serve(answer).search("/studies", ["00080060", "00080061"], StudyDate="20200101-20200102")) == []
    assert asked[0]["includefield"] == ["00080060", "00080061"]
    assert asked[0]["StudyDate"] == ["20200101-20200102"]


def test_a_server_that_gives_fewer_matches_than_asked_for_is_read_to_the_end(serve):
    """A page that is not full is no sign of the end."""
    studies = [f"1.{number}" for number in range(7)]

    def answer(handler, _body):
        offset = int(queries(handler)["offset"][0])
        return 200, {}, matches(*studies[offset : offset + 2])

    assert [first_of(found, dicomweb.STUDY_UID) for found in serve(answer).search("/studies", [])] == studies


def test_a_server_without_pages_is_asked_twice(serve):
    """It gives everything each time; nothing comes twice, and the search ends."""
    asked = []

    def answer(handler, _body):
        asked.append(handler.path)
        return 200, {}, matches("1.1", "1.2")

    assert len(list(serve(answer).search("/studies", []))) == 2
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("status", "headers", "kind", "code", "after"),
    [
        (401, {}, TransientFailure, "exchange.web.unauthorised", None),
        (403, {}, TransientFailure, "exchange.web.forbidden", None),
        (404, {}, TransientFailure, "exchange.web.not_found", None),
        (408, {}, TransientFailure, "exchange.web.server_error", None),
        (429, {"Retry-After": "7"}, TransientFailure, "exchange.web.busy", 7.0),
        (503, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, TransientFailure, "exchange.web.busy", 0.0),
        (503, {"Retry-After": "soon"}, TransientFailure, "exchange.web.busy", None),
        (500, {}, TransientFailure, "exchange.web.server_error", None),
        (302, {"Location": "http://192.0.2.1/"}, TransientFailure, "exchange.web.redirected", None),
        (400, {}, PermanentFailure, "exchange.web.refused", None),
        (413, {}, PermanentFailure, "exchange.web.refused", None),
    ],
)
def test_every_status_has_its_failure(serve, status, headers, kind, code, after):
    """Nothing of the answer's text is repeated, and nobody is sent elsewhere."""
    web = serve(lambda handler, _body: (status, headers, b"DOE^JANE"))
    for call in (lambda: web.page("/studies", []), lambda: web.store(b"", key())):
        with pytest.raises(kind) as caught:
            call()
        assert caught.value.message.code == code
        assert getattr(caught.value, "retry_after", None) == after
        assert "DOE" not in str(caught.value)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"<html>", "exchange.web.not_dicomweb"),
        (b'{"a": 1}', "exchange.web.not_dicomweb"),
        (b"[1]", "exchange.web.not_dicomweb"),
        (b"[" * 100_000, "exchange.web.not_dicomweb"),
    ],
)
def test_an_answer_of_another_form_is_no_dicomweb(serve, body, code):
    """It is a failure with a name, whatever it is."""
    with pytest.raises(TransientFailure) as caught:
        serve(lambda handler, _body: (200, {}, body)).page("/studies", [])
    assert caught.value.message.code == code


def part(content: bytes, mark: bytes = b"x") -> bytes:
    """A message of one part."""
    return b"--" + mark + b"\r\nContent-Type: application/dicom\r\n\r\n" + content + b"\r\n--" + mark + b"--\r\n"


@pytest.mark.parametrize("content", [b"\r\n--y\r\n\r\n--", b"", image()])
def test_the_bytes_of_an_object_are_given_as_they_are(serve, content):
    """Whatever they look like."""
    web = serve(lambda handler, _body: (200, {"Content-Type": MULTIPART}, b"a preamble\r\n" + part(content)))
    assert web.fetch("1", "2", "3") == content


@pytest.mark.parametrize("body", [b"", part(b"whole")[:-12], b"--x\r\nContent-Type: application/dicom\r\n"])
def test_an_object_that_is_not_whole_is_not_given(serve, body):
    """It is asked for again."""
    with pytest.raises(TransientFailure):
        serve(lambda handler, _body: (200, {"Content-Type": MULTIPART}, body)).fetch("1", "2", "3")


def test_an_answer_that_ends_early_is_not_given(serve):
    """The length that was announced counts."""
    web = serve(lambda handler, _body: (200, {"Content-Type": "application/dicom", "Content-Length": "99"}, b"short"))
    with pytest.raises(TransientFailure):
        web.fetch("1", "2", "3")


def test_answers_are_bounded(serve, monkeypatch):
    """In size, in the time of a wait, and in the time of the whole."""
    monkeypatch.setattr(dicomweb, "MOST_BYTES", 1000)
    with pytest.raises(PermanentFailure) as large:
        serve(lambda handler, _body: (200, {}, bytes(100_000))).fetch("1", "2", "3")
    assert large.value.message.code == "exchange.web.too_large"

    monkeypatch.setattr(dicomweb, "_MOST_TIMES", 0)
    with pytest.raises(TransientFailure) as endless:
        serve(lambda handler, _body: (200, {}, bytes(900))).fetch("1", "2", "3")
    assert endless.value.message.code == "exchange.web.timeout"
    with pytest.raises(TransientFailure) as silent:
        serve(lambda handler, body: time.sleep(0.4) or (200, {}, b"[]"), timeout_seconds=0.1).page("/studies", [])
    assert silent.value.message.code == "exchange.web.timeout"


REFERENCED, REASON = "00081155", "00081197"


def stored(**lists) -> bytes:
    """The answer to a stored instance: (UID, reason) of what was stored and what failed."""
    sequences = {"stored": "00081199", "failed": "00081198"}
    return json.dumps(
        {
            sequences[name]: {
                "vr": "SQ",
                "Value": [
                    {
                        REFERENCED: {"vr": "UI", "Value": [uid]},
                        **({REASON: {"vr": "US", "Value": [reason]}} if reason is not None else {}),
                    }
                    for uid, reason in items
                ],
            }
            for name, items in lists.items()
        }
    ).encode()


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (200, stored(stored=[(key(), None)]), None, None),
        (200, b"", None, None),
        (202, stored(stored=[(key(), None)], failed=[]), None, None),
        (
            202,
            stored(stored=[("1.2", None)], failed=[(key(), 0xA700)]),
            TransientFailure,
            "exchange.object.no_resources",
        ),
        (409, stored(failed=[(key(), 0x0111)]), None, None),
        (409, stored(failed=[(key(), 0x0122)]), PermanentFailure, "exchange.object.class_refused"),
        (409, stored(failed=[(key(), 0xC000)]), PermanentFailure, "exchange.object.refused"),
        (409, stored(failed=[(key(), None)]), PermanentFailure, "exchange.object.refused"),
        (409, stored(failed=[(key(), 0x0110)]), TransientFailure, "exchange.object.processing"),
        (409, stored(failed=[(key(), 0x0124)]), TransientFailure, "exchange.object.not_authorised"),
        (400, stored(stored=[], failed=[]), PermanentFailure, "exchange.web.refused"),
        (200, stored(stored=[], failed=[]), TransientFailure, "exchange.object.not_confirmed"),
        (200, stored(stored=[("1.2", None)]), TransientFailure, "exchange.object.not_confirmed"),
        (409, b"", PermanentFailure, "exchange.web.refused"),
    ],
)
def test_the_answer_for_each_object_counts(serve, status, body, kind, code):
    """More than the status of the whole; an object that was there already is stored."""
    web = serve(lambda handler, _body: (status, {}, body))
    if kind is None:
        web.store(image(), key())
    else:
        with pytest.raises(kind) as caught:
            web.store(image(), key())
        assert caught.value.message.code == code


def test_an_object_is_sent_as_it_is(serve):
    """Byte for byte, in a message of one part."""
    sent = []
    serve(lambda handler, body: sent.append((handler.headers["Content-Type"], body)) or (200, {}, b"")).store(
        image(), key()
    )
    ((kind, body),) = sent
    mark = kind.rpartition("boundary=")[2].encode()
    assert body == part(image(), mark)


def test_https_with_a_checked_certificate(serve, tmp_path):
    """One that nobody has signed is not trusted."""
    own, other = certificate(tmp_path, "server"), certificate(tmp_path, "other")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*own)
    for ca, code in ((None, "exchange.web.certificate"), (other[0], "exchange.web.certificate"), (own[0], None)):
        web = serve(lambda handler, _body: (204, {}, b""), context, ca_file=ca)
        if code is None:
            assert web.page("/studies", []) == []
        else:
            with pytest.raises(TransientFailure) as caught:
                web.page("/studies", [])
            assert caught.value.message.code == code


def test_a_new_token_counts_at_once(serve, tmp_path):
    """Its file is read for each request; it stands in no address."""
    token = tmp_path / "token"
    token.write_text("first\n")
    token.chmod(0o600)
    heard = []
    web = serve(
        lambda handler, _body: (
            heard.append((handler.headers["Authorization"], "first" in handler.path)) or (204, {}, b"")
        ),
        token_file=token,
    )
    web.page("/studies", [])
    token.write_text("second\n")
    web.page("/studies", [])
    assert heard == [("Bearer first", False), ("Bearer second", False)]
