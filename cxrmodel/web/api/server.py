"""The server of a hospital: the app and the interface in one process, for this computer alone."""

import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.middleware import Middleware
from starlette.routing import Route
from streamlit.starlette import App

from cxrmodel.configuration.schema import Configuration
from cxrmodel.errors import SettingError
from cxrmodel.logs import event
from cxrmodel.monitoring.metrics import Metrics
from cxrmodel.monitoring.store_state import StoreLink, StoreMetrics
from cxrmodel.paths import ROUTER
from cxrmodel.prevalence import SETTING as PREVALENCE
from cxrmodel.web.api.access import token_of
from cxrmodel.web.api.app import ADDRESSES, make_api
from cxrmodel.web.api.health import Health
from cxrmodel.web.api.readings import Readings
from cxrmodel.web.api.request_log import RequestLog
from cxrmodel.web.launch import settings
from cxrmodel.web.server.guards import GUARDS
from cxrmodel.web.server.routes import ROUTES
from cxrmodel.web.server.start import started


def make_server(configuration: Configuration, *, with_store: bool) -> App:
    """Build the whole application.

    Parameters
    ----------
    configuration : Configuration
    with_store : bool
        Whether the store belongs to what must be ready; its state is then among the metrics.

    Raises
    ------
    SettingError
        When the token cannot be used.
    """
    if configuration.api.token_file is not None:
        token_of(configuration.api.token_file)
    store = StoreLink(configuration.store) if with_store else None
    targets = (target.name for target in configuration.outbox.all)
    metrics = Metrics(targets, *([StoreMetrics(store.state)] if store else []))
    health = Health(configuration.reader.model, metrics.model, store.state if store else None)
    api = make_api(Readings(configuration.api, configuration.reader.model, metrics), health, metrics)

    @asynccontextmanager
    async def serving(app: App) -> AsyncIterator[None]:
        async with started(app, configuration if with_store else None):
            health.begin()
            event("logs.serving", port=configuration.api.port)
            yield
            event("logs.stopping")
            if store is not None:
                store.close()

    return App(
        ROUTER,
        routes=[*(Route(address, api) for address in ADDRESSES), *ROUTES],
        middleware=[Middleware(RequestLog, metrics=metrics), *GUARDS],
        lifespan=serving,
    )


def serve(configuration: Configuration, *, with_store: bool) -> None:
    """Run the server until it is stopped.

    Parameters
    ----------
    configuration, with_store
        As for `make_server`.

    Raises
    ------
    SettingError
        Also when the port cannot be listened on.
    """
    _try_port(configuration.api.host, configuration.api.port)
    if configuration.reader.prevalence is not None:
        os.environ[PREVALENCE] = str(configuration.reader.prevalence)
    options: dict[str, Any] = settings(configuration.api.port, configuration.api.host)
    make_server(configuration, with_store=with_store).run(
        config=options | {"server.headless": True, "server.baseUrlPath": ""}
    )


def _try_port(host: str, port: int) -> None:
    """Listen for a moment: the server itself would only log a line of its library."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        reason = error.strerror or str(error)
        raise SettingError("api.port_taken", address=host, port=port, reason=reason) from error
