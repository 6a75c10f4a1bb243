"""The list of files: what comes in, how it stands, and what the user does with it."""

import asyncio
from typing import Annotated, Literal

from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from cxrmodel.demo import demo_images
from cxrmodel.errors import SettingError, StoreUnavailable
from cxrmodel.imaging.radiograph import MAX_BYTES
from cxrmodel.imaging.repairs import MOST_STEPS, Repairs
from cxrmodel.web.room.room import Announced, Room
from cxrmodel.web.server.content import Refused, length_of, whole
from cxrmodel.web.server.room.access import (
    Asked,
    as_json,
    asked,
    content_of,
    done,
    room_of,
    route,
)
from cxrmodel.web.text import text

LONGEST_WAIT = 20.0
"""Seconds after which an answer comes although nothing has changed."""

Id = Annotated[str, Field(pattern=r"^[\w-]{8,64}$")]
Stamp = Annotated[int, Field(ge=0, lt=2**53)]


class _File(Asked):
    id: Id
    name: Annotated[str, Field(max_length=1024)]
    size: Annotated[int, Field(ge=0, lt=2**53)]


class _Files(Asked):
    files: Annotated[tuple[_File, ...], Field(max_length=500)]


class _One(Asked):
    id: Id


class _Several(Asked):
    ids: Annotated[tuple[Id, ...], Field(max_length=5000)] | Literal["all"]


class _Selected(Asked):
    id: Id | None
    stamp: Stamp


class _Prevalence(Asked):
    value: Annotated[float, Field(gt=0, lt=1)]
    stamp: Stamp


class _Notes(Asked):
    seen: bool | None = None
    mark: Literal["agree", "disagree", ""] | None = None
    note: Annotated[str, Field(max_length=2000)] | None = None


class _Demo(Asked):
    id: Id
    index: Annotated[int, Field(ge=0, lt=100)]


class _Repair(Asked):
    id: Id
    steps: Annotated[tuple[Annotated[str, Field(max_length=120)], ...], Field(max_length=MOST_STEPS)]


class _Nothing(Asked):
    pass


async def _announce(request: Request, room: Room) -> Response:
    files = (await asked(request, _Files)).files
    if not room.announce(Announced(file.id, file.name, file.size) for file in files):
        raise Refused(413, "web.server.too_large")
    return done()


async def _file(request: Request, room: Room) -> Response:
    row_id, size = request.path_params["id"], length_of(request, MAX_BYTES)
    reserved = room.reserve(row_id, size)
    if reserved is None:
        return Response(status_code=204 if room.row(row_id) else 404)
    if not reserved:
        raise Refused(503, "web.server.busy", {"Retry-After": "1"})
    try:
        data = await content_of(request, size, "application/octet-stream")
        room.fill(row_id, data)
    finally:
        room.release(row_id)
    return done()


async def _rows(request: Request, room: Room) -> Response:
    after = whole(request.query_params.get("after"), 400, "web.server.wrong_request")
    changed = room.changes.expect()
    if room.version <= after:
        changes = room.changes
        del room  # a session may end while nothing changes
        leaves = asyncio.ensure_future(_left(request))
        waits = asyncio.ensure_future(changed.wait())
        await asyncio.wait((leaves, waits), timeout=LONGEST_WAIT, return_when=asyncio.FIRST_COMPLETED)
        for task in (leaves, waits):
            task.cancel()
        changes.forget(changed)
        room = room_of(request)
    else:
        room.changes.forget(changed)
    return await as_json(room.state(after))


async def _left(request: Request) -> None:
    """Wait until the client is gone."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _select(request: Request, room: Room) -> Response:
    wish = await asked(request, _Selected)
    room.select(wish.id, wish.stamp)
    return done()


async def _prevalence(request: Request, room: Room) -> Response:
    wish = await asked(request, _Prevalence)
    room.set_prevalence(wish.value, wish.stamp)
    return done()


async def _notes(request: Request, room: Room) -> Response:
    wish = await asked(request, _Notes)
    room.annotate(request.path_params["id"], wish.seen, wish.mark, wish.note)
    return done()


async def _remove(request: Request, room: Room) -> Response:
    ids = (await asked(request, _Several)).ids
    room.clear() if ids == "all" else room.remove(ids)
    return done()


async def _clear(request: Request, room: Room) -> Response:
    await asked(request, _Nothing)
    room.clear()
    return done()


async def _forget(request: Request, room: Room) -> Response:
    await asked(request, _Nothing)
    try:
        await run_in_threadpool(room.forget)
    except StoreUnavailable:
        raise Refused(503, "web.server.busy", {"Retry-After": "1"}) from None
    return done()


async def _undo(request: Request, room: Room) -> Response:
    await asked(request, _Nothing)
    room.undo()
    return done()


async def _cancel(request: Request, room: Room) -> Response:
    ids = (await asked(request, _Several)).ids
    room.cancel(None if ids == "all" else ids)
    return done()


async def _again(request: Request, room: Room) -> Response:
    room.again((await asked(request, _One)).id)
    return done()


async def _repair(request: Request, room: Room) -> Response:
    wish = await asked(request, _Repair)
    try:
        repairs = Repairs.parse(wish.steps)
    except SettingError:
        raise Refused(400, "web.server.wrong_request") from None
    room.repair(wish.id, repairs)
    return done()


async def _lost(request: Request, room: Room) -> Response:
    room.lose((await asked(request, _One)).id)
    return done()


async def _demo(request: Request, room: Room) -> Response:
    wish, images = await asked(request, _Demo), demo_images()
    if wish.index >= len(images):
        raise Refused(404, "web.server.closed")
    image = images[wish.index]
    room.add_demo(wish.id, text("web.read.demo_name", title=image.title), image.path)
    return done()


ROUTES = [
    route("/rows", _rows, "GET"),
    route("/files/{id}", _file, "PUT"),
    route("/rows/{id}", _notes),
    *(
        route(f"/{name}", handler)
        for name, handler in {
            "announce": _announce,
            "select": _select,
            "prevalence": _prevalence,
            "remove": _remove,
            "clear": _clear,
            "forget": _forget,
            "undo": _undo,
            "cancel": _cancel,
            "again": _again,
            "repair": _repair,
            "lost": _lost,
            "demo": _demo,
        }.items()
    ),
]
