"""Files that a user takes away. The browser saves them, so that no address holds a name."""

from datetime import datetime

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from cxrmodel.reading import Reading
from cxrmodel.web.room import outputs
from cxrmodel.web.room.room import Room
from cxrmodel.web.server.content import Refused
from cxrmodel.web.server.room.access import prevalence_of, route, row_of


async def _table(request: Request, room: Room) -> Response:
    rows, prevalence = room.rows(), prevalence_of(request, room)
    return Response(await run_in_threadpool(outputs.table_csv, rows, prevalence), media_type="text/csv")


async def _report(request: Request, room: Room) -> Response:
    row = row_of(request, room)
    reading, read_at = row.reading, row.read_at
    if reading is None or read_at is None or row.released:
        raise Refused(410, "web.server.no_image")
    return await _pdf(reading.at(prevalence_of(request, room)), read_at)


async def _pdf(reading: Reading, read_at: datetime) -> Response:
    return Response(await run_in_threadpool(outputs.report_pdf, reading, read_at), media_type="application/pdf")


async def _all(request: Request, room: Room) -> Response:
    parts = outputs.archive(room.rows(), prevalence_of(request, room))
    return StreamingResponse(parts, media_type="application/zip")


ROUTES = [
    route("/list.csv", _table, "GET"),
    route("/reading.pdf/{id}", _report, "GET"),
    route("/all.zip", _all, "GET"),
]
