"""Who may use the interface: who shows the token that stands in a file of the operator."""

import hashlib
import hmac
from pathlib import Path
from typing import Final

from starlette.requests import Request

from cxrmodel.configuration.secret import read_secret
from cxrmodel.errors import SettingError
from cxrmodel.logs import event
from cxrmodel.web.server.content import Refused
from cxrmodel.web.server.requests import header

LEAST: Final = 32
"""Characters of a token."""
_ASK: Final = {"WWW-Authenticate": 'Bearer realm="cxrmodel"'}


def token_of(file: Path) -> str:
    """Read the token.

    Raises
    ------
    SettingError
        When the file cannot be used, others may open it, or the token is short enough to be guessed.
    """
    token = read_secret(file)
    if len(token) < LEAST or not token.isascii() or not token.isprintable() or " " in token:
        raise SettingError("api.weak_token", file=str(file), least=LEAST)
    return token


class Access:
    """Lets requests with the right bearer token pass.

    Parameters
    ----------
    file : Path or None
        Read for every request, so a new token counts at once. Without a file the interface is off.
    """

    def __init__(self, file: Path | None) -> None:
        self._file = file

    def check(self, request: Request) -> None:
        """Pass a request.

        Raises
        ------
        Refused
        """
        if self._file is None:
            raise Refused(404, "api.off")
        scheme, _, given = (header(request.scope, "authorization") or "").partition(" ")
        if scheme.lower() != "bearer" or not given:
            raise Refused(401, "api.no_token", _ASK)
        try:
            right = _same(given.strip(), token_of(self._file))
        except SettingError as error:
            event("logs.token_unusable", cause=error.message.code)
            raise Refused(503, "api.token_unusable") from error
        if not right:
            raise Refused(
                401, "api.wrong_token", {"WWW-Authenticate": f'{_ASK["WWW-Authenticate"]}, error="invalid_token"'}
            )


def _same(given: str, right: str) -> bool:
    """Compare in a time that tells nothing about the token, its length neither."""
    digests = [hashlib.sha256(text.encode("utf-8", "replace")).digest() for text in (given, right)]
    return hmac.compare_digest(*digests)
