"""Readings for other programs: bytes of an image in, the reading of ``cxrmodel read --json`` out. Nothing is kept."""

import asyncio
import secrets
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from cxrmodel.configuration.schema import ApiSection
from cxrmodel.errors import DecoderUnavailable, ImageRefused, ModelError, ResultRefused
from cxrmodel.logs import event, log_failure
from cxrmodel.monitoring.metrics import Metrics
from cxrmodel.reading import Reading, ReadingRecord
from cxrmodel.report.table import make_record
from cxrmodel.results.objects import ResultObject, result_objects
from cxrmodel.scheduling import Client
from cxrmodel.sinks import json_line
from cxrmodel.web import engine
from cxrmodel.web.api.access import Access
from cxrmodel.web.api.admission import Admission
from cxrmodel.web.api.problems import problem
from cxrmodel.web.api.query import Wish, wish_of
from cxrmodel.web.api.request_log import REQUEST
from cxrmodel.web.server.content import Refused, length_of, received
from cxrmodel.web.server.requests import header

PATIENCE: Final = 10.0
"""Seconds without a byte of the image after which a slow client is given up."""
READ, UNREAD = 200, 422
"""HTTP status of an image that was read, and of one that was refused."""
_LOOK: Final = 0.25
"""Seconds between two looks whether the client is still there."""
_FORM: Final = "multipart/form-data"


class GivenUp(Exception):
    """Nobody waits for this reading any more."""


@dataclass(frozen=True)
class Made:
    """A reading as it is answered.

    Attributes
    ----------
    record : ReadingRecord
    results : sequence of ResultObject
    """

    record: ReadingRecord
    results: Sequence[ResultObject] = ()


