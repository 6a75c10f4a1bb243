"""What the server does when it starts: it gets ready for images, and says where the app is."""

import sys
import webbrowser
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from streamlit import config
from streamlit.starlette import App
from streamlit.web.server.server_util import get_display_address, get_url

from cxrmodel.messages import Message
from cxrmodel.prevalence import site_prevalence
from cxrmodel.web.server.expiry import ending_sessions
from cxrmodel.web.server.preload import PREPARATION
from cxrmodel.web.server.sockets import send_at_once


@asynccontextmanager
async def started(app: App) -> AsyncIterator[None]:
    """End sessions with their images by a timer, and import what pages need, before the app is announced.

    Raises
    ------
    SettingError
        When a setting of the site cannot be used: the server does not start.
    """
    site_prevalence()
    send_at_once()
    PREPARATION.begin()
    async with ending_sessions(), announced(app):
        yield


@asynccontextmanager
async def announced(_app: App) -> AsyncIterator[None]:
    """Print the app's address and open it in the browser, if this machine has one.

    Streamlit's own message is off, since it asks a service on the internet for the address of this machine.
    """
    address = get_url(get_display_address(config.get_option("server.address") or "::"))
    sys.stdout.write(f"{Message('web.server.ready', address=address)}\n")
    sys.stdout.flush()
    if not config.get_option("server.headless"):
        webbrowser.open(address)
    yield
