"""A browser tab without a browser: the messages and requests that a page exchanges with its server."""

import json
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from typing import Any, Self

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import ConnectionClosed

from tests.support.server import Client

PATIENCE = 600
"""Seconds; guards against hanging, not against a slow machine."""
OPEN = ("waiting", "reading")
"""Status of a row that has no outcome yet."""
Files = Sequence[tuple[str, bytes]]


class Tab:
    """One tab on the Read page, in a session of its own.

    Parameters
    ----------
    address : str
        Of the server.

    Attributes
    ----------
    session : str
        Identifier of its session.
    token : str
        Of the room of its session.
    rows : dict of str to dict
        The list of files, by identifier, as the server told it last.
    """

    def __init__(self, address: str) -> None:
        self._client = Client(address)
        self.session, self.token, self._page, self._finished = "", "", "", False
        self.rows: dict[str, dict[str, Any]] = {}
        self._version = 0
        self._changed = threading.Condition()
        self._socket = self._client.connect()
        threading.Thread(target=self._receive, daemon=True).start()
        self.run()
        self.wait(lambda: self.token)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the tab."""
        self._socket.close()

    def wait(self, done: Callable[[], Any]) -> None:
        """Wait until something is true of what the server sent."""
        with self._changed:
            assert self._changed.wait_for(done, PATIENCE), f"nothing came within {PATIENCE} s"

    def announce(self, files: Files) -> list[str]:
        """Announce files, and give the identifiers of their rows."""
        ids = [str(uuid.uuid4()) for _ in files]
        listed = [
            {"id": row_id, "name": name, "size": len(data)} for row_id, (name, data) in zip(ids, files, strict=True)
        ]
        assert self.post("announce", {"files": listed}) == 204
        return ids

    def send(self, row_id: str, data: bytes) -> None:
        """Send an announced file, as soon as the server takes it."""
        end, headers = time.monotonic() + PATIENCE, self.headers | {"Content-Type": "application/octet-stream"}
        while (status := self._client.ask(f"/room/files/{row_id}", "PUT", data, headers)[0]) == 503:
            assert time.monotonic() < end, f"the server is busy for more than {PATIENCE} s"
            time.sleep(0.5)
        assert status == 204

    def drop(self, files: Files) -> list[dict[str, Any]]:
        """Drop files, wait until all of them have an outcome, and give their rows."""
        ids = self.announce(files)
        for row_id, (_, data) in zip(ids, files, strict=True):
            self.send(row_id, data)
        self.follow(lambda: all(row_id in self.rows and self.rows[row_id]["status"] not in OPEN for row_id in ids))
        return [self.rows[row_id] for row_id in ids]

    def follow(self, done: Callable[[], Any]) -> None:
        """Ask for what has changed in the list until something is true of it."""
        end = time.monotonic() + PATIENCE
        while not done():
            assert time.monotonic() < end, f"it is not so after {PATIENCE} s"
            status, _, content = self.get(f"rows?after={self._version}")
            assert status == 200
            state = json.loads(content)
            self._version = state["version"]
            self.rows |= {row["id"]: row for row in state["rows"]}

    def get(self, path: str) -> tuple[int, Any, bytes]:
        """Status, headers and content of what the room answers."""
        return self._client.ask(f"/room/{path}", headers=self.headers)

    def post(self, path: str, value: Any) -> int:
        """Status of what the room answers."""
        headers = self.headers | {"Content-Type": "application/json"}
        return self._client.ask(f"/room/{path}", "POST", json.dumps(value).encode(), headers)[0]

    @property
    def headers(self) -> dict[str, str]:
        """Headers of the tab's own requests."""
        cookies = "; ".join(f"{name}={value}" for name, value in self._client.cookies.items())
        return {"Cookie": cookies, "X-Room": self.token}

    def turn_to(self, page: str) -> None:
        """Go to another page, and wait until it is whole."""
        self._finished = False

        def fill(message: BackMsg) -> None:
            message.rerun_script.page_name, message.rerun_script.page_script_hash = page, ""

        self.run(fill)
        self.wait(lambda: self._finished)

    def run(self, fill: Callable[[BackMsg], None] = lambda message: None) -> None:
        """Run the page again, with changes of its widgets."""
        message = BackMsg()
        message.rerun_script.page_script_hash = self._page
        fill(message)
        self._socket.send(message.SerializeToString())

    def _receive(self) -> None:
        try:
            for data in self._socket:
                with self._changed:
                    self._take(ForwardMsg.FromString(data))
                    self._changed.notify_all()
        except ConnectionClosed:
            pass

    def _take(self, message: ForwardMsg) -> None:
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self.session = message.new_session.initialize.session_id
            self._page = message.new_session.page_script_hash
        elif kind == "script_finished":
            self._finished = message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY
        elif kind == "delta" and message.delta.new_element.WhichOneof("type") == "bidi_component":
            # The first component of every page is the one that opens the session's list.
            self.token = self.token or json.loads(message.delta.new_element.bidi_component.json)["token"]
