"""Who reaches a room, and what a request may hold."""

import asyncio
import gc
import json
import weakref

import pytest
from starlette.applications import Starlette

from cxrmodel.imaging.radiograph import MAX_BYTES
from cxrmodel.web.room import memory
from cxrmodel.web.room import room as rooms
from cxrmodel.web.room.rooms import open_room
from cxrmodel.web.server.browsers import COOKIE
from cxrmodel.web.server.guards import GUARDS
from cxrmodel.web.server.room import access, images, queue
from cxrmodel.web.server.routes import ROUTES
from tests.support.asgi import Client
from tests.support.rooms import announce, give, settle
from tests.support.stand_ins import FakeReader

BROWSER, OTHER = "b" * 43, "o" * 43
BYTES = {"Content-Type": "application/octet-stream"}
APP = Starlette(routes=ROUTES, middleware=GUARDS)


@pytest.fixture
def room():
    """The room of a session of the browser."""
    made = open_room(BROWSER)
    made.use(FakeReader())
    return made


@pytest.fixture
def client(room):
    """The browser, on the page of the session."""
    headers = {"X-Room": room.token, "Cookie": f"{COOKIE}={BROWSER}"}
    return Client(APP, headers)


def put(client, row_id, data, **headers):
    """Send a file."""
    return client.ask("PUT", f"/room/files/{row_id}", data, BYTES | headers)


def everything(room):
    """Every request that a page makes, as method, path, and content."""
    (row_id,) = announce(room, "a.png")
    gets = ("rows?after=0", f"scene/{row_id}", f"reading.pdf/{row_id}", "list.csv", "all.zip")
    posts = ("announce", "select", "prevalence", f"rows/{row_id}", "remove", "clear", "undo", "cancel", "again", "demo")
    return [("GET", path) for path in gets] + [("POST", path) for path in posts] + [("PUT", f"files/{row_id}")]


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Room": "", "Cookie": f"{COOKIE}={BROWSER}"},
        {"X-Room": "guess", "Cookie": f"{COOKIE}={BROWSER}"},
        {"X-Room": "TOKEN", "Cookie": f"{COOKIE}={OTHER}"},
        {"X-Room": "TOKEN", "Cookie": ""},
        {"X-Room": "TOKEN", "Cookie": f"{COOKIE}="},
    ],
)
def test_token_and_cookie_must_be_those_of_the_session(room, headers):
    """Anyone else learns nothing, not even whether there is such a session."""
    given = {name: value.replace("TOKEN", room.token) for name, value in headers.items()}
    stranger = Client(APP, given)
    answers = [stranger.ask(method, f"/room/{path}") for method, path in everything(room)]
    assert {(answer.status, answer.text) for answer in answers} == {(404, answers[0].text)}


def test_another_page_may_not_ask(client, room):
    """A page of another site gives itself away by its origin."""
    for method, path in everything(room):
        assert client.ask(method, f"/room/{path}", headers={"Origin": "http://evil.example"}).status == 403


def test_answers_are_never_stored(client):
    """They hold images, and run nothing."""
    answer = client.ask("GET", "/room/rows?after=0")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"{}", {"Content-Type": "text/plain"}, 415),
        (b"{", {}, 400),
        (b'{"id": "x"}', {}, 400),
        (b'{"id": "row-00000000", "more": 1}', {}, 400),
        (b" " * (access.MOST_JSON + 1), {}, 413),
        (b"{}", {"Content-Length": None}, 411),
    ],
    ids=["type", "syntax", "identifier", "unknown", "large", "no length"],
)
def test_request_that_is_not_understood_is_refused(client, content, headers, status):
    """By its type, its size or its content, which is not repeated."""
    answer = client.ask("POST", "/room/again", content, {"Content-Type": "application/json"} | headers)
    assert answer.status == status
    assert "row-0" not in answer.text


def test_file_is_refused_before_it_is_kept(client, room):
    """Where it is too large, of an unknown length or type, or longer than it says."""
    (row_id,) = announce(room, "a.png")
    assert put(client, row_id, b"", **{"Content-Length": str(MAX_BYTES + 1)}).status == 413
    assert put(client, row_id, b"x", **{"Content-Length": None}).status == 411
    assert put(client, row_id, b"x", **{"Content-Type": "multipart/form-data"}).status == 415
    assert put(client, row_id, b"xyz", **{"Content-Length": "2"}).status == 413
    assert put(client, row_id, b"x", **{"Content-Length": "2"}).status == 400
    assert room.waiting_bytes() == 0
    assert room.row(row_id).wanted


def test_busy_server_lets_the_browser_wait(client, room, monkeypatch):
    """The file stays in the browser, which tries again."""
    monkeypatch.setattr(rooms, "WAITING", memory.Waiting(10, 10))
    first, second = announce(room, "a.png", "b.png")
    assert room.reserve(first, 8)
    answer = put(client, second, b"abc")
    assert (answer.status, answer.headers["retry-after"]) == (503, "1")
    room.release(first)
    assert put(client, second, b"abc").status == 204


def test_file_of_no_row_is_not_taken(client, room):
    """It was removed meanwhile; one that has arrived already is fine."""
    assert put(client, "row-unknown", b"abc").status == 404
    (row_id,) = give(room, ("a.txt", b"text"))
    assert put(client, row_id, b"text").status == 204


def test_slow_client_is_given_up(client, room, monkeypatch):
    """What it has sent is not kept."""
    monkeypatch.setattr(access, "PATIENCE", 0.05)
    (row_id,) = announce(room, "a.png")
    assert client.ask("PUT", f"/room/files/{row_id}", b"abcd", BYTES, stalls=True).status == 408
    assert room.waiting_bytes() == 0


