"""Refused requests as problem documents (RFC 9457): status, code and sentence of the catalogue."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from cxrmodel.messages import Message

PROBLEM: Final = "application/problem+json"


class Problem(BaseModel):
    """Why a request was not answered."""

    model_config = ConfigDict(extra="forbid")

    type: str = Field("about:blank", description="Always about:blank: `code` tells problems apart.")
    title: str = Field(description="Name of the HTTP status.")
    status: int = Field(description="HTTP status.")
    code: str = Field(description="Code of the sentence, for programs.")
    detail: str = Field(description="What happened, and what to do.")
    request: str = Field(description="Random identifier of the request, as in the log.")


def problem(status: int, message: Message, request: str, headers: Mapping[str, str] | None = None) -> Response:
    """Write a problem as an answer. The connection ends with it, since the content of the request may be unread."""
    content = Problem(
        type="about:blank",
        title=HTTPStatus(status).phrase,
        status=status,
        code=message.code,
        detail=str(message),
        request=request,
    )
    return Response(_json(content.model_dump()), status, {"Connection": "close", **(headers or {})}, PROBLEM)


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()
