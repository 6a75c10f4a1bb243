"""The guards that every request passes, the outermost first."""

from typing import Final

from starlette.middleware import Middleware

from cxrmodel.web.server.browsers import OwnSessions
from cxrmodel.web.server.endpoints import OpenEndpoints
from cxrmodel.web.server.headers import SafeHeaders
from cxrmodel.web.server.hosts import OwnAddress

GUARDS: Final = [Middleware(guard) for guard in (SafeHeaders, OwnAddress, OpenEndpoints, OwnSessions)]
