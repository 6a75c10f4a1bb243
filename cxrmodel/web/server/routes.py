"""The app's own addresses, beside Streamlit's."""

import asyncio
from functools import cache
from typing import Final

from starlette.routing import Route, Router
from starlette.types import Receive, Scope, Send

from cxrmodel.web.server.preload import PREPARATION


class Prepared:
    """Answers below ``/room`` once what is needed for it is loaded, so that the server itself starts at once."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        router = await asyncio.to_thread(_router)
        await router(scope, receive, send)


@cache
def _router() -> Router:
    PREPARATION.wait("room")
    from cxrmodel.web.server.room import images, maps, outputs, queue

    return Router([*queue.ROUTES, *images.ROUTES, *maps.ROUTES, *outputs.ROUTES])


ROUTES: Final = [Route("/room/{path:path}", Prepared())]
