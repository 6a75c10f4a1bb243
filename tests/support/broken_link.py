"""A connection to a server of this machine that can be cut in the middle."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Link:
    """Passes bytes on between clients and a server.

    Attributes
    ----------
    port : int
        Where clients connect.
    cut_after : int or None
        Bytes from the server after which the connection ends, once; None passes everything on.
    cuts : int
        Connections that were cut so far.
    """

    def __init__(self, server: int) -> None:
        self._server = server
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.cut_after: int | None = None
        self.cuts = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Accept no more connections."""
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._server))
                for source, sink, cut in ((client, server, False), (server, client, True)):
                    threading.Thread(target=self._pass, args=(source, sink, cut), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket, cut: bool) -> None:
        passed = 0
        with suppress(OSError):
            while data := source.recv(4096):
                passed += len(data)
                if cut and self.cut_after is not None and passed > self.cut_after:
                    self.cut_after = None
                    self.cuts += 1
                    break
                sink.sendall(data)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@contextmanager
def link(server: int) -> Iterator[Link]:
    """A link to a server's port."""
    made = Link(server)
    try:
        yield made
    finally:
        made.close()
