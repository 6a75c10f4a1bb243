"""Further maps of an image, and tests of maps, which are computed in the background."""

from typing import Any, Literal

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from cxrmodel.evaluation.explanations.results import as_explained, tested_explanations
from cxrmodel.explain.methods import METHODS
from cxrmodel.reading import Reader, Reading
from cxrmodel.report.wording import heat_sentence
from cxrmodel.web.components.viewer_data import pack_map
from cxrmodel.web.heatmap.faithfulness import described
from cxrmodel.web.room.maps import Kind, Task
from cxrmodel.web.room.room import Room
from cxrmodel.web.room.row import Row
from cxrmodel.web.server.content import Refused
from cxrmodel.web.server.room.access import Asked, as_json, asked, done, route, row_of


class _Wish(Asked):
    method: str
    kind: Literal["map", "test"] = "map"


async def _start(request: Request, room: Room) -> Response:
    wish, row, reader = await asked(request, _Wish), _read(request, room), room.reader
    if reader is None or row.reading is None:
        raise Refused(410, "web.server.no_image")
    room.maps.keep({other.identity for other in room.rows()})
    method, kind = _method(wish.method), wish.kind
    await run_in_threadpool(room.maps.start, reader, row.identity, row.reading, method, kind)
    return done()


async def _stop(request: Request, room: Room) -> Response:
    wish = await asked(request, _Wish)
    room.maps.stop(_read(request, room).identity, wish.method, wish.kind)
    return done()


async def _state(request: Request, room: Room) -> Response:
    row, method = _read(request, room), _method(request.path_params["method"])
    kind: Kind = "test" if request.query_params.get("kind") == "test" else "map"
    task = room.maps.task(row.identity, method, kind)
    if task.status != "done" or row.reading is None or room.reader is None:
        return await as_json(_standing(task))
    if kind == "test":
        return await as_json({"status": "done", "test": described(task.result, row.reading, method)})
    packed = await run_in_threadpool(_packed, room.reader, row.reading, method, task)
    return Response(packed, media_type="application/octet-stream")


def _standing(task: Task) -> dict[str, Any]:
    return {"status": task.status, "share": task.share, "words": "" if task.words is None else str(task.words)}


def _packed(reader: Reader, reading: Reading, method: str, task: Task) -> bytes:
    """The map as it is drawn, with its range and what there is to say of it."""
    explained = as_explained(reading, method, task.result, tested_explanations(reader.spec))
    shown = explained.reading
    header = {"title": explained.legend, "range": str(explained.range_note), "remark": str(heat_sentence(shown))}
    return pack_map(shown.drawn_heat, shown.heat_range, header | {"empty": not shown.heat.any()})


def _method(name: str) -> str:
    if name not in METHODS:
        raise Refused(404, "web.server.no_image")
    return name


def _read(request: Request, room: Room) -> Row:
    row = row_of(request, room)
    if row.reading is None:
        raise Refused(404, "web.server.no_image")
    if row.released:
        raise Refused(410, "web.server.no_image")
    return row


ROUTES = [
    route("/maps/{id}", _start),
    route("/maps/{id}/stop", _stop),
    route("/maps/{id}/{method}", _state, "GET"),
]
