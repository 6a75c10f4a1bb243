"""What is shown of one image."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from cxrmodel.report.wording import finding_sentence
from cxrmodel.web.components.viewer import levels_of, packed, packed_image
from cxrmodel.web.room.card import card
from cxrmodel.web.room.room import Room
from cxrmodel.web.room.row import Row
from cxrmodel.web.room.tags import tags
from cxrmodel.web.server.content import Refused
from cxrmodel.web.server.room.access import as_json, prevalence_of, route, row_of


async def _scene(request: Request, room: Room) -> Response:
    row = row_of(request, room)
    if not row.has_image:
        raise Refused(410, "web.server.no_image")
    return Response(await run_in_threadpool(_scene_of, row), media_type="application/octet-stream")


def _scene_of(row: Row) -> bytes:
    if row.reading is not None:
        return packed(row.reading, levels_of(row.reading))
    assert row.refused is not None
    assert row.reason is not None
    return packed_image(row.refused.radiograph, row.refused.report, row.reason)


async def _tags(request: Request, room: Room) -> Response:
    return await as_json(tags(row_of(request, room).attributes, request.query_params.get("identity") == "1"))


async def _finding(request: Request, room: Room) -> Response:
    """Finding and probability in words, at the prevalence that the page shows, for a saved picture."""
    reading = row_of(request, room).reading
    if reading is None:
        raise Refused(404, "web.server.no_image")
    return await as_json({"finding": str(finding_sentence(reading.at(prevalence_of(request, room))))})


async def _card(request: Request, room: Room) -> Response:
    row = row_of(request, room)
    if row.status not in ("read", "refused"):
        raise Refused(404, "web.server.no_image")
    return await as_json(await run_in_threadpool(card, row))


ROUTES = [
    route("/scene/{id}", _scene, "GET"),
    route("/card/{id}", _card, "GET"),
    route("/tags/{id}", _tags, "GET"),
    route("/finding/{id}", _finding, "GET"),
]
