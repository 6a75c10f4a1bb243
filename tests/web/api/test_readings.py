"""Readings for other programs: what is answered, what is refused, and that nothing of it is held."""

import asyncio
import json
import logging
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from email.parser import BytesParser
from io import BytesIO
from urllib.parse import quote

import jsonschema
import pydicom
import pytest

from cxrmodel.imaging.formats.dicom import is_dicom
from cxrmodel.web import engine
from cxrmodel.web.api import readings
from tests.support.dicom_files import dicom
from tests.support.stand_ins import FakeReader

ALSO_FREE = ("file", "milliseconds", "file_modified")
"""Keys that differ between two readings of the same bytes."""


def codes(caplog, event: str) -> list[dict]:
    """Values of the events of one kind in the log."""
    found = [record.cxrmodel_message for record in caplog.records if hasattr(record, "cxrmodel_message")]
    return [message.values for message in found if message.code == f"logs.{event}"]


def check(interface, answer, path: str = "/api/v1/readings", method: str = "post") -> None:
    """Hold an answer to the description of the interface."""
    described = interface.api.openapi()["paths"][path][method]["responses"][str(answer.status)]
    kind = answer.headers["content-type"].partition(";")[0]
    assert kind in described["content"]
    if kind.endswith("json"):
        parts = {"components": interface.api.openapi()["components"]}
        jsonschema.Draft202012Validator(described["content"][kind]["schema"] | parts).validate(answer.json())


@pytest.fixture(scope="module")
def chest(make_image):
    """A DICOM file of a drawn chest radiograph, with a patient's name."""
    return dicom((4095 * make_image()).astype("uint16"), bits=12, PatientName="DOE^JANE", PatientID="4711")


def test_a_reading_is_that_of_the_command(interface, project, tmp_path, png, make_image, demo_image):
    """Key for key, at another prevalence than the usual one; a refused image too."""
    files = {"a.png": demo_image, "b.png": png(make_image()), "c.txt": b"Jane Doe", "d.png": b""}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    arguments = ["--json", "--prevalence", "3.1%", *(str(tmp_path / name) for name in files)]
    command = [sys.executable, "-m", "cxrmodel", "read", *arguments]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=300)
    expected = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(expected) == len(files)
    for content, record in zip(files.values(), expected, strict=True):
        answer = interface.read(content, f"?prevalence={quote('3.1%')}")
        check(interface, answer)
        assert answer.status == (200 if record["status"] == "read" else 422)
        found = answer.json()
        assert list(found) == list(record)
        assert {key: found[key] for key in found if key not in ALSO_FREE} == {
            key: record[key] for key in record if key not in ALSO_FREE
        }


def test_the_other_model_reads_when_it_is_named(interface, demo_image):
    """With its own version."""
    answer = interface.read(demo_image, "?model=cnn")
    assert answer.json()["model"].startswith("cnn ")


