"""The content of a request: its stated length first, then its bytes, never more of them, never for longer."""

import asyncio
from typing import Any

from starlette.requests import Request

from cxrmodel.messages import Message
from cxrmodel.web.server.requests import header

MOST_DIGITS = 19
"""Of a number in a request."""


class Refused(Exception):
    """A request that is not answered.

    Parameters
    ----------
    status : int
        HTTP status.
    code : str
        Of the sentence in the catalogue.
    headers : dict of str to str, optional
    **values
        Of the sentence.
    """

    def __init__(self, status: int, code: str, headers: dict[str, str] | None = None, **values: Any) -> None:
        super().__init__(code)
        self.status, self.message, self.headers = status, Message(code, **values), headers


def whole(text: str | None, code: int, sentence: str) -> int:
    """Understand a whole number that a request states.

    Raises
    ------
    Refused
        When it is none, or has more digits than any that is meant.
    """
    if text is None or not (text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS):
        raise Refused(code, sentence)
    return int(text)


def length_of(request: Request, limit: int) -> int:
    """Give the stated length of a request's content.

    Raises
    ------
    Refused
        When it is not stated, or above the limit.
    """
    stated = whole(header(request.scope, "content-length"), 411, "web.server.no_length")
    if stated > limit:
        raise Refused(413, "web.server.too_large")
    return stated


async def received(request: Request, length: int, patience: float) -> bytes:
    """Receive the content of a request.

    Parameters
    ----------
    length : int
        As stated.
    patience : float
        Seconds without a byte after which a slow client is given up.

    Raises
    ------
    Refused
        When it is too slow, or its length is not the one given.
    ClientDisconnect
    """
    content, parts = bytearray(), request.stream().__aiter__()
    while True:
        try:
            part = await asyncio.wait_for(anext(parts), patience)
        except StopAsyncIteration:
            break
        except TimeoutError:
            raise Refused(408, "web.server.too_slow") from None
        content += part
        if len(content) > length:
            raise Refused(413, "web.server.too_large")
    if len(content) != length:
        raise Refused(400, "web.server.wrong_request")
    return bytes(content)