class Readings:
    """Answers requests for readings.

    Parameters
    ----------
    settings : ApiSection
    model : str
        That reads where a request names none.
    metrics : Metrics
    """

    def __init__(self, settings: ApiSection, model: str, metrics: Metrics) -> None:
        self._settings, self._model, self._metrics = settings, model, metrics
        self._access = Access(settings.token_file)
        places = settings.at_once + settings.waiting
        self._admission = Admission(places, metrics.held)
        self._threads = ThreadPoolExecutor(settings.at_once, thread_name_prefix="reads for the interface")

    async def answer(self, request: Request) -> Response:
        """Answer a request, whatever happens, and log what became of the image."""
        name = str(request.scope[REQUEST])
        try:
            return await self._answer(request, name)
        except Refused as refusal:
            event("logs.reading_not_made", request=name, cause=refusal.message.code)
            return problem(refusal.status, refusal.message, name, refusal.headers)
        except (ClientDisconnect, GivenUp):
            event("logs.reading_not_made", request=name, cause="api.client_gone")
            return Response(status_code=400)
        except (DecoderUnavailable, ModelError) as error:
            self._metrics.image("api", "error", [error.message.code])
            event("logs.reading_not_made", request=name, cause=error.message.code)
            return problem(503, error.message, name, {"Retry-After": "5"})
        except Exception as error:
            self._metrics.image("api", "error")
            failure = Refused(500, "api.failed", reference=log_failure(error))
            return problem(failure.status, failure.message, name)

    async def _answer(self, request: Request, name: str) -> Response:
        self._access.check(request)
        wish = wish_of(request, self._model)
        if (header(request.scope, "content-type") or "").partition(";")[0].strip().lower() == _FORM:
            raise Refused(415, "api.no_form")
        size = length_of(request, self._settings.most_mebibytes * 2**20)
        others, begun = self._admission.take(name, size), time.monotonic()
        try:
            data = await self._received(request, size)
            self._metrics.stage("api", "receive", time.monotonic() - begun)
            gone = threading.Event()
            reading = self._threads.submit(self._read, data, name, wish, Client(taken=others), gone)
        except BaseException:
            self._admission.leave(name)
            raise
        reading.add_done_callback(lambda _: self._admission.leave(name))
        del data
        made = await self._waited(request, reading, gone, begun + self._settings.timeout_seconds)
        return _written(made, wish)

    async def _received(self, request: Request, size: int) -> bytes:
        try:
            async with asyncio.timeout(self._settings.timeout_seconds):
                return await received(request, size, min(PATIENCE, self._settings.timeout_seconds))
        except TimeoutError:
            raise Refused(408, "web.server.too_slow") from None

    async def _waited(self, request: Request, reading: "Future[Made]", gone: threading.Event, end: float) -> Made:
        """Wait for a reading as long as its client does and time allows.

        Raises
        ------
        GivenUp
        Refused
        """
        waited = asyncio.wrap_future(reading)
        waited.add_done_callback(
            lambda done: done.cancelled() or done.exception()
        )  # it may end after everyone has left
        try:
            while not (await asyncio.wait([waited], timeout=_LOOK))[0]:
                if await request.is_disconnected():
                    raise GivenUp
                if time.monotonic() > end:
                    raise Refused(504, "api.too_long", {"Retry-After": "5"})
            return waited.result()
        finally:
            gone.set()

    def _read(self, data: bytes, name: str, wish: Wish, client: Client, gone: threading.Event) -> Made:
        """Read on a thread; a reading that nobody waits for gives up its place in the queue."""

        def notify(_place: int) -> None:
            if gone.is_set():
                raise GivenUp

        notify(0)
        reader, begun = engine.reader(wish.model), time.monotonic()
        prevalence = reader.prevalence if wish.prevalence is None else wish.prevalence
        outcome: Reading | ImageRefused
        try:
            outcome = reader.read(data, "", client, notify, prevalence=prevalence)
        except ImageRefused as refusal:
            outcome = refusal
        took = time.monotonic() - begun
        record = replace(make_record(name, outcome, reader.spec.version), file_bytes=len(data))
        self._count(record, took)
        results = self._results(data, outcome, wish, prevalence) if wish.kinds else ()
        return Made(record, results)

    def _results(
        self, data: bytes, outcome: Reading | ImageRefused, wish: Wish, prevalence: float
    ) -> Sequence[ResultObject]:
        spec = engine.reader(wish.model).spec
        made: list[ResultObject] = []
        for kind in wish.kinds:
            begun = time.monotonic()
            try:
                made += result_objects(data, outcome, spec, prevalence=prevalence, kinds=[kind])
            except ResultRefused as error:
                raise Refused(422, error.message.code, **error.message.values) from error
            self._metrics.stage("api", kind, time.monotonic() - begun)
        return made

    def _count(self, record: ReadingRecord, took: float) -> None:
        own = (record.milliseconds or 0.0) / 1000
        if record.status == "read":
            self._metrics.stage("api", "read", own)
            self._metrics.stage("api", "wait", max(0.0, took - own))
        self._metrics.image("api", record.status, record.codes)
        cause: dict[str, Any] = {} if record.status == "read" else {"cause": record.codes[0]}
        event("logs.reading", request=record.file, outcome=record.status, milliseconds=round(1000 * took, 1), **cause)


def _written(made: Made, wish: Wish) -> Response:
    status = READ if made.record.status == "read" else UNREAD
    record = json_line(asdict(made.record)).encode()
    if wish.form == "json":
        return Response(record, status, media_type="application/json")
    parts = [] if wish.form == "dicom" else [(record, "application/json")]
    parts += [(result.data, "application/dicom") for result in made.results]
    first = "application/json" if wish.form == "mixed" else "application/dicom"
    boundary = secrets.token_hex(16)
    kind = f'multipart/related; type="{first}"; boundary={boundary}'
    return Response(_multipart(parts, boundary), status, media_type=kind)


def _multipart(parts: Sequence[tuple[bytes, str]], boundary: str) -> bytes:
    """Join parts as RFC 2387 has it."""
    content = bytearray()
    for data, kind in parts:
        content += f"--{boundary}\r\nContent-Type: {kind}\r\nContent-Length: {len(data)}\r\n\r\n".encode()
        content += data + b"\r\n"
    return bytes(content + f"--{boundary}--\r\n".encode())
