"""The sockets that the server listens on."""

import gc
import socket


def send_at_once() -> None:
    """Let every connection send small answers at once.

    Streamlit makes its socket without naming TCP, and asyncio then leaves Nagle's algorithm on (RFC 896): the end of an
    answer waits until the browser has confirmed its beginning, which takes 40 ms. Connections inherit the option from
    the socket that accepts them.
    """
    for found in gc.get_objects():
        if isinstance(found, socket.socket) and _listens(found):
            found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _listens(found: socket.socket) -> bool:
    internet = found.fileno() >= 0 and found.family in (socket.AF_INET, socket.AF_INET6)
    return internet and bool(found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
