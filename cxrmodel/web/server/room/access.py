"""Who may ask a room for something, and how much a request may hold."""

import json
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from cxrmodel.logs import log_failure
from cxrmodel.web.room.room import Room
from cxrmodel.web.room.rooms import find_room
from cxrmodel.web.room.row import Row
from cxrmodel.web.server.browsers import browser_of
from cxrmodel.web.server.content import Refused, length_of, received
from cxrmodel.web.server.requests import header

TOKEN = "x-room"
"""Header with the token of the room."""
MOST_JSON = 2**20
"""Bytes of a request that is no file."""
PATIENCE = 30.0
"""Seconds without a byte after which a request is given up."""

Handler = Callable[[Request, Room], Awaitable[Response]]


class Asked(BaseModel):
    """What a request asks for, as JSON. Other keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


AskedFor = TypeVar("AskedFor", bound=Asked)


def route(path: str, handler: Handler, method: str = "POST") -> Route:
    """Make a route that answers the browser of a room only.

    Parameters
    ----------
    path : str
        Below ``/room``.
    handler : callable
        Takes the request and the room; may raise `Refused`.
    method : str
    """

    async def answer(request: Request) -> Response:
        try:
            return await handler(request, room_of(request))
        except Refused as refusal:
            return PlainTextResponse(f"{refusal.message}\n", refusal.status, refusal.headers)
        except ClientDisconnect:
            return Response(status_code=400)
        except Exception as error:
            reference = log_failure(error)
        return JSONResponse({"reference": reference}, 500)

    return Route(f"/room{path}", answer, methods=[method])


def room_of(request: Request) -> Room:
    """Give the room that a request belongs to.

    Raises
    ------
    Refused
    """
    token = header(request.scope, TOKEN)
    room = find_room(token or "", browser_of(request.scope))
    if room is None:
        raise Refused(404, "web.server.no_room")
    return room


def row_of(request: Request, room: Room) -> Row:
    """Give the row that a request names, as it stands now.

    Raises
    ------
    Refused
    """
    row = room.standing(request.path_params["id"])
    if row is None:
        raise Refused(404, "web.server.no_image")
    return row


def prevalence_of(request: Request, room: Room) -> float:
    """Give the prevalence that the browser shows, which may be ahead of what the room knows.

    Raises
    ------
    Refused
    """
    try:
        wanted = float(request.query_params.get("prevalence", room.prevalence))
    except ValueError:
        wanted = 0.0
    if not 0 < wanted < 1:
        raise Refused(400, "web.server.wrong_request")
    return wanted


async def content_of(request: Request, length: int, kind: str) -> bytes:
    """Receive the content of a request; a slow client is given up.

    Raises
    ------
    Refused
        When its type, or its length, is not the one given.
    """
    if (header(request.scope, "content-type") or "").partition(";")[0].strip() != kind:
        raise Refused(415, "web.server.wrong_type")
    return await received(request, length, PATIENCE)


async def asked(request: Request, kind: type[AskedFor]) -> AskedFor:
    """Understand a request's content.

    Raises
    ------
    Refused
    """
    content = await content_of(request, length_of(request, MOST_JSON), "application/json")
    try:
        return kind.model_validate_json(content)
    except ValidationError:
        raise Refused(400, "web.server.wrong_request") from None


async def as_json(value: Any) -> Response:
    """Answer with JSON, written on another thread."""
    written = await run_in_threadpool(lambda: json.dumps(value, ensure_ascii=False, allow_nan=False).encode())
    return Response(written, media_type="application/json")


def done() -> Response:
    """Answer that it is done."""
    return Response(status_code=204)
