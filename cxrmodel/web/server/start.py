"""What the server does when it starts: it gets ready for images, and says where the app is."""

import sys
import webbrowser
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from streamlit import config
from streamlit.starlette import App
from streamlit.web.server.server_util import get_display_address, get_url

from cxrmodel.messages import Message
from cxrmodel.prevalence import site_prevalence
from cxrmodel.web.keeping.service import kept_lists
from cxrmodel.web.server.expiry import ending_sessions
from cxrmodel.web.server.preload import PREPARATION
from cxrmodel.web.server.sockets import send_at_once

if TYPE_CHECKING:
    from cxrmodel.configuration.schema import Configuration


@asynccontextmanager
async def started(app: App, configuration: "Configuration | None" = None) -> AsyncIterator[None]:
    """End sessions with their images by a timer, and import what pages need, before the app is announced.

    Parameters
    ----------
    app : App
    configuration : Configuration, optional
        Of the site, instead of that in the file that ``CXR_CONFIG`` names.

    Raises
    ------
    SettingError, MissingExtra, StoreError
        When a setting of the site cannot be used: the server does not start.
    """
    site_prevalence()
    send_at_once()
    PREPARATION.begin()
    async with kept_lists(configuration), ending_sessions(), announced(app):
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