BAD = [
    ("no token", {}, {"authorization": None}, "POST", 401, "api.no_token"),
    ("wrong token", {}, {"authorization": "Bearer " + "0" * 64}, "POST", 401, "api.wrong_token"),
    ("no bearer", {}, {"authorization": "Basic SmFuZTpEb2U="}, "POST", 401, "api.no_token"),
    ("token of another alphabet", {}, {"authorization": "Bearer Jané"}, "POST", 401, "api.wrong_token"),
    ("no length", {}, {"content-length": None}, "POST", 411, "web.server.no_length"),
    ("length in letters", {}, {"content-length": "many"}, "POST", 411, "web.server.no_length"),
    ("too large", {}, {"content-length": str(65 * 2**20)}, "POST", 413, "web.server.too_large"),
    ("more than stated", {}, {"content-length": "3"}, "POST", 413, "web.server.too_large"),
    ("less than stated", {}, {"content-length": "99"}, "POST", 400, "web.server.wrong_request"),
    ("a form", {}, {"content-type": "multipart/form-data; boundary=x"}, "POST", 415, "api.no_form"),
    ("no offered form", {}, {"accept": "text/html"}, "POST", 406, "api.not_acceptable"),
    ("unknown parameter", {"name": "Jane"}, {}, "POST", 400, "api.unknown_parameter"),
    ("parameter twice", {"model": "cnn&model=cnn"}, {}, "POST", 400, "api.unknown_parameter"),
    ("unknown model", {"model": "best"}, {}, "POST", 400, "api.unknown_model"),
    ("no prevalence", {"prevalence": "often"}, {}, "POST", 400, "reading.no_prevalence"),
    ("impossible prevalence", {"prevalence": "1"}, {}, "POST", 400, "reading.no_prevalence"),
    ("unknown result", {"results": "sr,pdf"}, {}, "POST", 400, "api.unknown_results"),
    ("result twice", {"results": "sr,sr"}, {}, "POST", 400, "api.unknown_results"),
    ("wrong method", {}, {}, "PUT", 405, "api.wrong_method"),
    ("another host", {}, {"host": "evil.example"}, "POST", 400, None),
    ("another page", {}, {"origin": "http://evil.example"}, "POST", 403, None),
]


@pytest.mark.parametrize(
    ("query", "headers", "method", "status", "code"), [row[1:] for row in BAD], ids=[row[0] for row in BAD]
)
def test_bad_requests_are_refused(interface, query, headers, method, status, code):
    """Each with its status and its code, as the description has it; the guards of the app answer in a sentence."""
    asked = "&".join(f"{name}={value}" for name, value in query.items())
    answer = interface.ask(method, f"/api/v1/readings?{asked}", b"Jane Doe", headers)
    assert answer.status == status
    assert answer.headers["cache-control"] == "no-store"
    assert "set-cookie" not in answer.headers
    assert "Jane" not in answer.text
    if code is not None:
        assert answer.json()["code"] == code
        check(interface, answer)


@pytest.mark.parametrize("path", ["/api/v1/reading", "/api/", "/api/v1/readings/", "/api/docs", "/docs", "/redoc"])
def test_nothing_else_is_there(interface, path):
    """Pages that would load scripts from another server least of all."""
    assert interface.ask("GET", path).status == 404


def test_a_file_that_is_too_large_is_not_received(interface):
    """The answer comes although the content never does."""
    answer = interface.read(b"x", headers={"content-length": str(2**40)}, stalls=True)
    assert (answer.status, answer.headers["connection"]) == (413, "close")


def test_a_request_without_the_token_is_not_received(interface):
    """Neither is it counted as an image."""
    assert interface.read(b"x", headers={"authorization": None, "content-length": "99"}, stalls=True).status == 401
    assert 'outcome="refused",source="api"} 0.0' in interface.metrics.text().decode()


def test_the_interface_is_off_without_a_token(make_interface, demo_image):
    """It says how to switch it on."""
    interface = make_interface(token_file=None)
    answer = interface.read(demo_image)
    assert (answer.status, answer.json()["code"]) == (404, "api.off")


def test_a_token_is_exchanged_without_a_restart(interface):
    """The old one ends at once; while the file cannot be used, no token counts."""
    old = interface.token
    assert interface.read(b"").status == 422
    interface.write_token("1" * 64)
    assert interface.read(b"").status == 422
    assert interface.read(b"", headers={"authorization": f"Bearer {old}"}).json()["code"] == "api.wrong_token"
    for spoil in (
        lambda: interface.token_file.chmod(0o644),
        lambda: interface.write_token("short"),
        lambda: interface.write_token(""),
        interface.token_file.unlink,
    ):
        interface.write_token("1" * 64)
        spoil()
        answer = interface.read(b"")
        assert (answer.status, answer.json()["code"]) in ((503, "api.token_unusable"), (401, "api.no_token"))
        assert interface.read(b"", headers={"authorization": f"Bearer {'1' * 64}"}).status == 503
    interface.write_token("1" * 64)
    assert interface.read(b"").status == 422


