"""The program's side of the sandbox: decode in another process, and survive whatever happens there."""

import atexit
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

from cxrmodel.artefacts import cores
from cxrmodel.errors import CxrError, DecoderUnavailable, ImageTooLarge, UnreadableFile
from cxrmodel.imaging.sandbox import parent
from cxrmodel.imaging.sandbox.border import (
    DONE,
    OUT_OF_MEMORY,
    STATUS,
    InvalidReply,
    Value,
    read_reply,
    receive,
    send_request,
)
from cxrmodel.paths import INSTALLED, PACKAGE

AVAILABLE = sys.platform == "linux" and bool(sys.executable)
"""Whether this system can confine a process. Elsewhere decoders run in the program itself."""
PATIENCE = 120.0
"""Seconds by the clock after which a decoder is killed: far above its own limit, which counts the processor's time."""
_LEAVE = 5.0
"""Seconds by the clock in which a decoder must end after its reply."""

NativeDecoder = Callable[..., tuple[Value, ...]]
"""A function of a module: the bytes of a file and further arguments -> arrays and numbers."""


class DecoderFailed(Exception):
    """A decoder raised an error, as it does on damaged bytes."""


class _Decoder:
    """A parent of decoder processes, and the process that waits for the next file."""

    def __init__(self, images: int, seconds: int) -> None:
        self._control, theirs = socket.socketpair()
        self._control.settimeout(_LEAVE)
        # Not sys.path, which libraries change; an installed package is found without it.
        paths = [] if INSTALLED else [str(PACKAGE.parent)]
        paths += filter(None, [os.environ.get("PYTHONPATH")])
        environment = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "HOME") if name in os.environ}
        # One thread; and large pages of memory, which a new process gets in a tenth of the time.
        environment |= {"OPENBLAS_NUM_THREADS": "1", "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}
        with theirs:
            self._parent = subprocess.Popen(
                [sys.executable, "-P", "-m", parent.__name__, str(theirs.fileno()), str(seconds)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env=environment | {"PYTHONPATH": os.pathsep.join(paths)},
                process_group=0,  # the terminal's interrupt is for the program
            )
        self._images, self._unread = images, False
        self.prepare()

    def prepare(self) -> None:
        """Ask for a process that waits for a file."""
        self._left = self._images
        self._link, theirs = socket.socketpair()
        with theirs:
            socket.send_fds(self._control, [b"1"], [theirs.fileno()])

    def decode(self, function: NativeDecoder, data: bytes, arguments: tuple[Any, ...]) -> tuple[str, list[Value]]:
        """Decode a file in the process that waits; ask for another after a failure, and after enough images."""
        memory = os.memfd_create("image", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            send_request(self._link, function, data, arguments, memory)
            status, values = read_reply(receive(self._link, PATIENCE), memory)
        except BaseException:
            self._link.close()
            raise
        finally:
            os.close(memory)
        self._left -= 1
        if status != DONE or not self._left:
            self._link.close()
            self._unread = True
            self.prepare()
        return status, values

    def ready(self) -> bool:
        """Whether the next file can be decoded: no process has died while it waited, and none has sent anything."""
        try:
            if self._parent.poll() is not None or (self._unread and self.ended() is None):
                return False
        except EOFError:
            return False
        waiting = select.poll()
        waiting.register(self._link, select.POLLIN)
        return not waiting.poll(0)

    def ended(self) -> int | None:
        """How the process of the latest file ended, None where it has not.

        Raises
        ------
        EOFError
            Its parent has ended.
        """
        self._unread = False
        try:
            packet = self._control.recv(STATUS.size)
        except TimeoutError:
            return None
        except ConnectionError:
            packet = b""
        if not packet:
            raise EOFError
        return int(STATUS.unpack(packet)[0])

    def end(self) -> None:
        """End everything."""
        self._parent.kill()
        self._parent.wait()
        for channel in (self._control, self._link):
            channel.close()


class Sandbox:
    """Decoders for as many files at once as there are cores; each starts when it is first needed.

    Parameters
    ----------
    decoders : int
        Most files decoded at once; others wait.
    images : int
        Files that one process may decode. With one, nothing of an image is left for the next, whatever it does to its
        decoder.
    seconds : int
        Time of the processor that a process may take for them.
    """

    def __init__(self, decoders: int, images: int = 1, seconds: int = 20) -> None:
        self._free, self._limits = threading.Semaphore(decoders), (images, seconds * images)
        self._idle: list[_Decoder] = []

    def start(self) -> None:
        """Start one decoder, without waiting for it."""
        self._idle.append(_Decoder(*self._limits))

    def decode(self, function: NativeDecoder, data: bytes, arguments: tuple[Any, ...]) -> list[Value]:
        """Run a native decoder on a file in a confined process.

        Raises
        ------
        UnreadableFile
            The decoder crashed or took too long.
        ImageTooLarge
            It needed too much memory.
        DecoderFailed
            It raised any other error.
        DecoderUnavailable
            It could not be started.
        """
        with self._free:
            decoder = self._take()
            try:
                status, values = decoder.decode(function, data, arguments)
            except (EOFError, ConnectionError, InvalidReply, TimeoutError) as error:
                raise self._refusal(decoder, error) from error
            except BaseException:
                decoder.end()
                raise
            self._idle.append(decoder)
        if status == OUT_OF_MEMORY:
            raise ImageTooLarge("imaging.decoder.memory")
        if status != DONE:
            raise DecoderFailed
        return values

    def _refusal(self, decoder: _Decoder, error: Exception) -> CxrError:
        """Find out what happened to a decoder, and keep it if it can go on."""
        try:
            ended = None if isinstance(error, TimeoutError) else decoder.ended()
        except EOFError:
            decoder.end()
            return DecoderUnavailable("imaging.decoder.unavailable")
        if ended is None:
            decoder.end()
        else:
            decoder.prepare()
            self._idle.append(decoder)
        slow = isinstance(error, TimeoutError) or ended == -signal.SIGXCPU
        return UnreadableFile("imaging.decoder.time" if slow else "imaging.decoder.crashed")

    def _take(self) -> _Decoder:
        while True:
            try:
                decoder = self._idle.pop()
            except IndexError:
                break
            if decoder.ready():
                return decoder
            decoder.end()
        try:
            return _Decoder(*self._limits)
        except OSError as error:
            raise DecoderUnavailable("imaging.decoder.unavailable") from error

    def end(self) -> None:
        """End the idle decoders."""
        while self._idle:
            self._idle.pop().end()


_sandbox: Sandbox | None = None


def start_sandbox(images: int = 1) -> None:
    """Decode in confined processes from now on, where the system can confine one.

    Parameters
    ----------
    images : int
        As for ``Sandbox``.
    """
    global _sandbox
    if AVAILABLE and _sandbox is None:
        _sandbox = Sandbox(cores(), images)
        _sandbox.start()


def end_sandbox() -> None:
    """Decode in this process from now on."""
    global _sandbox
    if _sandbox is not None:
        _sandbox.end()
    _sandbox = None


def _leave_sandbox() -> None:
    """A fork of the program must not use the sockets of its parent."""
    global _sandbox
    _sandbox = None


atexit.register(end_sandbox)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_sandbox)


def isolated(function: NativeDecoder, data: bytes, *arguments: Any) -> tuple[Value, ...] | list[Value]:
    """Run a native decoder, in a confined process once the sandbox was started.

    Parameters
    ----------
    function : callable
        A function of a module that ``parent.py`` imports.
    data : bytes
        A whole file or a compressed frame.
    *arguments
        What can be pickled.

    Raises
    ------
    ImageRefused, DecoderUnavailable, DecoderFailed
        See ``Sandbox.decode``.
    Exception
        Anything that the decoder raises, where there is no sandbox.
    """
    return function(data, *arguments) if _sandbox is None else _sandbox.decode(function, data, arguments)
