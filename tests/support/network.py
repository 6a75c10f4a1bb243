"""A way to a server of this machine that a test can slow down, cut or close."""

import socket
import threading
import time
from contextlib import suppress


class Line:
    """Forwards connections to a server until it is cut.

    Parameters
    ----------
    port : int
        Of the server, on 127.0.0.1.

    Attributes
    ----------
    port : int
        To connect to instead.
    open : bool
        While it is not, connections are closed at once.
    cut_after : int or None
        Bytes of the answers on a connection after which it is closed.
    cuts : int
        Connections that are still to be closed so.
    seconds : float
        Wait before each part of an answer is passed on.
    connections : int
        That were made.
    """

    def __init__(self, port: int) -> None:
        self._target = port
        self.open, self.seconds, self.connections = True, 0.0, 0
        self.cut_after: int | None = None
        self.cuts = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            if not self.open:
                client.close()
                continue
            server = socket.create_connection(("127.0.0.1", self._target))
            for source, sink, answers in ((client, server, False), (server, client, True)):
                threading.Thread(target=self._pass, args=(source, sink, answers), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket, answers: bool) -> None:
        passed = 0
        with suppress(OSError):
            while part := source.recv(2**12):
                if answers:
                    time.sleep(self.seconds)
                    passed += len(part)
                    if not self.open or self._is_cut(passed):
                        break
                sink.sendall(part)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _is_cut(self, passed: int) -> bool:
        if not self.cuts or self.cut_after is None or passed <= self.cut_after:
            return False
        self.cuts -= 1
        return True
