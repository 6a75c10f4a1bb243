"""The app's own address: requests under another name or from another page are refused.

A page of another site can point its own name at this machine (DNS rebinding), and any page can open a WebSocket to it.
Both give themselves away by the headers ``Host`` and ``Origin``, which a page cannot choose.
"""

from collections.abc import Iterable
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit import config

from cxrmodel.web.server.requests import REQUESTS, header, refuse

LOCAL = ("localhost", "127.0.0.1", "::1")


class OwnAddress:
    """Refuses requests to a host that is not the app's, and requests that another page makes.

    The app's hosts are those of ``server.allowedHosts``. Where that is empty: this machine's own names, the address
    that the app listens on, and the numeric address at which the request arrived.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        if scope["type"] in REQUESTS:
            host, origin = header(scope, "host"), header(scope, "origin")
            if host is None or not is_allowed(host, _hosts(scope)):
                return await refuse(scope, receive, send, 400, "web.server.wrong_host")
            silent = scope["type"] == "http" and not any(name == b"origin" for name, _ in scope["headers"])
            if not silent and not is_same(origin, host):
                return await refuse(scope, receive, send, 403, "web.server.wrong_origin")
        await self._app(scope, receive, send)


def is_allowed(host: str, allowed: Iterable[str]) -> bool:
    """Tell whether a ``Host`` header names one of the allowed hosts.

    Parameters
    ----------
    host : str
        Name or address, with or without a port.
    allowed : iterable of str
        Names and addresses; ``*.example.org`` stands for every name below it, ``*`` for any.
    """
    try:
        parts = urlsplit(f"//{host}")
        name, _ = parts.hostname, parts.port  # an impossible port is an error
    except ValueError:
        return False
    if not name or parts.netloc != host or "@" in host:
        return False
    name = _normal(name)
    return any(
        name.endswith(pattern[1:]) if pattern.startswith("*.") else pattern in ("*", name)
        for pattern in map(_normal, allowed)
    )


def is_same(origin: str | None, host: str) -> bool:
    """Tell whether an ``Origin`` header is that of the app's own pages under a ``Host``."""
    scheme, _, rest = (origin or "").lower().partition("://")
    return scheme in ("http", "https") and rest == host.lower()


def _hosts(scope: Scope) -> list[str]:
    listed = list(config.get_option("server.allowedHosts"))
    arrived = (scope.get("server") or ("",))[0]
    return listed or [*LOCAL, *filter(None, (config.get_option("server.address"), arrived))]


def _normal(name: str) -> str:
    """Write a name or an address in the one way that can be compared."""
    name = name.strip().strip("[]").lower().rstrip(".")
    try:
        address = ip_address(name)
    except ValueError:
        return name
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)