def test_error_is_answered_with_its_number(client, room, monkeypatch, caplog):
    """Nothing of it is in the answer, and no name in the log."""

    def broken(self, after):
        raise RuntimeError("Jane Doe")

    monkeypatch.setattr(type(room), "state", broken)
    answer = client.ask("GET", "/room/rows?after=0")
    assert answer.status == 500
    assert answer.json()["reference"] in caplog.text
    assert "Jane" not in answer.text + caplog.text


def test_rows_come_at_once_where_there_is_something_new(client, room):
    """Else with the next change, or after a while."""
    announce(room, "a.png")
    state = client.ask("GET", "/room/rows?after=0").json()
    assert [row["name"] for row in state["rows"]] == ["a.png"]


@pytest.mark.parametrize("change", [True, False])
def test_a_waiting_request_is_answered_by_the_next_change(client, room, monkeypatch, change):
    """Or with nothing after a while."""
    monkeypatch.setattr(queue, "LONGEST_WAIT", 20.0 if change else 0.05)
    expect = room.changes.expect

    def expect_and_change():
        event = expect()
        if change:
            asyncio.get_running_loop().call_later(0.05, announce, room, "b.png")
        return event

    monkeypatch.setattr(room.changes, "expect", expect_and_change)
    state = client.ask("GET", f"/room/rows?after={room.version}").json()
    assert [row["name"] for row in state["rows"]] == (["b.png"] if change else [])


def test_a_waiting_request_holds_no_image(monkeypatch):
    """A session may end while its page waits for a change: the answer is then that there is none."""
    room = open_room(BROWSER)
    gone = weakref.ref(room)
    headers = {"X-Room": room.token, "Cookie": f"{COOKIE}={BROWSER}"}
    changes, expect, found = room.changes, room.changes.expect, []

    def expect_and_end():
        event = expect()

        def end():
            gc.collect()
            found.append(gone())
            changes.tell()

        asyncio.get_running_loop().call_later(0.05, end)
        return event

    changes.expect = expect_and_end
    client = Client(APP, headers)
    kept = [room]
    monkeypatch.setattr(access, "find_room", lambda token, browser: kept.pop() if kept else None)
    del room
    assert client.ask("GET", "/room/rows?after=1").status == 404
    assert found == [None]


def test_what_a_user_does_reaches_the_room(client, room):
    """Each request does what it says."""
    ids = ["row-aaaaaaaa", "row-bbbbbbbb", "row-cccccccc"]
    files = [{"id": row_id, "name": f"{row_id}.txt", "size": 4} for row_id in ids]
    post = lambda path, value: client.post(f"/room/{path}", value).status  # noqa: E731
    assert post("announce", {"files": files}) == 204
    assert put(client, ids[0], b"text").status == 204
    settle(room)
    assert post("select", {"id": ids[1], "stamp": 1}) == 204
    assert post("prevalence", {"value": 0.2, "stamp": 1}) == 204
    assert post(f"rows/{ids[0]}", {"mark": "agree", "note": "n"}) == 204
    assert post("cancel", {"ids": [ids[1]]}) == 204
    assert post("lost", {"id": ids[2]}) == 204
    assert [row.status for row in room.rows()] == ["refused", "cancelled", "failed"]
    assert (room.selected().id, room.prevalence, room.rows()[0].mark) == (ids[1], 0.2, "agree")
    assert post("again", {"id": ids[2]}) == 204
    assert room.rows()[2].status == "waiting"
    assert post("remove", {"ids": [ids[0]]}) == 204
    assert post("undo", {}) == 204
    assert [row.id for row in room.rows()] == ids
    assert post("clear", {}) == 204
    assert room.rows() == []
    assert post("demo", {"id": "row-dddddddd", "index": 0}) == 204
    assert post("demo", {"id": "row-eeeeeeee", "index": 99}) == 404
    assert [row.id for row in room.rows()] == ["row-dddddddd"]


def test_json_of_the_rows_is_json(client, room):
    """Names of any kind come through."""
    announce(room, '"<b>\u202e\ud800.png')
    assert len(json.loads(client.ask("GET", "/room/rows?after=0").content)["rows"]) == 1


@pytest.mark.parametrize("digits", [20, 5000])
def test_a_number_of_endless_digits_is_refused(client, digits, caplog):
    """It is no error of the server."""
    assert client.ask("GET", f"/room/rows?after={'9' * digits}").status == 400
    assert caplog.text == ""


def test_a_file_sent_again_waits_for_the_try_before(client, room):
    """A line that broke leaves that try open for a while: the browser must not take the file for arrived."""
    (row_id,) = announce(room, "a.txt")
    assert room.reserve(row_id, 4)
    assert put(client, row_id, b"text").status == 503
    room.release(row_id)
    assert put(client, row_id, b"text").status == 204
    settle(room)
    assert room.row(row_id).status == "refused"


def test_an_image_that_goes_while_it_is_packed_is_still_sent(client, room, make_image, png, monkeypatch):
    """Never a black one: the room may release it, or the user repair it, between two lines."""
    (row_id,) = give(room, ("a.png", png(make_image(1, (80, 90)))))
    before = client.ask("GET", f"/room/scene/{row_id}")
    assert before.status == 200
    pack = images._scene_of

    def release_and_pack(row):
        room.row(row_id).release()
        return pack(row)

    monkeypatch.setattr(images, "_scene_of", release_and_pack)
    assert client.ask("GET", f"/room/scene/{row_id}").content == before.content
    assert client.ask("GET", f"/room/scene/{row_id}").status == 410