@pytest.mark.parametrize("limits", [{}, {"timeout_seconds": 0.05}])
def test_a_slow_client_is_given_up(make_interface, monkeypatch, limits):
    """After some time without a byte, and after some time in all."""
    monkeypatch.setattr(readings, "PATIENCE", 0.05 if not limits else 60.0)
    interface = make_interface(**limits)
    answer = interface.read(b"some of it", headers={"content-length": "99"}, stalls=True)
    assert (answer.status, answer.json()["code"]) == (408, "web.server.too_slow")
    check(interface, answer)
    assert "cxrmodel_held_requests 0.0" in interface.metrics.text().decode()


class Stuck(FakeReader):
    """A reader whose readings end when they are told to."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.end, self.given_up = threading.Semaphore(0), threading.Event(), []

    def read(self, data, name, client=None, notify=None, **options):
        """Wait for the end, and ask now and then whether somebody waits."""
        self.begun.release()
        while not self.end.wait(0.02):
            try:
                notify(1)
            except readings.GivenUp:
                self.given_up.append(data)
                raise
        return super().read(data, name)  # which refuses what is no picture


@pytest.fixture
def stuck(monkeypatch):
    """A reader that is stuck, in place of the model."""
    reader = Stuck()
    monkeypatch.setattr(engine, "reader", lambda model: reader)
    yield reader
    reader.end.set()


def test_a_slow_reading_is_given_up(make_interface, stuck):
    """Its thread learns of it, and its place is free again."""
    interface = make_interface(timeout_seconds=0.3)
    answer = interface.read(b"one")
    assert (answer.status, answer.json()["code"]) == (504, "api.too_long")
    check(interface, answer)
    interface.readings_end(stuck)
    assert stuck.given_up == [b"one"]


def test_more_requests_than_places_are_refused(make_interface, stuck, monkeypatch):
    """The others are read; a place is free once its file is gone."""
    interface = make_interface(at_once=1, waiting=1)
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(interface.read(b"one"))) for _ in range(2)]
    for thread in threads:
        thread.start()
    assert stuck.begun.acquire(timeout=60)
    interface.wait_for("cxrmodel_held_requests 2.0")
    refused = interface.read(b"three")
    assert (refused.status, refused.json()["code"], refused.headers["retry-after"]) == (503, "api.busy", "1")
    check(interface, refused)
    stuck.end.set()
    for thread in threads:
        thread.join()
    assert [answer.status for answer in answers] == [422, 422]
    interface.wait_for("cxrmodel_held_requests 0.0")
    assert interface.read(b"four").status == 422


def test_a_reading_whose_client_has_left_is_given_up(make_interface, stuck, caplog):
    """Nothing is answered, nothing is counted, and the place is free again."""
    caplog.set_level(logging.INFO)
    interface = make_interface()
    with ThreadPoolExecutor(1) as thread:  # which has no event loop, such as that of a browser's driver
        sent = thread.submit(asyncio.run, leave(interface, stuck)).result()
    interface.readings_end(stuck)
    assert stuck.given_up == [b"one"]
    assert [values["cause"] for values in codes(caplog, "reading_not_made")] == ["api.client_gone"]
    assert 'outcome="read",source="api"} 0.0' in interface.metrics.text().decode()
    assert sent[0]["status"] == 400


async def leave(interface, reader) -> list[dict]:
    """Ask for a reading, and leave once it has begun."""
    messages = [{"type": "http.request", "body": b"one", "more_body": False}]
    sent = []

    async def receive():
        if messages:
            return messages.pop()
        if reader.begun.acquire(blocking=False):
            reader.begun.release()
            return {"type": "http.disconnect"}
        await asyncio.Event().wait()

    async def send(message):
        sent.append(message)

    headers = {"host": "localhost", "content-length": "3", "authorization": f"Bearer {interface.token}"}
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/api/v1/readings",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "scheme": "http",
        "server": ("127.0.0.1", 80),
    }
    await interface.app(scope, receive, send)
    return sent


def test_an_unexpected_error_gives_a_reference_alone(interface, monkeypatch, caplog):
    """The log has it, and neither has the error's message."""

    def fail(model):
        raise RuntimeError("cannot read DOE^JANE")

    monkeypatch.setattr(engine, "reader", fail)
    answer = interface.read(b"one")
    check(interface, answer)
    (logged,) = codes(caplog, "failure")
    assert (answer.status, logged["reference"] in answer.json()["detail"]) == (500, True)
    assert "JANE" not in answer.text + caplog.text


