"""The metrics of a worker, which has no web server: a port of this computer for Prometheus."""

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import start_http_server

from cxrmodel.errors import SettingError
from cxrmodel.monitoring.metrics import Metrics

LOOPBACK = "127.0.0.1"


@contextmanager
def published(metrics: Metrics, port: int) -> Iterator[int]:
    """Answer ``http://127.0.0.1:port/metrics`` for the time of a ``with`` block.

    Parameters
    ----------
    metrics : Metrics
    port : int
        0 takes a free one.

    Yields
    ------
    int
        The port.

    Raises
    ------
    SettingError
        When the port is taken.
    """
    try:
        server, thread = start_http_server(port, LOOPBACK, metrics.registry)
    except OSError as error:
        raise SettingError("monitoring.port_taken", port=port, reason=error.strerror or str(error)) from error
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
