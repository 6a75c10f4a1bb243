"""Headers of every answer: what a page may load, who may show it, and what is never stored."""

import base64
import hashlib
import re
from functools import cache
from pathlib import Path
from typing import Final

import streamlit
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cxrmodel.web.server.requests import PROGRAM, REQUESTS, path_of, refuse

HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
DATA_POLICY: Final = "default-src 'none'; frame-ancestors 'none'; sandbox"
"""Of everything that is no page and no part of one: nothing may run or load."""

_ANSWERS = ("http.response.start", "websocket.http.response.start")


class SafeHeaders:
    """Adds the headers to every answer, an unexpected error's too, and forbids storing all but the program's files."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and complete its answer."""
        if scope["type"] not in REQUESTS:
            return await self._app(scope, receive, send)
        started = False

        async def complete(message: Message) -> None:
            nonlocal started
            started = True
            if message["type"] in _ANSWERS:
                _complete(MutableHeaders(scope=message), path_of(scope))
            await send(message)

        try:
            await self._app(scope, receive, complete)
        except Exception:
            if not started:
                await refuse(scope, receive, complete, 500, "web.server.failed")
            raise


@cache
def page_policy() -> str:
    """Write the content security policy of the pages.

    Streamlit needs two exceptions. Its styles are written into the page by a script (``style-src 'unsafe-inline'``).
    The components' scripts are modules made in memory (``blob:``). Its own inline scripts are named by their hashes;
    nothing compiles a text to a script, so ``'unsafe-eval'`` is not among the sources.
    """
    page = (Path(streamlit.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    hashes = [f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" for script in scripts]
    rules = {
        "default-src": "'none'",
        "script-src": " ".join(["'self'", "blob:", *hashes]),
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "connect-src": "'self'",
        "worker-src": "'self' blob:",
        "manifest-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    return "; ".join(f"{rule} {value}" for rule, value in rules.items())


def _complete(headers: MutableHeaders, path: str) -> None:
    program = path.startswith(PROGRAM)
    page = headers.get("content-type", "").startswith("text/html")
    headers.update(HEADERS)
    headers["Content-Security-Policy"] = page_policy() if program or page else DATA_POLICY
    if not program:
        headers["Cache-Control"] = "no-store"
