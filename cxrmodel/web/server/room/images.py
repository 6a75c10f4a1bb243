"""What is shown of one image."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from cxrmodel.reading import Reading
from cxrmodel.web.components.viewer import levels_of, packed
from cxrmodel.web.room.card import card
from cxrmodel.web.room.room import Room
from cxrmodel.web.room.row import Row
from cxrmodel.web.server.room.access import Refused, as_json, route


async def _scene(request: Request, room: Room) -> Response:
    row = _row(request, room)
    if row.reading is None or row.released:
        raise Refused(410, "web.server.no_image")
    return Response(await run_in_threadpool(_scene_of, row.reading), media_type="application/octet-stream")


def _scene_of(reading: Reading) -> bytes:
    return packed(reading, levels_of(reading), overlay=False)


async def _card(request: Request, room: Room) -> Response:
    row = _row(request, room)
    if row.status not in ("read", "refused"):
        raise Refused(404, "web.server.no_image")
    return await as_json(await run_in_threadpool(card, row))


def _row(request: Request, room: Room) -> Row:
    row = room.row(request.path_params["id"])
    if row is None:
        raise Refused(404, "web.server.no_image")
    return row


ROUTES = [route("/scene/{id}", _scene, "GET"), route("/card/{id}", _card, "GET")]