def parts_of(answer) -> list[tuple[str, bytes]]:
    """Type and content of each part of an answer."""
    kind = answer.headers["content-type"].encode()
    message = BytesParser().parsebytes(b"Content-Type: " + kind + b"\r\n\r\n" + answer.content)
    assert message.get_content_type() == "multipart/related"
    assert not message.defects
    parts = [(part.get_content_type(), part.get_payload(decode=True)) for part in message.get_payload()]
    assert parts[0][0] == message.get_param("type")
    return parts


def test_results_come_with_the_reading(interface, chest):
    """The reading first, then the objects in the wanted order, made at the wanted prevalence."""
    answer = interface.read(chest, "?results=sc,sr&prevalence=0.2")
    assert answer.status in (200, 422)
    check(interface, answer)
    (kind, record), *objects = parts_of(answer)
    assert kind == "application/json"
    assert json.loads(record)["codes"] == interface.read(chest).json()["codes"]
    made = [pydicom.dcmread(BytesIO(data)) for _, data in objects]
    assert [data.Modality for data in made][-1] == "SR"
    assert {data.StudyInstanceUID for data in made} == {pydicom.dcmread(BytesIO(chest)).StudyInstanceUID}
    assert {str(data.PatientID) for data in made} == {"4711"}


def test_results_alone_are_asked_for_by_their_type(interface, chest):
    """As DICOMweb does."""
    answer = interface.read(chest, headers={"accept": 'multipart/related; type="application/dicom"'})
    assert {kind for kind, _ in parts_of(answer)} == {"application/dicom"}
    assert all(is_dicom(data) for _, data in parts_of(answer))


def test_own_results_are_not_read(interface, chest):
    """Neither report nor capture, so that nothing is read in a circle."""
    answer = interface.read(chest, headers={"accept": 'multipart/related; type="application/dicom"'})
    for _, data in parts_of(answer):
        again = interface.read(data)
        assert again.status == 422
        assert again.json()["status"] == "refused"


def test_results_need_a_dicom_file(interface, demo_image):
    """There is no study that they could belong to."""
    answer = interface.read(demo_image, "?results=sr")
    assert (answer.status, answer.headers["content-type"]) == (422, "application/problem+json")
    check(interface, answer)


def test_log_and_metrics_name_nobody(interface, chest, caplog):
    """Of an image that was read and of one that was refused."""
    caplog.set_level(logging.INFO)
    interface.read(chest)
    interface.read(chest[:-100000], "?prevalence=0.1", {"user-agent": "DOE^JANE", "referer": "/DOE^JANE"})
    interface.ask("GET", "/api/DOE^JANE?PatientID=4711")
    (line, *_) = codes(caplog, "reading")
    assert set(line) <= {"request", "outcome", "milliseconds", "cause"}
    written = caplog.text + interface.metrics.text().decode()
    for identity in ("JANE", "4711", str(pydicom.dcmread(BytesIO(chest)).SOPInstanceUID), "prevalence=", "127.0.0.1"):
        assert identity not in written
    assert 'route="other"' in written
