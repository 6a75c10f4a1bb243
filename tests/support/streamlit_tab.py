"""A browser tab without a browser: the messages and uploads that Streamlit's page exchanges with its server."""

import threading
from collections.abc import Callable, Sequence
from typing import Any, Self

import pyarrow as pa
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import ConnectionClosed

from tests.support.server import Client

PATIENCE = 600
"""Seconds; guards against hanging, not against a slow machine."""
Files = Sequence[tuple[str, bytes]]


class Tab:
    """One tab on the Read page, in a session of its own.

    Parameters
    ----------
    address : str
        Of the server.
    watch : callable, optional
        Called with every element that the server sends, on the thread that receives.

    Attributes
    ----------
    session : str
        Identifier of its session.
    elements : dict of str to object
        Latest element of each kind.
    table : list of dict
        Rows of the latest table on the page.
    """

    def __init__(self, address: str, watch: Callable[[Any], None] = lambda element: None) -> None:
        self._client, self._watch = Client(address), watch
        self.session, self.elements, self._page, self._finished = "", {}, "", False
        self._changed = threading.Condition()
        self._socket = self._client.connect()
        threading.Thread(target=self._receive, daemon=True).start()
        self.run()
        self.wait(lambda: "file_uploader" in self.elements)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def table(self) -> list[dict[str, Any]]:
        """Rows of the latest table on the page; none before there is one."""
        element = self.elements.get("dataframe")
        return pa.ipc.open_stream(element.arrow_data.data).read_all().to_pylist() if element else []

    def close(self) -> None:
        """Close the tab."""
        self._socket.close()

    def wait(self, done: Callable[[], Any]) -> None:
        """Wait until something is true of what the server sent."""
        with self._changed:
            assert self._changed.wait_for(done, PATIENCE), f"nothing came within {PATIENCE} s"

    def upload(self, files: Files) -> None:
        """Upload files as the drop zone does, without a sign to the page."""
        for name, data in files:
            assert self._client.upload(self.session, name, data) == 204

    def tell(self, files: Files) -> None:
        """Tell the page of uploaded files, as the drop zone does."""

        def fill(message: BackMsg) -> None:
            uploader = message.rerun_script.widget_states.widgets.add(id=self.elements["file_uploader"].id)
            for name, data in files:
                uploader.file_uploader_state_value.uploaded_file_info.add(
                    name=name, size=len(data), file_id=name
                ).file_urls.file_id = name

        self.run(fill)

    def drop(self, files: Files) -> None:
        """Drop files, and wait until all of them stand in the table."""
        self.upload(files)
        self.tell(files)
        self.wait(lambda: len(self.table) == len(files))

    @property
    def headers(self) -> dict[str, str]:
        """Headers of the tab's own requests."""
        cookies = "; ".join(f"{name}={value}" for name, value in self._client.cookies.items())
        return {"Cookie": cookies, "X-Xsrftoken": self._client.cookies.get("_streamlit_xsrf", "")}

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
        elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
            element = message.delta.new_element
            name = element.WhichOneof("type")
            self.elements[name] = getattr(element, name)
            self._watch(element)
