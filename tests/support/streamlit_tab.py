"""A browser tab without a browser: the messages and uploads that Streamlit's page exchanges with its server."""

import threading
import uuid
from collections.abc import Callable
from typing import Any, Self
from urllib.parse import urlsplit

import pyarrow as pa
import requests
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

XSRF = "_streamlit_xsrf"
SECONDS = 600
"""Guards against a hang, not against a slow machine."""


class Tab:
    """One tab on the Read page, in a session of its own.

    Parameters
    ----------
    address : str
        Of the server, ``http://localhost:8501``.
    watch : callable, optional
        Called with every element that the server sends, on the thread that receives.

    Attributes
    ----------
    metric : str
        Latest value of the metric on the page.
    table : list of dict
        Rows of the latest table on the page.
    """

    def __init__(self, address: str, watch: Callable[[Any], None] = lambda element: None) -> None:
        self.address, self._watch = address, watch
        self.metric, self.table, self._page, self._uploader, self.session_id = "", [], "", "", ""
        self._urls: dict[str, list[Any]] = {}
        self._changed = threading.Condition()
        self._http = requests.Session()
        for path in ("/", "/_stcore/health"):
            self._http.get(address + path, timeout=SECONDS)
        token = self._http.cookies.get(XSRF, "")
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in self._http.cookies)
        self._socket = connect(
            f"ws://{urlsplit(address).netloc}/_stcore/stream",
            origin=address,
            subprotocols=["streamlit", token.strip('"').replace("|", "%7C") or "none"],
            additional_headers={"Cookie": cookies} if cookies else {},
            max_size=None,
            open_timeout=SECONDS,
            ping_timeout=SECONDS,
        )
        threading.Thread(target=self._receive, daemon=True).start()
        self._send(lambda message: setattr(message.rerun_script, "query_string", ""))
        self.wait(lambda: self._uploader)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the tab."""
        self._socket.close()
        self._http.close()

    def wait(self, done: Callable[[], Any], seconds: float = SECONDS) -> None:
        """Wait until something is true of what the server sent."""
        with self._changed:
            assert self._changed.wait_for(done, seconds), f"nothing came within {seconds} s"

    def upload(self, files: list[tuple[str, bytes]]) -> list[tuple[Any, str, int]]:
        """Upload files as the drop zone does, without a sign to the page; give its state of them."""
        request = uuid.uuid4().hex

        def ask(message: BackMsg) -> None:
            message.file_urls_request.request_id = request
            message.file_urls_request.file_names.extend(name for name, _ in files)
            message.file_urls_request.session_id = self.session_id

        self._send(ask)
        self.wait(lambda: request in self._urls)
        for (name, data), urls in zip(files, self._urls[request], strict=True):
            answer = self._http.put(
                self.address + urls.upload_url,
                files={"file": (name, data)},
                headers={"X-Xsrftoken": self._http.cookies.get(XSRF, "").strip('"'), "Origin": self.address},
                timeout=SECONDS,
            )
            answer.raise_for_status()
        return [(urls, name, len(data)) for (name, data), urls in zip(files, self._urls[request], strict=True)]

    def tell(self, uploaded: list[tuple[Any, str, int]]) -> None:
        """Tell the page of uploaded files, as the drop zone does."""

        def rerun(message: BackMsg) -> None:
            message.rerun_script.page_script_hash = self._page
            state = message.rerun_script.widget_states.widgets.add(id=self._uploader)
            for urls, name, size in uploaded:
                info = state.file_uploader_state_value.uploaded_file_info.add(
                    name=name, size=size, file_id=urls.file_id
                )
                info.file_urls.CopyFrom(urls)

        self._send(rerun)

    def _send(self, fill: Callable[[BackMsg], None]) -> None:
        message = BackMsg()
        fill(message)
        self._socket.send(message.SerializeToString())

    def _receive(self) -> None:
        try:
            for data in self._socket:
                message = ForwardMsg.FromString(data)
                with self._changed:
                    self._take(message)
                    self._changed.notify_all()
        except ConnectionClosed:
            pass

    def _take(self, message: ForwardMsg) -> None:
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self.session_id = message.new_session.initialize.session_id
            self._page = message.new_session.page_script_hash
        elif kind == "file_urls_response":
            response = message.file_urls_response
            self._urls[response.response_id] = list(response.file_urls)
        elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
            element = message.delta.new_element
            name = element.WhichOneof("type")
            if name == "file_uploader":
                self._uploader = element.file_uploader.id
            elif name == "metric":
                self.metric = element.metric.body
            elif name == "dataframe":
                self.table = pa.ipc.open_stream(element.dataframe.arrow_data.data).read_all().to_pylist()
            self._watch(element)
