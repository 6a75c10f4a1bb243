"""What guards ask of a request, and how they refuse one."""

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send
from streamlit import config

from cxrmodel.messages import Message

REQUESTS = ("http", "websocket")
"""Types of scope that are a request; the other is the server's own start and end."""

PROGRAM = "/static/"
"""Path of the program's own files, the only ones that a browser keeps."""


def path_of(scope: Scope) -> str:
    """Give the path of a request below the address of the app, with its leading slash."""
    base = str(config.get_option("server.baseUrlPath") or "").strip("/")
    path = str(scope["path"])
    return path.removeprefix(f"/{base}") if base else path


def header(scope: Scope, name: str) -> str | None:
    """Give the value of a header; None where it is absent or stands there more than once."""
    values = Headers(scope=scope).getlist(name)
    return values[0] if len(values) == 1 else None


async def refuse(scope: Scope, receive: Receive, send: Send, status: int, code: str) -> None:
    """Answer a request, of a WebSocket too, with a sentence.

    Parameters
    ----------
    status : int
        HTTP status.
    code : str
        Of the sentence in the catalogue.
    """
    await PlainTextResponse(f"{Message(code)}\n", status)(scope, receive, send)
